"""One client's connection to the mended amqtt: bounded reading, bounded writing, no orphan."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import anyio
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler

from bridge.broker.amqtt_frames import Kind, Length, Malformed, check_connect, check_size, kind_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

CONNECT_WITHIN = 10.0
"""s from the TCP connect to a complete CONNECT."""
_WRITE_PATIENCE = 30.0
VERY_BUSY = 500
"""Messages waiting for one client, from which on publishers are slowed down."""
_PENDING = 1000
_PENDING_BYTES = 8_388_608


class PacketReader(ReaderAdapter):  # type: ignore[misc] # amqtt has no types
    """Takes whole packets off the socket; amqtt's decoder then reads from that packet alone."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._packet = b""
        self._at = 0
        self.patience: float | None = CONNECT_WITHIN
        """s of silence after which the connection counts as lost; None = any."""

    async def next(self) -> tuple[Kind, int, bytes] | None:
        """The next packet as (kind, flags, body); None when the client is gone or silent.

        Raises Malformed.
        """
        try:
            with anyio.fail_after(self.patience):
                first = (await self._stream.readexactly(1))[0]
                kind = kind_of(first)
                head = bytes([first])
                length = Length()
                while True:
                    head += await self._stream.readexactly(1)
                    if length.feed(head[-1]):
                        break
                body = await self._stream.readexactly(length.value)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return None
        check_size(kind, body)
        self._packet, self._at = head + body, 0
        return kind, first & 0x0F, body

    async def load_connect(self) -> bool:
        """Wait for a CONNECT and hold it for amqtt's decoder; false when there is none."""
        packet = await self.next()
        if packet is None:
            return False
        if packet[0] is not Kind.CONNECT:
            raise Malformed("the first packet is not a CONNECT")
        check_connect(packet[2])
        return True

    async def read(self, n: int = -1) -> bytes:
        """Serve amqtt's decoder from the packet in hand, and never from the one after it."""
        end = len(self._packet) if n < 0 else self._at + n
        part = self._packet[self._at : end]
        if len(part) < n:
            raise asyncio.IncompleteReadError(part, n)
        self._at = end
        return part

    def feed_eof(self) -> None:
        """Part of amqtt's interface; the stream knows by itself."""


class PatientWriter(WriterAdapter):  # type: ignore[misc] # amqtt has no types
    """Writes to the socket; a client that does not read is let go instead of waited for."""

    def __init__(self, stream: asyncio.StreamWriter) -> None:
        self._stream = stream
        self.patience = _WRITE_PATIENCE

    def write(self, data: bytes) -> None:
        """Queue bytes; after the end they go nowhere."""
        if not self._stream.is_closing():
            self._stream.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken most of what is queued, within limits."""
        try:
            with anyio.fail_after(self.patience):
                await self._stream.drain()
        except (TimeoutError, OSError):
            self.abort()

    @property
    def closing(self) -> bool:
        """True once the connection is closed or about to be."""
        return self._stream.is_closing()

    def get_peer_info(self) -> tuple[str, int]:
        """Address and port of the client."""
        peer = self._stream.get_extra_info("peername")
        return (str(peer[0]), int(peer[1])) if peer else ("unknown", 0)

    def get_ssl_info(self) -> ssl.SSLObject | None:
        """There is no TLS here."""
        return None

    def abort(self) -> None:
        """Close at once; what is queued is lost."""
        self._stream.transport.abort()

    async def close(self) -> None:
        """Close after what is queued, for which there is a moment."""
        self._stream.close()
        with contextlib.suppress(OSError):
            with anyio.move_on_after(0.2):
                await self._stream.wait_closed()
                return
            self.abort()


class Link(BrokerProtocolHandler):  # type: ignore[misc] # amqtt has no types
    """amqtt's handler without its tasks: the connection's own task reads, see MendedBroker."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ended = anyio.Event()
        self.pending = 0
        """Messages handed over and not yet sent and acknowledged."""
        self._pending_bytes = 0

    def hand_over(self, size: int) -> bool:
        """Count a message that `deliver` will send; false when too much waits: it is dropped."""
        if self.pending >= _PENDING or self._pending_bytes + size > _PENDING_BYTES:
            return False
        self.pending += 1
        self._pending_bytes += size
        return True

    async def breathe(self) -> None:
        """Wait while much waits for the client."""
        # So rare that an event for every message would cost more than asking.
        while self.pending > VERY_BUSY and not self.ended.is_set():  # noqa: ASYNC110 - see above
            await anyio.sleep(0.001)

    async def deliver(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Send one message and see it acknowledged, or give up within seconds."""
        try:
            if self.session is not None and not self.ended.is_set():
                await self.mqtt_publish(topic, payload, qos, retain=retain)
        except Exception as error:  # noqa: BLE001 - one client's trouble must not end the others'
            # The connection is ending, or the acknowledgement did not come.
            self.logger.debug("not delivered: %s", error)
        finally:
            self.pending -= 1
            self._pending_bytes -= len(payload)

    async def _send_packet(self, packet: Any) -> None:
        # amqtt's own turns a cancellation into another error, and writes on after the end.
        async with self._write_lock:
            if self.writer is None or self.writer.closing:
                raise ConnectionResetError
            await packet.to_stream(self.writer)

    def acknowledged(self, kind: Kind, packet_id: int) -> None:
        """Let the delivery of `packet_id` go on."""
        waiters = {
            Kind.PUBACK: self._puback_waiters,
            Kind.PUBREC: self._pubrec_waiters,
            Kind.PUBCOMP: self._pubcomp_waiters,
        }[kind]
        waiter = waiters.get(packet_id)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def abort(self) -> None:
        """Break the connection; its task then ends it in order."""
        if self.writer is not None:
            self.writer.abort()

    def _waiters(self) -> Iterator[asyncio.Future[Any]]:
        for waiters in (self._puback_waiters, self._pubrec_waiters, self._pubcomp_waiters):
            yield from waiters.values()

    def _stop_waiters(self) -> None:
        # amqtt cancels them, which would look like a cancellation of the delivering task.
        for waiter in self._waiters():
            if not waiter.done():
                waiter.set_exception(ConnectionResetError())
