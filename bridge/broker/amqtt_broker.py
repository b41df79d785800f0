"""amqtt 0.12.1 with its faults mended from outside, for trying Heliograph without mosquitto.

What amqtt gets wrong and this class does right (each has a test that shows both):
keepalive is enforced and a silent client's will published; a second client with the same id
replaces the first, whose will is published; retained messages go only to who subscribed to them;
the delivered QoS is the lower of both sides; overlapping filters give one copy; subscribing again
replaces the QoS; `$anything` may be published; packets are bounded and checked; a client that does
not read cannot hold up the others or the shutdown; persistent sessions need no login.

Kept of amqtt: the packet encoders, sessions, retained and subscription stores, filter matching,
the outgoing QoS flows and the listener's life.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from typing import TYPE_CHECKING, Any

import anyio
from amqtt.broker import Broker, Server
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.constants import QOS_1, QOS_2
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.session import IncomingApplicationMessage, OutgoingApplicationMessage

from bridge.broker.amqtt_frames import (
    Kind,
    Malformed,
    Publish,
    parse_id,
    parse_publish,
    parse_subscribe,
    parse_unsubscribe,
)
from bridge.broker.amqtt_link import VERY_BUSY, Link, PacketReader, PatientWriter

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from amqtt.session import Session
    from anyio.abc import TaskGroup

_REFUSED = 0x80
_GRACE = 1.5
_HALF_DONE = 1000
_BUSY = 32
_SESSION_EXPIRY = 86_400
_CLOSE = 0.5
_CARRIED_OVER = (
    "will_flag",
    "will_message",
    "will_topic",
    "will_qos",
    "will_retain",
    "keep_alive",
    "username",
    "password",
    "remote_address",
    "remote_port",
)


class MendedBroker(Broker):  # type: ignore[misc] # amqtt has no types
    """Serves MQTT 3.1.1 on one bound socket; `logins` are names and passwords, empty = nobody asks.

    Deliveries run in `tasks`, which the owner cancels after `shutdown`.
    """

    def __init__(
        self, listener: socket.socket, logins: Mapping[str, str], tasks: TaskGroup
    ) -> None:
        super().__init__(
            {
                "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
                "session_expiry_interval": _SESSION_EXPIRY,
                "plugins": {},
            }
        )
        self._listener = listener
        self._logins = dict(logins)
        self._deliveries = tasks
        self._links: dict[str, Link] = {}
        self._writers: dict[PatientWriter, anyio.Event] = {}

    # ---------------------------------------------------------------- life

    async def _start_listeners(self) -> None:
        server = await asyncio.start_server(self._accepted, sock=self._listener)
        self._servers["default"] = Server("default", server)

    async def shutdown(self) -> None:
        """End every connection, then amqtt itself; as with mosquitto no will is heard."""
        for server in self._servers.values():
            server.instance.close()
        for writer in self._writers:
            writer.abort()
        with anyio.move_on_after(_CLOSE):
            for ended in tuple(self._writers.values()):
                await ended.wait()
        await super().shutdown()

    async def _accepted(self, stream: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        """The whole life of one TCP connection, in the task that asyncio made for it."""
        reader, writer = PacketReader(stream), PatientWriter(out)
        ended = self._writers[writer] = anyio.Event()
        try:
            if await reader.load_connect():
                await self._admit(reader, writer)
        except (Malformed, AMQTTError, MQTTError, NoDataError, OSError):
            self.logger.debug("connection refused", exc_info=True)
        except Exception:  # no client may bring the bridge down, whatever it sends
            self.logger.debug("connection failed", exc_info=True)
        finally:
            with anyio.CancelScope(shield=True):
                await writer.close()
            self._writers.pop(writer)
            ended.set()

    # ---------------------------------------------------------------- connecting

    async def _admit(self, reader: PacketReader, writer: PatientWriter) -> None:
        link, session = await Link.init_from_connect(reader, writer, self.plugins_manager)
        if not self._knows(session.username, session.password):
            link.attach(session, reader, writer)
            await link.mqtt_connack_authorize(authorize=False)
            return
        session = await self._take_place(link, session)
        goodbye = False
        try:
            patience = session.keep_alive * _GRACE
            reader.patience = patience or None
            writer.patience = patience or writer.patience
            link.attach(session, reader, writer)
            session.transitions.connect()
            await link.mqtt_connack_authorize(authorize=True)
            self._send_what_waited(link, session)
            goodbye = await self._serve(link, session, reader)
        finally:
            await self._end(link, session, publish_will=not goodbye)

    def _knows(self, name: str | None, password: str | None) -> bool:
        if not self._logins:
            return True
        right = self._logins.get(name or "", "")
        same = hmac.compare_digest(right.encode(), (password or "").encode())
        return same and bool(right)

    async def _take_place(self, link: Link, session: Session) -> Session:
        """End an older connection of this client id, will and all, and find its session."""
        client_id = session.client_id
        while (older := self._links.get(client_id)) is not None:
            older.abort()
            await older.ended.wait()
        found: Session | None = self._sessions.get(client_id, (None, None))[0]
        if session.clean_session or found is None:
            await self._delete_session(client_id)
            found, session.parent = session, 0
        else:
            for name in _CARRIED_OVER:
                setattr(found, name, getattr(session, name))
            found.parent = 1
        self._sessions[client_id] = (found, link)
        self._links[client_id] = link
        return found

    async def _end(self, link: Link, session: Session, *, publish_will: bool) -> None:
        """Forget the connection; publish its will unless it said goodbye."""
        client_id = session.client_id
        session.transitions.disconnect()
        link._stop_waiters()  # noqa: SLF001 - our own override
        if self._links.get(client_id) is link:
            del self._links[client_id]
        if session.clean_session:
            await self._delete_session(client_id)
        if publish_will and session.will_flag:
            await self._publish(
                session,
                Publish(
                    session.will_topic,
                    bytes(session.will_message or b""),
                    session.will_qos or 0,
                    bool(session.will_retain),
                    0,
                ),
            )
        link.ended.set()

    # ---------------------------------------------------------------- packets

    async def _serve(self, link: Link, session: Session, reader: PacketReader) -> bool:
        """Act on packets until the client is gone; true when it said goodbye."""
        while (packet := await reader.next()) is not None:
            if packet[0] is Kind.DISCONNECT:
                return True
            await self._act(link, session, *packet)
        return False

    async def _act(self, link: Link, session: Session, kind: Kind, flags: int, body: bytes) -> None:
        match kind:
            case Kind.PUBLISH:
                await self._published(link, session, parse_publish(flags, body))
            case Kind.PUBACK | Kind.PUBREC | Kind.PUBCOMP:
                link.acknowledged(kind, parse_id(body))
            case Kind.PUBREL:
                await self._released(link, session, parse_id(body))
            case Kind.SUBSCRIBE:
                await self._subscribed(link, session, *parse_subscribe(body))
            case Kind.UNSUBSCRIBE:
                await self._unsubscribed(link, session, *parse_unsubscribe(body))
            case Kind.PINGREQ:
                await link._send_packet(PingRespPacket.build())  # noqa: SLF001 - our own handler
            case _:
                raise Malformed("a second CONNECT")

    async def _published(self, link: Link, session: Session, message: Publish) -> None:
        send = link._send_packet  # noqa: SLF001 - our own handler
        if message.qos == QOS_2:
            waiting = session.inflight_in
            if len(waiting) >= _HALF_DONE:
                raise Malformed("too many unfinished messages")
            if message.packet_id not in waiting:
                waiting[message.packet_id] = IncomingApplicationMessage(
                    message.packet_id, message.topic, QOS_2, message.payload, message.retain
                )
            await send(PubrecPacket.build(message.packet_id))
            return
        await self._publish(session, message)
        if message.qos == QOS_1:
            await send(PubackPacket.build(message.packet_id))

    async def _released(self, link: Link, session: Session, packet_id: int) -> None:
        held = session.inflight_in.pop(packet_id, None)
        if held is not None:
            message = Publish(held.topic, bytes(held.data), QOS_2, held.retain, packet_id)
            await self._publish(session, message)
        await link._send_packet(PubcompPacket.build(packet_id))  # noqa: SLF001 - our own handler

    async def _subscribed(
        self, link: Link, session: Session, packet_id: int, wanted: list[tuple[str, int]]
    ) -> None:
        codes = [await self.add_subscription(one, session) for one in wanted]
        await link.mqtt_acknowledge_subscription(packet_id, codes)
        for (name, _), qos in zip(wanted, codes, strict=True):
            topics = [topic for topic in self._retained_messages if self._matches(topic, name)]
            if topics and qos != _REFUSED:
                self._deliveries.start_soon(self._hand_retained, link, topics, qos)

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Grant a filter; a known one gets the new QoS, a shared one is refused as unsupported."""
        name, qos = subscription
        if name.startswith("$share/"):
            return _REFUSED
        granted: int = await super().add_subscription(subscription, session)
        if granted != _REFUSED:
            entries = self._subscriptions[name]
            mine = [one.client_id == session.client_id for one, _ in entries].index(True)
            entries[mine] = (session, qos)
        return granted

    async def _unsubscribed(
        self, link: Link, session: Session, packet_id: int, filters: list[str]
    ) -> None:
        for name in filters:
            self._del_subscription(name, session)
            if not self._subscriptions.get(name, True):
                del self._subscriptions[name]
        await link.mqtt_acknowledge_unsubscription(packet_id)

    # ---------------------------------------------------------------- delivering

    async def _publish(self, source: Session, message: Publish) -> None:
        """Keep it when retained, and hand it once to each client that subscribed to it."""
        if message.retain:
            await self.retain_message(source, message.topic, message.payload, message.qos)
        best: dict[str, tuple[Session, int]] = {}
        for name, entries in self._subscriptions.items():
            if not entries or not self._matches(message.topic, name):
                continue
            for session, qos in entries:
                known = best.get(session.client_id)
                if known is None or known[1] < qos:
                    best[session.client_id] = (session, qos)
        busiest = 0
        for client_id, (session, granted) in best.items():
            qos = min(granted, message.qos)
            link = self._links.get(client_id)
            if link is not None:
                self._hand(link, message.topic, message.payload, qos, retain=False)
                busiest = max(busiest, link.pending)
            elif qos and session.retained_messages.qsize() < _HALF_DONE:
                late = OutgoingApplicationMessage(None, message.topic, qos, message.payload, False)
                session.retained_messages.put_nowait(late)
        # A burst is read without a pause otherwise, and would overrun who it is meant for.
        if busiest > _BUSY:
            await anyio.sleep(0.001 if busiest > VERY_BUSY else 0)

    def _hand(self, link: Link, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        if link.hand_over(len(payload)):
            self._deliveries.start_soon(link.deliver, topic, payload, qos, retain)

    async def _hand_retained(self, link: Link, topics: list[str], qos: int) -> None:
        """Send what is retained, at the client's pace and as it is by then."""
        for topic in topics:
            await link.breathe()
            kept = self._retained_messages.get(topic)
            if kept is not None:
                self._hand(link, topic, bytes(kept.data), min(qos, kept.qos or 0), retain=True)

    def _send_what_waited(self, link: Link, session: Session) -> None:
        """What was published while a persistent session was away."""
        waiting: asyncio.Queue[Any] = session.retained_messages
        with contextlib.suppress(asyncio.QueueEmpty):
            while True:
                late = waiting.get_nowait()
                self._hand(link, late.topic, bytes(late.data), late.qos, retain=False)
