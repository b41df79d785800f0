"""What one who publishes plain values becomes: one coherent reading for each burst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.external.actor import External, Settings
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    return VIRTUAL


async def test_values_that_arrive_together_are_one_reading(tmp_path: Path) -> None:
    wire, actor = Wire(), External(context(tmp_path, "ess", Settings()))
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, "Devices/ess/GridPower", b"-3000")
        hear(actor, "Devices/ess/BatteryPower", b"0")
        await anyio.sleep(0.01)
        hear(actor, "Devices/ess/GridPower", b"0")
        hear(actor, "Devices/ess/BatteryPower", b"-3000")
        hear(actor, "Devices/ess/Nonsense", b"1")
        await anyio.sleep(0.01)
    assert len(wire.of("Devices/ess/State")) == 2
    found = wire.json("Devices/ess/State")
    assert (found["GridPower"], found["BatteryPower"]) == (0, -3000)


async def test_a_state_of_its_own_is_left_alone(tmp_path: Path) -> None:
    wire, actor = Wire(), External(context(tmp_path, "ess", Settings()))
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, "Devices/ess/GridPower", b"-3000")
        hear(actor, "Devices/ess/State", b'{"GridPower": -3000}')
        hear(actor, "Devices/ess/BatteryPower", b"5")
        await anyio.sleep(1)
        assert wire.of("Devices/ess/State") == []
        assert wire.last("Devices/ess/Status") == "online"
        await anyio.sleep(61)
        hear(actor, "Devices/ess/GridPower", b"-2000")
        await anyio.sleep(0.01)
    assert wire.json("Devices/ess/State")["GridPower"] == -2000
