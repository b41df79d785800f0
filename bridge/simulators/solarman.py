"""A simulated Solarman stick: V5 frames over TCP in front of a register bank, and its discovery.

The real clients of pysolarmanv5 accept it (tests/solarman/). What a stick does to its clients can
be switched on: `fault` is None or a key of FAULTS, after which no good answer comes; `quirks` holds
keys of QUIRKS, which a good client does not even notice.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from bridge.modbus.solarman_frames import (
    HEARTBEAT,
    INVERTER,
    REQUEST,
    REQUEST_HEAD,
    RESPONSE,
    UNSOLICITED,
    Frame,
    Framer,
    crc16,
)
from bridge.simulators.living import Living

if TYPE_CHECKING:
    from collections.abc import Callable

SERIAL: Final = 2_712_345_678
TEXTS: Final = (b"WIFIKIT-214028-READ", b"HF-A11ASSISTHREAD")
FAULTS: Final = {
    "silence": "takes the question and never answers",
    "close": "closes the connection instead of answering",
    "truncated": "sends half of the answer and closes",
    "garbage": "sends bytes that are no frame",
    "bad_checksum": "sends frames whose own checksum is wrong",
    "bad_crc": "passes on answers that were damaged on the way from the inverter",
    "foreign_serial": "answers under another serial number",
    "foreign_sequence": "answers with another sequence number",
    "foreign_answer": "passes on the answer to a question that was not asked",
    "empty": "cannot reach the inverter: the frame carries nothing",
    "busy": "cannot reach the inverter: the frame carries one byte, the code of an exception",
    "late": "answers after every client has given up",
    "modbus_tcp": "speaks plain Modbus TCP on the same port",
}
QUIRKS: Final = {
    "split": "sends each answer in two segments",
    "bytewise": "sends each answer byte by byte",
    "heartbeat_before": "sends a heartbeat on its own before each answer",
    "heartbeat_glued_before": "sends a heartbeat and the answer in one segment",
    "heartbeat_glued_after": "sends the answer and a heartbeat in one segment",
    "report_before": "sends a report of its own before each answer",
    "rubbish_before": "sends a few bytes of rubbish before each answer",
    "double_crc": "appends a second checksum, two zero bytes, to the inverter's answer",
    "stray_answer": "sends an answer to an older question before each answer",
}
_SEGMENT = 0.005
_LATE = 30.0
_SHORTEST = 4
_WORKING, _POWERED = 1_000_000, 3_600
_REPORT = 0x4810


class Answers(Protocol):
    """What stands behind the stick: a register bank."""

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """The answer to a Modbus request without its frame; None: no such unit is there."""


class SolarmanStick(Living):
    """`async with SolarmanStick(bank) as stick:` serves one stick on `stick.port`.

    serial: its own number; clients: how many connections it takes at once (None: any number);
    delay: seconds before each answer; discovery: also answer the broadcast on `discovery_port`
    (0: a free one). `ready()` is called before each request, to let time pass in a model.
    """

    def __init__(
        self,
        bank: Answers,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        serial: int = SERIAL,
        clients: int | None = None,
        delay: float = 0.0,
        discovery_port: int | None = None,
        ready: Callable[[], None] | None = None,
    ) -> None:
        self.bank, self.host, self.port = bank, host, port
        self.serial, self.clients, self.delay = serial, clients, delay
        self.discovery_port = discovery_port
        self.mac = "E8FDF8D42A01"
        self.ready = ready or (lambda: None)
        self.fault: str | None = None
        self.quirks: set[str] = set()
        self.requests: list[bytes] = []
        self.acknowledged: list[Frame] = []
        self.connections: list[_Client] = []
        self._counter = 0xA0
        self._server: asyncio.Server | None = None
        self._discovery: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen; the ports stay the same over stop and start."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Client(self), self.host, self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        if self.discovery_port is not None:
            self._discovery, _ = await loop.create_datagram_endpoint(
                lambda: _Discovery(self), (self.host, self.discovery_port), family=socket.AF_INET
            )
            self.discovery_port = self._discovery.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        """Close every connection and the ports."""
        if self._discovery is not None:
            self._discovery.close()
            self._discovery = None
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for client in list(self.connections):
                client.drop()
            await server.wait_closed()

    def heartbeat(self) -> None:
        """Send a heartbeat to every client, unasked."""
        for client in self.connections:
            client.send(self.unasked(HEARTBEAT))

    def unasked(self, control: int) -> bytes:
        """A frame that the stick sends by itself."""
        payload = b"\0" if control == HEARTBEAT else bytes(range(90))
        self._counter = (self._counter + 1) & 0xFF
        return self._frame(control, self._counter, payload).encode()

    def answer(self, question: Frame) -> list[bytes]:
        """The segments that answer one question, spoilt as `fault` and `quirks` say."""
        request = question.payload[REQUEST_HEAD:]
        self.requests.append(request)
        if self.fault == "silence":
            return []
        if self.fault == "garbage":
            return [b"\x00\x11\x5a\xff" * 10]
        if len(request) < _SHORTEST or crc16(request[:-2]) != request[-2:]:
            return [self._carry(question, b"")]
        unit, pdu = request[0], request[1:-2]
        self.ready()
        reply = self.bank.answer(unit, pdu)
        if self.fault == "modbus_tcp":
            body = bytes((unit,)) + (reply or bytes((pdu[0] | 0x80, 11)))
            return [question.encode()[:2] + struct.pack(">HH", 0, len(body)) + body]
        rtu = b"" if reply is None else bytes((unit,)) + reply
        return self._quirky(question, self._carry(question, rtu + crc16(rtu) if rtu else b""))

    # ---------------------------------------------------------------- frames

    def _frame(self, control: int, sequence: int, payload: bytes) -> Frame:
        self._counter = (self._counter + 41) & 0xFF
        return Frame(control, sequence, self._counter, self.serial, payload)

    def _carry(self, question: Frame, rtu: bytes) -> bytes:
        """One answer frame around what the inverter said."""
        fault = self.fault
        if fault == "empty":
            rtu = b""
        elif fault == "busy":
            rtu = b"\x06"
        elif fault == "bad_crc" and rtu:
            rtu = rtu[:-3] + bytes((rtu[-3] ^ 0x10,)) + rtu[-2:]
        elif fault == "foreign_answer" and rtu:
            body = bytes((rtu[0], rtu[1] ^ 7, 2, 0, 1))
            rtu = body + crc16(body)
        elif "double_crc" in self.quirks and rtu:
            rtu += b"\0\0"
        offset = int(time.time()) - _WORKING
        head = struct.pack("<BBIII", INVERTER, 1, _WORKING, _POWERED, offset)
        sequence = question.sequence + (7 if fault == "foreign_sequence" else 0)
        raw = bytearray(self._frame(RESPONSE, sequence & 0xFF, head + rtu).encode())
        if fault == "foreign_serial":
            other = Frame(RESPONSE, sequence & 0xFF, 0, self.serial ^ 0xFF, head + rtu)
            raw = bytearray(other.encode())
        if fault == "bad_checksum":
            raw[-2] ^= 0x55
        return bytes(raw[: len(raw) // 2] if fault == "truncated" else raw)

    def _quirky(self, question: Frame, raw: bytes) -> list[bytes]:
        quirks = self.quirks
        segments = [raw]
        if "split" in quirks:
            segments = [raw[:20], raw[20:]]
        elif "bytewise" in quirks:
            segments = [bytes((byte,)) for byte in raw]
        elif "heartbeat_glued_before" in quirks:
            segments = [self.unasked(HEARTBEAT) + raw]
        elif "heartbeat_glued_after" in quirks:
            segments = [raw + self.unasked(HEARTBEAT)]
        if "rubbish_before" in quirks:
            segments.insert(0, b"\x00\xa5\xff\x15rubbish\xa5")
        if "heartbeat_before" in quirks:
            segments.insert(0, self.unasked(HEARTBEAT))
        if "report_before" in quirks:
            segments.insert(0, self.unasked(_REPORT))
        if "stray_answer" in quirks:
            older = Frame(REQUEST, (question.sequence - 1) & 0xFF, 0, self.serial, question.payload)
            rtu = bytes.fromhex("01 03 02 be ef")
            segments.insert(0, self._carry(older, rtu + crc16(rtu)))
        return segments


class _Client(asyncio.Protocol):
    """One connection to the stick."""

    def __init__(self, stick: SolarmanStick) -> None:
        self._stick = stick
        self._framer = Framer()
        self._transport: Any = None
        self._free_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        limit = self._stick.clients
        if limit is not None and len(self._stick.connections) >= limit:
            self._transport.abort()
            return
        self._stick.connections.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        if self in self._stick.connections:
            self._stick.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.feed(data):
            if frame.control == REQUEST:
                self._answer(frame)
            elif frame.control + 0x3000 in UNSOLICITED:
                self._stick.acknowledged.append(frame)

    def send(self, data: bytes) -> None:
        """Send while the connection is there."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def drop(self) -> None:
        """Close without waiting."""
        self._transport.abort()

    def _answer(self, frame: Frame) -> None:
        """Answer after the delay, and never before what was sent first is out."""
        stick, loop = self._stick, asyncio.get_running_loop()
        if frame.serial != stick.serial:
            return  # a stick says nothing to a question for another one
        if stick.fault == "close":
            self._transport.close()
            return
        segments = stick.answer(frame)
        moment = max(loop.time() + stick.delay, self._free_at)
        if stick.fault == "late":
            loop.call_later(_LATE, self.send, b"".join(segments))
            return
        for number, segment in enumerate(segments):
            if moment <= loop.time() and number == 0:
                self.send(segment)
            else:
                loop.call_at(moment, self.send, segment)
            moment += _SEGMENT
        self._free_at = moment
        if stick.fault == "truncated":
            loop.call_at(moment, self._transport.close)


class _Discovery(asyncio.DatagramProtocol):
    """Answers the two texts that sticks know with address, MAC and serial number."""

    def __init__(self, stick: SolarmanStick) -> None:
        self._stick = stick
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        if data.rstrip(b"\0\r\n") in TEXTS:
            stick = self._stick
            own = self._transport.get_extra_info("sockname")[0]
            self._transport.sendto(f"{own},{stick.mac},{stick.serial}".encode(), address)


__all__ = ["FAULTS", "QUIRKS", "SERIAL", "Answers", "SolarmanStick"]
