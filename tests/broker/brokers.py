"""The brokers that the same checks are put to, and clients for them."""

from __future__ import annotations

import logging
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import aiomqtt
import anyio
from amqtt.broker import Broker

from bridge.broker import EmbeddedBroker, EmbeddedSettings, embedded_broker
from bridge.log import get_logger
from tests.support.mosquitto import needs_mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NODELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
SETTLE = 0.4
"""s in which whatever is going to arrive has arrived."""


def port_of(broker: EmbeddedBroker) -> int:
    return int(broker.url.rpartition(":")[2])


@asynccontextmanager
async def embedded(kind: str, **settings: Any) -> AsyncIterator[EmbeddedBroker]:
    """Our broker of one kind on a free port."""
    settings = {"listen": "127.0.0.1:0", "prefer": kind, **settings}
    async with embedded_broker(EmbeddedSettings(**settings), get_logger()) as broker:
        yield broker


@contextmanager
def quiet_amqtt() -> Iterator[None]:
    """Spare the test output what amqtt says about being mistreated."""
    quiet = logging.getLogger("amqtt")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        quiet.setLevel(level)


@asynccontextmanager
async def unmended() -> AsyncIterator[int]:
    """The port of an amqtt as it comes."""
    anonymous = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    listener = {"default": {"type": "tcp", "bind": "127.0.0.1:0"}}
    broker = Broker({"listeners": listener, "plugins": anonymous})
    await broker.start()
    try:
        yield broker._servers["default"].instance.sockets[0].getsockname()[1]
    finally:
        await broker.shutdown()


@asynccontextmanager
async def serving(kind: str) -> AsyncIterator[int]:
    """The port of a broker: `mosquitto`, `amqtt` (mended) or `unmended`."""
    if kind == "unmended":
        async with unmended() as port:
            yield port
    else:
        async with embedded(kind) as broker:
            yield port_of(broker)


def client(port: int, **options: Any) -> aiomqtt.Client:
    options = {"timeout": 3, "socket_options": NODELAY, **options}
    made = aiomqtt.Client("127.0.0.1", port, **options)
    made.pending_calls_threshold = 10**9
    return made


async def collect(
    source: aiomqtt.Client, count: int | None = None, seconds: float = SETTLE
) -> list[aiomqtt.Message]:
    """What arrives in `seconds`, or sooner when `count` messages are there."""
    found: list[aiomqtt.Message] = []
    with anyio.move_on_after(seconds):
        async for message in source.messages:
            found.append(message)
            if len(found) == count:
                break
    return found


def plain(messages: list[aiomqtt.Message]) -> list[tuple[str, bytes, int, bool]]:
    """Messages as (topic, payload, qos, retained)."""
    return [(m.topic.value, bytes(m.payload), m.qos, bool(m.retain)) for m in messages]


__all__ = [
    "NODELAY",
    "SETTLE",
    "client",
    "collect",
    "embedded",
    "needs_mosquitto",
    "plain",
    "port_of",
    "quiet_amqtt",
    "serving",
    "unmended",
]
