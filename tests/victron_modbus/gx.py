"""A GX and the actor that reads it, as the tests need them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

import anyio

from bridge.clock import Clock
from bridge.config.kinds import find_kind
from tests.actors.kinds import make, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.devices.victron_modbus.actor import VictronModbus
    from actors.devices.victron_modbus.sim import Simulator

KIND = find_kind("victron_modbus")
FOUND = {
    "vebus": [228],
    "battery": [225],
    "grid": [30],
    "solarcharger": [238],
    "pvinverter": [20],
    "evcharger": [40],
}


class Hasty(Clock):
    """Does not wait for what a simulated GX does at once."""

    async def sleep(self, seconds: float) -> None:
        """Only let others go first."""
        await anyio.sleep(0 if seconds < 1 else seconds)


@contextlib.asynccontextmanager
async def reading(
    sim: Simulator, state: Path, *, look: bool = False, **settings: Any
) -> AsyncIterator[VictronModbus]:
    """The actor, connected, after its first reading; its id is `dut`.

    look: it does not know yet which services there are.
    """
    actor = cast("VictronModbus", make(KIND, settings_for(KIND, sim, **settings), state))
    if not look and not settings and actor.state.load("units") is None:
        actor.state.save("units", FOUND)
        actor = type(actor)(actor.context)
    actor.clock = Hasty()
    async with actor.direct():
        await actor.read_all()
        yield actor


def balance(values: Any) -> float:
    """PV + grid + battery, W: what the load must be."""
    return float(values["PvPower"] + values["GridPower"] + values["BatteryPower"])
