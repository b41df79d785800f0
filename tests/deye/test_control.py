"""Telling a Deye's battery what to do, and giving everything back as it was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.deye.recipes import POWERS, SOCS, SOURCES
from actors.devices.deye.sim import Simulator
from bridge.errors import DeviceError
from bridge.simulators.plant import Plant
from tests.deye.parts import reading, without_clock, written

if TYPE_CHECKING:
    from pathlib import Path

MAPS = ("sg04lp3", "sg0xlp1")
SCHEDULE = (
    "00:00 3000W 80% grid; 06:00 3000W 30%; 09:30 3000W 30%; "
    "13:00 3000W 60%; 17:00 3000W 20%; 21:00 3000W 40%"
)


def house() -> Plant:
    return Plant(pv=2000.0, load=1500.0, soc=55.0)


def simulated(**more: Any) -> Simulator:
    return Simulator(plant=house(), **more)


@pytest.mark.parametrize("path", ["modbus", "solarman"])
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("watts", [3000.0, -3000.0, 0.0, 400.0, -400.0])
async def test_a_setpoint_moves_the_battery_and_is_given_back(
    name: Any, path: str, watts: float, tmp_path: Path
) -> None:
    sim = simulated(map=name, transport=path)
    async with sim, reading(sim, tmp_path) as actor:
        before = without_clock(sim)
        found = await actor.write_control("BatterySetpoint", watts, device="dut")
        assert found == watts
        # The current counts in whole amperes, about 52 W each.
        assert sim.plant.battery == pytest.approx(watts, abs=27)
        reading_now = await actor.read_once()
        assert reading_now["BatteryPower"] == pytest.approx(watts, abs=27)
        assert without_clock(sim) != before
        assert await actor.write_control("BatterySetpoint", None, device="dut") is None
        assert without_clock(sim) == before
    assert sim.plant.battery == pytest.approx(-500, abs=1)
    assert {function for _, function, _, more in sim.bank.log if isinstance(more, list)} == {16}


@pytest.mark.parametrize("watts", [3000.0, -3000.0])
async def test_it_does_the_same_at_any_time_and_on_any_day(watts: float, tmp_path: Path) -> None:
    sim = simulated()
    sim.plant.capacity = 100_000_000.0
    async with sim, reading(sim, tmp_path) as actor:
        await actor.write_control("BatterySetpoint", watts, device="dut")
        for _ in range(40):
            sim.forward(4.7 * 3600)
            assert sim.plant.battery == pytest.approx(watts, abs=27)


async def test_from_one_direction_to_the_other_and_back(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        before = without_clock(sim)
        for watts in (2000.0, -1500.0, 0.0, -2500.0, 3500.0, 0.0, 1000.0):
            assert await actor.write_control("BatterySetpoint", watts, device="dut") == watts
            assert sim.plant.battery == pytest.approx(watts, abs=27)
        await actor.write_control("BatterySetpoint", None, device="dut")
        assert without_clock(sim) == before


async def test_the_bits_beside_the_source_are_never_touched(tmp_path: Path) -> None:
    sim = simulated()
    places = [sim.table[row].address for row in SOURCES]
    for number, place in enumerate(places):
        sim.rows.words[place] = (0x40 | number << 3) & ~3
    async with sim, reading(sim, tmp_path) as actor:
        others = [sim.rows.words[place] & ~3 for place in places]
        for value in (2000.0, -2000.0, None):
            await actor.write_control("BatterySetpoint", value, device="dut")
            assert [sim.rows.words[place] & ~3 for place in places] == others
            wanted = {2000.0: 0, -2000.0: 1, None: 0}[value]
            assert [sim.rows.words[place] & 3 for place in places] == [wanted] * 6


async def test_one_write_for_each_run_of_addresses(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        sim.bank.log.clear()
        await actor.write_control("BatterySetpoint", 2000.0, device="dut")
        assert written(sim) == [(108, 2), (146, 1), (154, 6), (166, 12)]
        sim.bank.log.clear()
        await actor.write_control("BatterySetpoint", 2500.0, device="dut")
        assert written(sim) == [(154, 6)]
        sim.bank.log.clear()
        await actor.write_control("BatterySetpoint", -2500.0, device="dut")
        assert written(sim) == [(108, 2), (128, 1), (130, 1), (166, 12)]
        sim.bank.log.clear()
        await actor.write_control("BatterySetpoint", None, device="dut")
        # The schedule first, so that no slot of ours meets the owner's currents.
        assert written(sim) == [(146, 1), (154, 6), (166, 12), (108, 2), (128, 1), (130, 1)]


async def test_0_w_leaves_the_schedule_alone(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        sim.bank.log.clear()
        await actor.write_control("BatterySetpoint", 0.0, device="dut")
        assert written(sim) == [(108, 2)]
        assert sim.plant.battery == 0
        sim.plant.pv = 0.0
        sim.forward(1)
        assert sim.plant.battery == 0


# ------------------------------------------------------------------------------- flash


@pytest.mark.parametrize("first", [2000.0, -2000.0])
async def test_small_moves_are_not_written(first: float, tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path, setpoint_step=150) as actor:
        await actor.write_control("BatterySetpoint", first, device="dut")
        sim.bank.log.clear()
        sim.plant.soc = 70.0  # and with it the voltage
        for near in (first, first + 149, first - 149):
            assert await actor.write_control("BatterySetpoint", near, device="dut") == first
        assert written(sim) == []
        moved = first + 150
        assert await actor.write_control("BatterySetpoint", moved, device="dut") == moved
        assert written(sim) != []
        assert actor.tolerance["BatterySetpoint"] == 150


async def test_a_move_to_0_is_always_written(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path, setpoint_step=5000) as actor:
        await actor.write_control("BatterySetpoint", 90.0, device="dut")
        assert await actor.write_control("BatterySetpoint", 0.0, device="dut") == 0.0
        assert sim.plant.battery == 0
        assert await actor.write_control("BatterySetpoint", -90.0, device="dut") == -90.0


async def test_the_flash_has_its_limit_and_giving_back_is_exempt(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path, daily_writes=3) as actor:
        before = without_clock(sim)
        for watts in (1000.0, 1200.0, 1400.0):
            await actor.write_control("BatterySetpoint", watts, device="dut")
        with pytest.raises(DeviceError, match="kept in flash and was written 3 times today"):
            await actor.write_control("BatterySetpoint", 1600.0, device="dut")
        await actor.write_control("BatterySetpoint", None, device="dut")
        assert without_clock(sim) == before


# ------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("rows", "watts", "sentence"),
    [
        ({}, 12_001.0, "is not between -12000 and 12000 W"),
        ({}, -12_001.0, "is not between"),
        ({"battery_max_charge_current": 50}, -3000.0, "may charge with 50 A at most"),
        ({"battery_max_discharge_current": 50}, 3000.0, "may discharge with 50 A at most"),
        ({"battery_mode": "voltage"}, 1000.0, "by its voltage"),
        ({"battery_mode": "none"}, 1000.0, "has no battery"),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_written(
    rows: dict[str, Any], watts: float, sentence: str, tmp_path: Path
) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        sim.rows.put(rows)
        sim.bank.log.clear()
        with pytest.raises(DeviceError, match=sentence):
            await actor.write_control("BatterySetpoint", watts, device="dut")
        assert written(sim) == []


async def test_the_owners_limits_hold_also_after_0_w(tmp_path: Path) -> None:
    sim = simulated()
    sim.rows["battery_max_charge_current"] = 50
    async with sim, reading(sim, tmp_path) as actor:
        await actor.write_control("BatterySetpoint", 0.0, device="dut")
        with pytest.raises(DeviceError, match="may charge with 50 A at most"):
            await actor.write_control("BatterySetpoint", -3000.0, device="dut")
        assert await actor.write_control("BatterySetpoint", -2000.0, device="dut") == -2000.0


async def test_a_device_that_ignores_writes_is_noticed(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        sim.fault = "ignore_writes"
        with pytest.raises(DeviceError, match="but the device has"):
            await actor.write_control("BatterySetpoint", 1000.0, device="dut")


async def test_other_controls_of_the_same_registers_wait(tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        await actor.write_control("BatterySetpoint", 1000.0, device="dut")
        for control, value in (
            ("BatteryMode", "hold"),
            ("MaxChargeCurrent", 30.0),
            ("TimeOfUse", True),
            ("GridCharge", True),
            ("Schedule", SCHEDULE),
        ):
            with pytest.raises(DeviceError, match="BatterySetpoint is held"):
                await actor.write_control(control, value, device="dut")
        await actor.write_control("MinSoc", 20.0, device="dut")
        await actor.write_control("BatterySetpoint", None, device="dut")
        await actor.write_control("MaxChargeCurrent", 30.0, device="dut")


async def test_a_new_start_gives_back_what_a_crash_left_behind(tmp_path: Path) -> None:
    sim = simulated()
    async with sim:
        async with reading(sim, tmp_path) as actor:
            before = without_clock(sim)
            await actor.write_control("BatterySetpoint", -3000.0, device="dut")
        # Nothing was given back: the actor is gone, its notes are on disk.
        assert without_clock(sim) != before
        async with reading(sim, tmp_path) as actor:
            await actor.write_control("BatterySetpoint", None, device="dut")
        assert without_clock(sim) == before


# ------------------------------------------------------------------------------- modes


@pytest.mark.parametrize(
    ("word", "sunny", "dark"),
    [
        ("hold", -500, 0),
        # The owner's 120 A of charge and 140 A of discharge at 51.65 V, at most the rated power.
        ("charge", -6198, -6198),
        ("discharge", 7231, 7231),
    ],
)
async def test_modes(word: str, sunny: float, dark: float, tmp_path: Path) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        before = without_clock(sim)
        assert await actor.write_control("BatteryMode", word, device="dut") == word
        assert sim.plant.battery == pytest.approx(sunny, abs=30)
        sim.plant.pv = 0.0
        sim.forward(0.001)
        assert sim.plant.battery == pytest.approx(dark, abs=30)
        await actor.write_control("BatteryMode", None, device="dut")
        assert without_clock(sim) == before


async def test_a_discharge_ends_at_the_floor_and_charges_nothing(tmp_path: Path) -> None:
    sim = simulated()
    sim.plant.soc = 15.8
    async with sim, reading(sim, tmp_path) as actor:
        await actor.write_control("BatterySetpoint", 3000.0, device="dut")
        assert {sim.rows[row] for row in SOCS} == {15.0}
        sim.forward(60)
        assert sim.plant.battery > 0
        sim.forward(60)
        assert sim.plant.battery == 0
        assert {sim.rows[row] for row in POWERS} == {3000.0}


async def test_without_export_the_house_is_the_limit(tmp_path: Path) -> None:
    sim = simulated()
    sim.plant.pv = 0.0
    sim.rows["work_mode"] = "zero_export_to_ct"
    async with sim, reading(sim, tmp_path) as actor:
        assert await actor.write_control("BatterySetpoint", 3000.0, device="dut") == 3000.0
        assert sim.plant.battery == 1480


# ------------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(
    ("control", "value", "row", "there"),
    [
        ("WorkMode", "zero_export_to_ct", "work_mode", "zero_export_to_ct"),
        ("ExportLimit", 1500.0, "max_sell_power", 1500),
        ("ZeroExportPower", -20.0, "zero_export_power", -20),
        ("GridCharge", True, "grid_charge_enable", "on"),
        ("GridChargeCurrent", 33.0, "grid_charge_current", 33),
        ("MaxChargeCurrent", 44.0, "battery_max_charge_current", 44),
        ("MaxDischargeCurrent", 55.0, "battery_max_discharge_current", 55),
        ("MinSoc", 12.0, "battery_shutdown_soc", 12),
        ("TimeOfUse", True, "tou_enable", "on"),
        ("Schedule", SCHEDULE, "tou3_start", "09:30"),
    ],
)
async def test_settings_are_kept_and_read_back(
    name: Any, control: str, value: Any, row: str, there: Any, tmp_path: Path
) -> None:
    sim = simulated(map=name)
    async with sim, reading(sim, tmp_path) as actor:
        sim.bank.log.clear()
        assert await actor.write_control(control, value, device="dut") == value
        assert sim.rows[row] == there
        days = sim.rows.words[sim.table["tou_enable_days"].address]
        assert days == (0xFF if control == "TimeOfUse" else 0xFE)
        assert sim.rows.words[sim.table["tou1_charge_source"].address] & ~3 == 0x24
        assert all(function in {3, 16} for _, function, _, _ in sim.bank.log)


@pytest.mark.parametrize(
    ("control", "value", "sentence"),
    [
        ("ZeroExportPower", 501.0, "not between -20 and 500 W"),
        ("GridChargeCurrent", 186.0, "not between 0 and 185 A"),
        ("MaxChargeCurrent", 241.0, "not between 0 and 240 A"),
        ("WorkMode", "sell_everything", "is not one of export_first"),
        ("Schedule", "00:00 1W 1%", "has 6 slots"),
    ],
)
async def test_settings_out_of_range(
    control: str, value: Any, sentence: str, tmp_path: Path
) -> None:
    sim = simulated()
    async with sim, reading(sim, tmp_path) as actor:
        sim.bank.log.clear()
        with pytest.raises(DeviceError, match=sentence):
            await actor.write_control(control, value, device="dut")
        assert written(sim) == []


async def test_a_schedule_in_other_words_is_taken(tmp_path: Path) -> None:
    sim = simulated()
    loose = SCHEDULE.replace("06:00 3000W", "6:00  3000 w")
    async with sim, reading(sim, tmp_path) as actor:
        sim.bank.log.clear()
        assert await actor.write_control("Schedule", loose, device="dut") == loose
        assert written(sim) == [(148, 12)]  # charges and sources are as they were
        sim.bank.log.clear()
        assert await actor.write_control("Schedule", SCHEDULE, device="dut") == SCHEDULE
        assert written(sim) == []
