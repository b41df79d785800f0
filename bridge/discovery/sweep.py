"""Cleaning up at start: discovery of devices that the configuration no longer has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bridge.discovery.removal import orphans

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from bridge.bus import Bus
    from bridge.config import Config
    from bridge.mqtt import Incoming

_LISTEN = 2.0


async def sweep(bus: Bus, config: Config, log: FilteringBoundLogger) -> list[str]:
    """Remove what is announced in our name and no longer there; the topics that were removed.

    `bus` is a connection of its own, used for these 2 s only: a home may have thousands of
    discovery messages, and nobody else must wait behind them.
    """
    found: dict[str, bytes] = {}

    def take(message: Incoming) -> None:
        if message.retained and message.payload:
            found[message.topic] = message.payload

    prefix = config.discovery.prefix
    for pattern in (f"{prefix}/+/+/config", f"{prefix}/+/+/+/config"):
        await bus.listen(pattern, take)
    gone: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bus.run)
        await bus.connection.connected.wait()
        await anyio.sleep(_LISTEN)
        gone = orphans(found, config)
        for topic in gone:
            bus.publish_raw(topic, b"", qos=1, retain=True)
        await bus.connection.flush(1.0)
        tasks.cancel_scope.cancel()
    if gone:
        log.info(f"removed {len(gone)} discovery messages of what is no longer configured")
    return gone
