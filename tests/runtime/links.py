"""A connection under test and what it received, for as long as a test needs it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio

from bridge.log import get_logger
from bridge.mqtt import Connection, Endpoint, Will

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.mqtt import Incoming


class Link:
    """A running connection; `got` holds every message in order."""

    def __init__(self, endpoint: Endpoint, name: str, will: str | None, **options: Any) -> None:
        self.got: list[Incoming] = []
        self.connection = Connection(
            endpoint,
            name,
            log=get_logger("test"),
            receive=self.got.append,
            will=Will(will) if will else None,
            **options,
        )

    def payloads(self, topic: str) -> list[bytes]:
        """What came on one topic, in order."""
        return [message.payload for message in self.got if message.topic == topic]

    async def until(self, check: Callable[[], object], limit: float = 10) -> None:
        """Wait until `check` holds."""
        with anyio.fail_after(limit):
            while not check():  # noqa: ASYNC110 - checks look at many things, events tell of one
                await anyio.sleep(0.005)


@contextlib.asynccontextmanager
async def link(
    endpoint: Endpoint,
    name: str = "me",
    *,
    filters: tuple[str, ...] = (),
    will: str | None = None,
    wait: bool = True,
    **options: Any,
) -> AsyncIterator[Link]:
    """Run a connection; with `wait`, until its first session stands."""
    found = Link(endpoint, name, will, **options)
    await found.connection.subscribe([(topic, 1) for topic in filters])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(found.connection.run)
        if wait:
            with anyio.fail_after(10):
                await found.connection.connected.wait()
        yield found
        tasks.cancel_scope.cancel()


def endpoint(port: int, scheme: str = "mqtt", **options: Any) -> Endpoint:
    """An endpoint on loopback."""
    return Endpoint.from_url(f"{scheme}://localhost:{port}", **options)
