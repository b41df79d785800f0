"""MQTT 3.1.1 packets from a client, read strictly: whole packets, bounded, well-formed or refused.

amqtt decodes while it reads from the socket, which lets a malformed packet eat the next one, a
huge one fill the memory and half a one wait for ever. Here a packet is taken off the socket as a
whole, checked, and only then acted upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MAX_PACKET = 262_144
"""Bytes after the fixed header that are accepted in one packet."""
_MORE = 0x80
_LENGTH_BYTES = 4
_PACKET_ID_ONLY = 2
_QOS_REFUSED = 3


class Malformed(Exception):
    """The client does not speak MQTT 3.1.1; its connection is closed."""


class Kind(IntEnum):
    """The packet types that a client may send."""

    CONNECT = 1
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    UNSUBSCRIBE = 10
    PINGREQ = 12
    DISCONNECT = 14


_FLAGS = {Kind.PUBREL: 2, Kind.SUBSCRIBE: 2, Kind.UNSUBSCRIBE: 2}
_EMPTY = {Kind.PINGREQ, Kind.DISCONNECT}
_ONLY_ID = {Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP}


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH; `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int


def kind_of(first: int) -> Kind:
    """The packet type of a first byte; Malformed for what a client must not send."""
    try:
        kind = Kind(first >> 4)
    except ValueError as error:
        raise Malformed("unknown packet type") from error
    if kind is not Kind.PUBLISH and first & 0x0F != _FLAGS.get(kind, 0):
        raise Malformed("wrong flags")
    return kind


class Length:
    """The remaining length, fed byte by byte."""

    def __init__(self) -> None:
        self.value = 0
        self._count = 0

    def feed(self, byte: int) -> bool:
        """Add one byte; true when it was the last one."""
        self.value |= (byte & ~_MORE) << (7 * self._count)
        self._count += 1
        if byte & _MORE:
            if self._count == _LENGTH_BYTES:
                raise Malformed("endless length")
            return False
        if self.value > MAX_PACKET:
            raise Malformed("packet too large")
        return True


class _Cursor:
    """Takes fields off a body from left to right."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._body[self._at : self._at + count]
        if len(part) < count:
            raise Malformed("packet ends early")
        self._at += count
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def text(self) -> str:
        try:
            text = self.take(self.number()).decode()
        except UnicodeDecodeError as error:
            raise Malformed("text is not UTF-8") from error
        if "\0" in text:
            raise Malformed("text with a zero character")
        return text

    def identifier(self) -> int:
        number = self.number()
        if number == 0:
            raise Malformed("packet id 0")
        return number

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._at)

    @property
    def more(self) -> bool:
        return self._at < len(self._body)


def parse_publish(flags: int, body: bytes) -> Publish:
    """Read a PUBLISH with the low nibble of its first byte."""
    qos = flags >> 1 & 3
    if qos == _QOS_REFUSED or (qos == 0 and flags & 8):
        raise Malformed("impossible quality of service")
    cursor = _Cursor(body)
    topic = check_topic(cursor.text())
    packet_id = cursor.identifier() if qos else 0
    return Publish(topic, cursor.rest(), qos, bool(flags & 1), packet_id)


def parse_subscribe(body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """The packet id and (filter, requested QoS) of a SUBSCRIBE."""
    cursor = _Cursor(body)
    packet_id = cursor.identifier()
    wanted = []
    while cursor.more:
        name, qos = _filter(cursor), cursor.take(1)[0]
        if qos >= _QOS_REFUSED:
            raise Malformed("impossible quality of service")
        wanted.append((name, qos))
    if not wanted:
        raise Malformed("subscribes to nothing")
    return packet_id, wanted


def parse_unsubscribe(body: bytes) -> tuple[int, list[str]]:
    """The packet id and filters of an UNSUBSCRIBE."""
    cursor = _Cursor(body)
    packet_id = cursor.identifier()
    unwanted = []
    while cursor.more:
        unwanted.append(_filter(cursor))
    if not unwanted:
        raise Malformed("unsubscribes from nothing")
    return packet_id, unwanted


def parse_id(body: bytes) -> int:
    """The packet id of an acknowledgement."""
    if len(body) != _PACKET_ID_ONLY:
        raise Malformed("acknowledgement of a wrong size")
    return _Cursor(body).identifier()


def check_connect(body: bytes) -> None:
    """Walk through a CONNECT; the versions that amqtt refuses politely are left to it."""
    cursor = _Cursor(body)
    if cursor.text() != "MQTT":
        raise Malformed("not MQTT")
    level, flags = cursor.take(2)
    if level != 4:  # noqa: PLR2004 - MQTT 3.1.1; a later version has other fields
        return
    cursor.number()
    cursor.text()
    if flags & 1 or (not flags & 4 and flags & 0x38) or flags >> 3 & 3 == _QOS_REFUSED:
        raise Malformed("impossible connect flags")
    if flags & 4:
        check_topic(cursor.text())
        cursor.take(cursor.number())
    if flags & 0x40 and not flags & 0x80:
        raise Malformed("a password without a user")
    if flags & 0x80:
        cursor.text()
    if flags & 0x40:
        cursor.text()
    if cursor.more:
        raise Malformed("packet is too long")


def check_topic(topic: str) -> str:
    """A topic to publish on: not empty, no wildcard."""
    if not topic or "+" in topic or "#" in topic:
        raise Malformed("not a topic")
    return topic


def check_size(kind: Kind, body: bytes) -> None:
    """Refuse a body where there must be none."""
    if kind in _EMPTY and body:
        raise Malformed("packet is too long")


def _filter(cursor: _Cursor) -> str:
    text = cursor.text()
    if not text:
        raise Malformed("empty filter")
    return text
