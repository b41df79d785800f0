"""MQTT 3.1.1 by hand: what a well-behaved library never sends."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import SocketStream

PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"


def text(value: str | bytes) -> bytes:
    """A string with its length before it."""
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes) -> bytes:
    """A packet with its remaining length."""
    length, head = len(body), bytearray([first])
    while True:
        length, digit = length >> 7, length & 0x7F
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def connect(
    client_id: str,
    *,
    keepalive: int = 0,
    will: tuple[str, str] | None = None,
    will_retain: bool = False,
    login: tuple[str, str] | None = None,
    clean: bool = True,
) -> bytes:
    """A CONNECT; the will has QoS 1."""
    flags = (2 if clean else 0) | (0x0C if will else 0) | (0x20 if will_retain else 0)
    flags |= 0xC0 if login else 0
    body = text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big") + text(client_id)
    for part in (*(will or ()), *(login or ())):
        body += text(part)
    return packet(0x10, body)


def publish(topic: str | bytes, payload: bytes, *, qos: int = 0, packet_id: int = 1) -> bytes:
    """A PUBLISH."""
    number = packet_id.to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1, text(topic) + number + payload)


def subscribe(*filters: str, qos: int = 0) -> bytes:
    """A SUBSCRIBE with packet id 1."""
    body = b"".join(text(name) + bytes([qos]) for name in filters)
    return packet(0x82, b"\x00\x01" + body)


@asynccontextmanager
async def connected(port: int, hello: bytes) -> AsyncIterator[SocketStream]:
    """A TCP connection on which `hello`, a CONNECT, has been accepted."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(hello)
        with anyio.fail_after(3):
            answer = await stream.receive()
        assert answer[:2] == b"\x20\x02", answer
        assert answer[3] == 0, f"refused with code {answer[3]}"
        yield stream


async def closed_within(stream: SocketStream, seconds: float) -> bool:
    """True when the broker closes the connection in that time."""
    with anyio.move_on_after(seconds):
        while True:
            try:
                await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return True
    return False
