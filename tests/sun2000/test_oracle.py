"""The simulated inverter as seen by huawei-solar, which Home Assistant uses for real ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.sun2000.actor import Sun2000
from actors.devices.sun2000.sim import Simulator
from actors.devices.sun2000.simulated import SCHEDULE, TOU
from actors.devices.sun2000.tou import periods
from tests.sun2000.helpers import at_work, put
from tests.support.oracle import ask_oracle, oracle_python

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT = Path(__file__).parents[1] / "oracles" / "huawei_solar_check.py"
TABLE = Sun2000.map()
LUNA_TOU = "storage_huawei_luna2000_time_of_use_charging_and_discharging_periods"
# It tells these in words of its own, which are compared one by one.
IN_WORDS = {"state_1", "state_2", "state_3", "device_status", TOU}
HOUSES: Mapping[str, dict[str, float]] = {
    "noon": {},
    "evening": {"pv": 150.0, "load": 2345.0, "soc": 71.3},
    "forced": {"pv": 0.0, "load": 100.0, "soc": 40.0, "setpoint": -4321.0},
    "exporting": {"pv": 9999.0, "load": 1.0, "soc": 100.0},
}

# The first run installs huawei-solar, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def huawei_solar() -> Path:
    return oracle_python(["huawei-solar==2.5.0"])


async def read(python: Path, sim: Simulator, *more: str) -> dict[str, Any]:
    names = [row.name for row in TABLE.registers]
    place = (sim.host, str(sim.port), str(sim.number))
    seen = await ask_oracle(python, SCRIPT, *place, "read", *names, *more)
    assert seen["strange"] == [], "every row of the table has its name there"
    values: dict[str, Any] = seen["values"]
    assert len(values) == len(TABLE.registers) + len(more)
    return values


def compare(sim: Simulator, theirs: Mapping[str, Any]) -> None:
    """Both understand every register in the same way, from the same words."""
    for row in TABLE.registers:
        name, value, ours = row.name, theirs[row.name], sim.unit[row.name]
        if name in IN_WORDS:
            continue
        if row.enum and ours is not None:
            ours = sim.unit.raw(name)
        if isinstance(ours, str | None):
            assert (value or None) == ours, name
        else:
            assert value == pytest.approx(ours, abs=1e-9), name


@pytest.mark.parametrize("house", HOUSES)
async def test_both_read_the_same(huawei_solar: Path, house: str) -> None:
    async with Simulator() as sim:
        for name, value in HOUSES[house].items():
            if name == "setpoint":
                sim.unit["storage_forcible_charge_power"] = -value
                sim.unit["storage_forced_charging_and_discharging_period"] = 5
                sim.unit["storage_charge_from_grid_function"] = "enabled"
                sim.unit["forcible_charge_discharge_write"] = "charge"
            else:
                setattr(sim.plant, name, value)
        # Numbers that run on while it reads would differ by a digit.
        sim.forward(0)
        sim.speed = 0.0
        theirs = await read(huawei_solar, sim, LUNA_TOU)
        compare(sim, theirs)
        assert theirs["device_status"] == "On-grid"
        assert theirs["state_1"] == ["Grid-Connected", "Grid-Connected normally"]
        assert theirs["grid_exported_energy"] > 0
        if house == "forced":
            assert theirs["storage_charge_discharge_power"] == 4321
    tou = periods(SCHEDULE)
    assert [each[:2] for each in theirs[LUNA_TOU]] == [[each.start, each.end] for each in tou]
    for each, period in zip(theirs[LUNA_TOU], tou, strict=True):
        assert each[2] == ("charge", "discharge").index(period.direction)
        week = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
        days = tuple(day for day, on in zip(week, each[3], strict=True) if on)
        assert days == period.days


@pytest.mark.parametrize("lacks", ["night", "battery", "meter"])
async def test_both_find_the_same_unknown(huawei_solar: Path, lacks: str) -> None:
    async with Simulator(battery=lacks != "battery", meter=lacks != "meter") as sim:
        sim.fault = "night" if lacks == "night" else None
        sim.speed = 0.0
        theirs = await read(huawei_solar, sim)
        compare(sim, theirs)
    unknown = [name for name, value in theirs.items() if value is None]
    assert len(unknown) > 15
    assert ("active_power" in unknown) == (lacks == "night")
    assert ("storage_charge_discharge_power" in unknown) == (lacks == "battery")


async def test_both_command_it_alike(huawei_solar: Path, tmp_path: Path) -> None:
    """What huawei-solar writes for a forced discharge is what we write."""
    async with Simulator() as sim:
        place = (sim.host, str(sim.port), str(sim.number))
        steps = (
            "storage_forcible_charge_discharge_setting_mode=0",
            "storage_forced_charging_and_discharging_period=2",
            "storage_forcible_discharge_power=1750",
            "forcible_charge_discharge_write=2",
        )
        sim.unit["storage_forcible_charge_discharge_setting_mode"] = "by_target_soc"
        done = await ask_oracle(huawei_solar, SCRIPT, *place, "write", *steps)
        assert set(done["done"].values()) == {True}
        assert sim.plant.battery == 1750
        theirs = sim.bank.writes
        sim.forward(121)
        assert sim.plant.battery == -2200
        sim.unit["storage_forcible_charge_discharge_setting_mode"] = "by_target_soc"
        sim.unit["storage_forced_charging_and_discharging_period"] = 0
        sim.unit["storage_forcible_discharge_power"] = 0
        async with at_work(sim, tmp_path) as actor:
            await put(actor, "BatterySetpoint", 1750)
            assert sim.bank.writes == theirs
            await put(actor, "BatterySetpoint", None)


async def test_both_are_told_that_a_login_is_missing(huawei_solar: Path) -> None:
    async with Simulator() as sim:
        sim.fault = "denied"
        place = (sim.host, str(sim.port), str(sim.number))
        done = await ask_oracle(huawei_solar, SCRIPT, *place, "write", "time_zone=60")
        assert done == {"done": {}, "refused": "PermissionDenied"}
