"""Controls against a simulated GX: what they do, refuse, and leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.victron_modbus.controls import Ended, Objection
from actors.devices.victron_modbus.sim import Simulator
from bridge.control.entry import Mismatch
from bridge.errors import DeviceError, DeviceRefused
from tests.victron_modbus.gx import reading

if TYPE_CHECKING:
    from pathlib import Path

    from actors.devices.victron_modbus.actor import VictronModbus


async def battery(gx: VictronModbus) -> float:
    value = (await gx.read_once())["BatteryPower"]
    assert isinstance(value, float)
    return value


async def put(gx: VictronModbus, control: str, value: Any, device: str = "dut") -> Any:
    return await gx.write_control(control, value, device=device)


# ------------------------------------------------------------------------------ BatterySetpoint


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("watt", [3000.0, 250.0, 0.0, -1500.0, -4000.0])
async def test_the_battery_does_what_was_asked(tmp_path: Path, phases: int, watt: float) -> None:
    async with Simulator(phases=phases) as sim, reading(sim, tmp_path) as gx:
        assert await put(gx, "BatterySetpoint", watt) == watt
        assert await battery(gx) == pytest.approx(watt, abs=3.0)
        assert sim.house.mode == 3
        writes = [address for _, address, _ in sim.bank.writes]
        assert writes == [2902, 96]  # the mode once, all phases in one request
        assert len(sim.bank.writes[1][2]) == 2 * phases
        assert await put(gx, "BatterySetpoint", None) is None
        assert sim.house.mode == 1
        assert sim.bank.writes[2:] == [(228, 96, [0, 0] * phases), (100, 2902, [1])]
        assert await battery(gx) == pytest.approx(-2200.0, abs=3.0)


async def test_it_follows_load_and_sun_and_makes_up_for_losses(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.house.loss = 90.0
        await put(gx, "BatterySetpoint", 1000.0)
        sim.plant.load, sim.plant.pv = 4200.0, 500.0
        sim.tick()
        assert abs(await battery(gx) - 1000.0) > 500.0
        await put(gx, "BatterySetpoint", 1000.0)
        await put(gx, "BatterySetpoint", 1000.0)
        assert await battery(gx) == pytest.approx(1000.0, abs=20.0)
        assert [a for _, a, _ in sim.bank.writes].count(2902) == 1


async def test_what_nobody_repeats_ends_in_passthru_after_a_minute(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "BatterySetpoint", 2000.0)
        sim.forward(50.0)
        assert await battery(gx) == pytest.approx(2000.0, abs=3.0)
        await put(gx, "BatterySetpoint", 2000.0)
        sim.forward(59.0)
        assert await battery(gx) == pytest.approx(2000.0, abs=3.0)
        sim.forward(2.0)
        found = await gx.read_all()
        assert found["dut-vebus"]["InverterState"] == "passthrough"
        assert found["dut"]["BatteryPower"] == pytest.approx(-1200.0)  # the sun on the DC side
        assert gx.watchdog["BatterySetpoint"] <= 20.0


@pytest.mark.parametrize(
    ("change", "watt", "words"),
    [
        ({"min_soc": 60.0}, 500.0, "minimum of 60 %"),
        ({"allow_discharge": False}, 500.0, "BMS does not allow it to be discharged"),
        ({"allow_charge": False}, -500.0, "BMS does not allow it to be charged"),
        ({"battery_life": 6}, 500.0, "holding or raising"),
        ({"battery_life": 2, "soc_limit": 70.0}, 500.0, "minimum of 70 %"),
        ({"disable_charge": True}, -500.0, "charging is disabled"),
        ({"disable_feed_in": True}, 3000.0, "feeding in is disabled"),
        ({"max_discharge": 1000.0}, 3000.0, "above MaxDischargePower, which is 1000 W"),
        ({"active_input": 240}, 500.0, "the grid is away"),
        ({"switch": 4}, 500.0, "switched off"),
        ({"switch": 1}, 500.0, "charging only"),
    ],
)
async def test_the_battery_is_not_moved_against_its_guards(
    tmp_path: Path, change: dict[str, Any], watt: float, words: str
) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        for name, value in change.items():
            setattr(sim.house, name, value)
        with pytest.raises(Objection, match=words):
            await put(gx, "BatterySetpoint", watt)
        # Giving back what was never taken changes nothing.
        await put(gx, "BatterySetpoint", None)
        assert sim.bank.writes == []
        assert sim.house.mode == 1


async def test_a_guard_that_trips_later_ends_what_is_held(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "BatterySetpoint", 2000.0)
        sim.plant.soc = 9.0
        with pytest.raises(Ended, match="minimum of 10 %"):
            await put(gx, "BatterySetpoint", 2000.0)
        await put(gx, "BatterySetpoint", None)
        assert sim.house.mode == 1
        assert sim.plant.battery <= 0.0


async def test_an_owner_who_changes_the_mode_keeps_it(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "BatterySetpoint", 2000.0)
        sim.house.mode = 2
        with pytest.raises(Ended, match="changed on the GX"):
            await put(gx, "BatterySetpoint", 2000.0)
        writes = len(sim.bank.writes)
        await put(gx, "BatterySetpoint", None)
        assert (sim.house.mode, len(sim.bank.writes)) == (2, writes)


async def test_a_house_that_lives_in_mode_3_stays_there(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.house.mode = 3
        await put(gx, "BatterySetpoint", 2000.0)
        await put(gx, "BatterySetpoint", None)
        assert sim.house.mode == 3
        assert sim.house.setpoints == [0.0, 0.0, 0.0]
        assert 2902 not in {address for _, address, _ in sim.bank.writes}


async def test_after_a_crash_the_former_mode_is_put_back(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.house.mode = 2
        async with reading(sim, tmp_path) as gx:
            await put(gx, "BatterySetpoint", 2000.0)
        assert sim.house.mode == 3
        async with reading(sim, tmp_path) as gx:
            await put(gx, "BatterySetpoint", None)
        assert sim.house.mode == 2


async def test_without_a_battery_voltage_nothing_is_set(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.fault = "battery_gone"
        with pytest.raises(DeviceError, match="cannot be read"):
            await put(gx, "BatterySetpoint", 500.0)
        assert sim.bank.writes == []


async def test_an_inverter_that_goes_away_is_not_guessed_at(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.remove("vebus")
        with pytest.raises(DeviceError, match="cannot be read"):
            await put(gx, "BatterySetpoint", 500.0)


async def test_writes_that_are_ignored_or_refused_are_told(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.fault = "read_only"
        with pytest.raises(DeviceRefused, match="BatterySetpoint was not taken"):
            await put(gx, "BatterySetpoint", 500.0)
        await put(gx, "BatterySetpoint", None)
        sim.fault = "ignore_writes"
        with pytest.raises(Mismatch, match="was set to"):
            await put(gx, "BatterySetpoint", 500.0)


async def test_two_masters_are_noticed(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "BatterySetpoint", 500.0)
        told = sim.house.told

        def other(name: str, number: int) -> None:
            told(name, number)
            sim.house.setpoints[0] = 77.0

        sim.house.told = other  # type: ignore[method-assign]
        with pytest.raises(Mismatch, match="the device has 77"):
            await put(gx, "BatterySetpoint", 500.0)


# ------------------------------------------------------------------------------- AcInputSetpoint


async def test_who_regulates_himself_sets_each_phase_in_mode_3_only(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        with pytest.raises(Objection, match="set EssMode to external_control first"):
            await put(gx, "AcInputSetpointL2", -300.0)
        assert await put(gx, "EssMode", "external_control") == "external_control"
        for phase, watt in enumerate((100.0, -300.0, 0.0), 1):
            assert await put(gx, f"AcInputSetpointL{phase}", watt) == watt
        assert sim.house.setpoints == [100.0, -300.0, 0.0]
        assert (await gx.read_all())["dut-vebus"]["PowerL2"] == -300.0
        await put(gx, "AcInputSetpointL2", None)
        assert sim.house.setpoints == [100.0, 0.0, 0.0]
        assert sim.house.mode == 3


async def test_his_setpoints_do_not_empty_the_battery_either(tmp_path: Path) -> None:
    async with Simulator(phases=1) as sim, reading(sim, tmp_path) as gx:
        await put(gx, "EssMode", "external_control")
        sim.plant.soc, sim.plant.load = 9.0, 3000.0
        with pytest.raises(Objection, match="minimum of 10 %"):
            await put(gx, "AcInputSetpointL1", 0.0)
        assert await put(gx, "AcInputSetpointL1", 2500.0) == 2500.0


async def test_one_control_at_a_time_holds_the_setpoints(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "BatterySetpoint", 500.0)
        for control, value in (("AcInputSetpointL1", 100.0), ("EssMode", "individual_phases")):
            with pytest.raises(DeviceError, match="while BatterySetpoint is held"):
                await put(gx, control, value)
        await put(gx, "BatterySetpoint", None)
        await put(gx, "EssMode", "external_control")
        await put(gx, "AcInputSetpointL1", 100.0)
        with pytest.raises(DeviceError, match="while AcInputSetpointL1 is held"):
            await put(gx, "BatterySetpoint", 500.0)


async def test_there_are_setpoints_for_the_phases_that_there_are(tmp_path: Path) -> None:
    async with Simulator(phases=1) as sim, reading(sim, tmp_path) as gx:
        offered = set(gx._served["dut"].recipes)
    assert "AcInputSetpointL1" in offered
    assert "AcInputSetpointL2" not in offered


# ------------------------------------------------------------------------------------ the others


async def test_the_grid_setpoint_is_lent_and_given_back(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.house.grid_setpoint = 50.0
        async with reading(sim, tmp_path) as gx:
            assert await put(gx, "GridSetpoint", -700.0) == -700.0
            grid = (await gx.read_once())["GridPower"]
            assert grid == pytest.approx(-700.0, abs=3.0)
        async with reading(sim, tmp_path) as gx:  # also by the next life
            await put(gx, "GridSetpoint", None)
            assert sim.house.grid_setpoint == 50.0
            with pytest.raises(DeviceError, match="not between -32767 and 32766 W"):
                await put(gx, "GridSetpoint", 40_000.0)


async def test_mode_3_follows_no_grid_setpoint(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "EssMode", "external_control")
        with pytest.raises(DeviceError, match="follows no grid setpoint: set EssMode"):
            await put(gx, "GridSetpoint", 100.0)


async def test_a_held_grid_setpoint_survives_a_battery_setpoint(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await put(gx, "GridSetpoint", 300.0)
        await put(gx, "BatterySetpoint", 500.0)
        await put(gx, "GridSetpoint", None)
        await put(gx, "BatterySetpoint", None)
        assert (sim.house.grid_setpoint, sim.house.mode) == (0.0, 1)


async def test_limits_are_set_and_shown(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        served = gx._served["dut"]
        unlimited = [served.state(c) for c in ("MaxChargeCurrent", "MaxDischargePower")]
        assert unlimited == [None, None]
        assert await put(gx, "MinSoc", 35.0) == 35.0
        assert await put(gx, "MaxChargeCurrent", 20.0) == 20.0
        assert await put(gx, "MaxDischargePower", 0.0) == 0.0
        assert await put(gx, "ExportLimit", 1234.0) == 1234.0
        house = sim.house
        assert (house.min_soc, house.max_charge_current) == (35.0, 20.0)
        assert (house.max_discharge, house.max_feed_in) == (0.0, 1234.0)
        assert await battery(gx) == pytest.approx(-1040.0)  # 20 A at 52 V
        with pytest.raises(DeviceError, match="between"):
            await put(gx, "MinSoc", 101.0)


async def test_flash_is_written_fifty_times_a_day_and_given_back_always(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, daily_writes=3) as gx:
        for watt in (100.0, 200.0, 300.0, 300.0):
            await put(gx, "GridSetpoint", watt)
        with pytest.raises(DeviceError, match="kept in flash and was written 3 times today"):
            await put(gx, "GridSetpoint", 400.0)
        await put(gx, "GridSetpoint", None)
        assert sim.house.grid_setpoint == 0.0
        for _ in range(5):  # repeating a battery setpoint writes no flash
            await put(gx, "BatterySetpoint", 500.0)
        assert gx._budget.counts["dut/settings_settings_cgwacs_hub4_mode"] == 1


async def test_the_ev_charger_is_lent_and_given_back(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        ev = "dut-ev1"
        assert await put(gx, "ChargeEnable", True, ev) is True
        assert await put(gx, "ChargeCurrent", 8.0, ev) == 8.0
        assert await put(gx, "ChargeMode", "eco", ev) == "eco"
        sim.tick()
        found = (await gx.read_all())[ev]
        assert (found["VehicleState"], found["Power"]) == ("charging", 1840.0)
        assert (sim.house.ev_mode, found["ChargingCurrent"]) == (1, 8.0)
        for control in ("ChargeEnable", "ChargeCurrent", "ChargeMode"):
            await put(gx, control, None, ev)
        assert (sim.house.ev_start, sim.house.ev_current, sim.house.ev_mode) == (False, 10.0, 0)
        entry = gx.control_entry("ChargeCurrent", ev)
        assert (entry.min, entry.max) == (6.0, 16.0)
        assert gx.control_entry("ChargeMode", ev).options == ("manual", "eco", "scheduled")


@pytest.mark.parametrize(("phases", "most"), [(1, 10_000), (3, 30_000)])
async def test_a_setpoint_is_bounded_by_the_inverters_peak_power(
    tmp_path: Path, phases: int, most: int
) -> None:
    async with Simulator(phases=phases) as sim, reading(sim, tmp_path) as gx:
        entry = gx.control_entry("BatterySetpoint", "dut")
        assert (entry.min, entry.max) == (-most, most)
        words = f"^BatterySetpoint {most + 1} W is not between -{most} and {most} W$"
        with pytest.raises(DeviceError, match=words):
            await put(gx, "BatterySetpoint", most + 1.0)
        assert sim.bank.writes == []


async def test_without_a_nominal_power_the_bound_is_that_of_the_largest_system(
    tmp_path: Path,
) -> None:
    async with Simulator(old=True, phases=1) as sim, reading(sim, tmp_path) as gx:
        entry = gx.control_entry("BatterySetpoint", "dut")
        assert (entry.min, entry.max) == (-32_000, 32_000)
        sim.plant.load = 40_000.0
        sim.tick()
        with pytest.raises(
            DeviceError, match="BatterySetpoint -10000 W needs more at the AC input"
        ):
            await put(gx, "BatterySetpoint", -10_000.0)
        assert sim.bank.writes == []
