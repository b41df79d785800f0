"""A GX on a broker, and the actor that reads it, as the tests need them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

import anyio

from actors.venus.venus_mqtt.settings import Export
from actors.venus.venus_mqtt.simulator.player import Player
from bridge.config.kinds import find_kind
from tests.actors.kinds import make, running
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.venus.venus_mqtt.actor import VenusMqtt
    from tests.runtime.links import Link

KIND = find_kind("venus_mqtt")
AC = "settings/0/Settings/CGwacs/AcPowerSetPoint"
OVERRIDE = "hub4/0/Overrides/Setpoint"


def settings(port: int, **more: Any) -> Any:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "interval": 0.1,
        "timeout": 1.0,
        "silence": 4.0,
    }
    given |= more
    given["export"] = tuple(Export(**each) for each in given.get("export", ()))
    return KIND.settings()(**given)


def build(tmp_path: Path, port: int, **more: Any) -> VenusMqtt:
    return cast("VenusMqtt", make(KIND, settings(port, **more), tmp_path))


@contextlib.asynccontextmanager
async def playing(url: str, player: Player | None = None, **login: Any) -> AsyncIterator[Player]:
    """A GX that has come up on the broker."""
    player = player or Player(heartbeat=0.5)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: player.run(url, **login))
        yield player
        tasks.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def gx(player: Player | None = None, **broker: Any) -> AsyncIterator[tuple[Player, int]]:
    """A GX with a broker of its own: the player, and the port."""
    with Mosquitto(**broker) as own:
        async with playing(own.url, player) as found:
            yield found, own.port


@contextlib.asynccontextmanager
async def bridged(
    tmp_path: Path, broker: int, player: Player | None = None, **more: Any
) -> AsyncIterator[tuple[Player, Link]]:
    """The same, and the actor `dut` running on another broker."""
    async with (
        gx(player) as (found, port),
        running(KIND, settings(port, **more), tmp_path, broker) as them,
    ):
        yield found, them
