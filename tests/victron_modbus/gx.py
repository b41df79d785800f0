"""A GX and the actor that reads it, as the tests need them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from bridge.config.kinds import find_kind
from tests.actors.kinds import make, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.devices.victron_modbus.actor import VictronModbus
    from actors.devices.victron_modbus.sim import Simulator

KIND = find_kind("victron_modbus")


@contextlib.asynccontextmanager
async def reading(sim: Simulator, state: Path, **settings: Any) -> AsyncIterator[VictronModbus]:
    """The actor, connected, after its first reading; its id is `dut`."""
    actor = cast("VictronModbus", make(KIND, settings_for(KIND, sim, **settings), state))
    async with actor.direct():
        await actor.read_all()
        yield actor


def balance(values: Any) -> float:
    """PV + grid + battery, W: what the load must be."""
    return float(values["PvPower"] + values["GridPower"] + values["BatteryPower"])
