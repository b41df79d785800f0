"""The actor at the simulated inverter: what it finds, sets, gives back and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actors.devices.sun2000.actor import Settings, Sun2000
from actors.devices.sun2000.sim import Simulator
from bridge.control.entry import Mismatch
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from bridge.modbus.wire import BUSY
from bridge.registers.plan import bound
from tests.sun2000.helpers import FORCED, actor_at, at_work, put, written
from tests.sun2000.test_table import CLASSES, ONE_BY_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.registers.model import Value

OWNED = (
    *("storage_maximum_charging_power", "storage_maximum_discharging_power"),
    *("storage_charge_from_grid_function", "storage_forcible_charge_discharge_setting_mode"),
    *("storage_forced_charging_and_discharging_period", "forcible_charge_discharge_write"),
)
OWNERS: Mapping[str, float | str] = {
    "storage_maximum_charging_power": 3000,
    "storage_maximum_discharging_power": 2500,
    "storage_charge_from_grid_function": "disabled",
    "storage_forcible_charge_discharge_setting_mode": "by_target_soc",
    "storage_forced_charging_and_discharging_period": 30,
    "forcible_charge_discharge_write": "stop",
}


def settings_of(sim: Simulator) -> dict[str, Value | None]:
    return {name: sim.unit[name] for name in OWNED}


# ------------------------------------------------------------------------------------- finding out


async def test_a_reading_has_our_signs_and_is_in_balance(tmp_path: Path) -> None:
    async with Simulator(losses=0.02) as sim:
        sim.plant.pv, sim.plant.load, sim.plant.soc = 1200.0, 9000.0, 60.0
        async with at_work(sim, tmp_path) as actor:
            found = dict(await actor.read_once())
            pv, grid, battery, load = (
                found[name] for name in ("PvPower", "GridPower", "BatteryPower", "LoadPower")
            )
            assert (pv, battery) == (1200, 5000)
            assert isinstance(grid, float)
            assert found["InverterPower"] == 6076
            assert grid == 2924
            # What the inverter loses counts as load.
            assert load == 1200 + 5000 + 2924 == 9124
            assert found["GridExportEnergy"] == pytest.approx(654, abs=0.01)


async def test_a_whole_poll_takes_few_requests(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = actor_at(sim, tmp_path)
        async with actor.direct():
            await actor.read_once()
            registers = actor.registers["dut"]
            rows = [row for name in CLASSES for row in registers.polled[name]]
            # Two questions came before: for the rating, and for a battery.
            polled = len(sim.bank.reads) - 2
            assert polled == registers.requests <= bound(rows, registers.table.limits) < 12
            assert all(count <= 64 for _, _, count in sim.bank.reads)
            print(f"sun2000: {polled} requests a poll, one by one {ONE_BY_ONE}")
            sim.bank.log.clear()
            await actor.read_once()
            assert len(sim.bank.reads) == 4


@pytest.mark.parametrize("unit", [0, 1])
async def test_the_unit_that_answers_is_found(tmp_path: Path, unit: int) -> None:
    async with Simulator(unit=unit) as sim, at_work(sim, tmp_path, timeout=0.3) as actor:
        await put(actor, "BatterySetpoint", 700)
        assert {each for each, *_ in sim.bank.log} == {unit}
        assert sim.plant.battery == 700
        # It is known from now on: no other unit is asked again.
        before = actor.link.stats.failures
        await actor.identify()
        assert actor.link.stats.failures == before


async def test_a_unit_that_is_set_is_the_only_one_asked(tmp_path: Path) -> None:
    async with Simulator(unit=0) as sim:
        actor = actor_at(sim, tmp_path, unit=1, timeout=0.2)
        async with actor.direct():
            with pytest.raises(DeviceTimeout, match="did not answer"):
                await actor.read_once()
            assert actor.link.stats.requests == 1


def test_nobody_is_asked_at_unit_0_of_a_serial_line(tmp_path: Path) -> None:
    sim = Simulator()
    assert actor_at(sim, tmp_path)._candidates() == (1, 0)
    assert actor_at(sim, tmp_path, transport="rtu_over_tcp")._candidates() == (1,)
    assert actor_at(sim, tmp_path, transport="rtu_over_tcp", unit=3)._candidates() == (3,)


def test_the_dongle_gets_its_pauses(tmp_path: Path) -> None:
    sim = Simulator()
    pauses = Sun2000.pacing(actor_at(sim, tmp_path, connect_delay=1.25))
    assert (pauses.between, pauses.after_connect) == (0.05, 1.25)
    assert (Settings(host="h").connect_delay, Settings(host="h").timeout) == (1.5, 10.0)


async def test_a_first_question_that_is_lost_is_asked_again(tmp_path: Path) -> None:
    async with Simulator(deaf=0.3) as sim:
        async with at_work(sim, tmp_path, connect_delay=0.4):
            assert sim.bank.log == []
        early = actor_at(sim, tmp_path, connect_delay=0.0, timeout=0.2)
        async with early.direct():
            with pytest.raises(DeviceTimeout):
                await early.read_once()


async def test_without_a_battery_nothing_of_it_is_known_or_offered(tmp_path: Path) -> None:
    async with Simulator(battery=False) as sim, at_work(sim, tmp_path) as actor:
        found = dict(await actor.read_once())
        assert {value for name, value in found.items() if name.startswith("Battery")} == {None}
        assert found["LoadPower"] == 800
        assert actor.bound[0].controls == ("ExportLimit",)
        with pytest.raises(DeviceError, match="has no control BatterySetpoint"):
            await put(actor, "BatterySetpoint", 100)
        assert written(sim) == []


async def test_a_battery_that_turns_up_later_is_offered(tmp_path: Path) -> None:
    async with Simulator(battery=False) as sim, at_work(sim, tmp_path) as actor:
        sim.unit["storage_rated_capacity"] = 10_000
        actor.registers["dut"]._slow_at = None
        await actor.read_once()
        assert dict(await actor.read_once())["BatteryCapacity"] == 10_000
        assert "BatterySetpoint" in (actor.bound[0].controls or ())


async def test_without_a_meter_the_grid_is_unknown(tmp_path: Path) -> None:
    async with Simulator(meter=False) as sim, at_work(sim, tmp_path) as actor:
        found = dict(await actor.read_once())
        assert found["PvPower"] == 3000
        assert (found["GridPower"], found["GridPowerL1"], found["LoadPower"]) == (None, None, None)


async def test_unconfirmed_rows_are_read_on_request_only(tmp_path: Path) -> None:
    async with Simulator() as sim:
        async with at_work(sim, tmp_path) as actor:
            assert not any(name.startswith("PvString") for name in await actor.read_once())
        async with at_work(sim, tmp_path, unconfirmed=True) as actor:
            found = dict(await actor.read_once())
            assert found["PvString1Voltage"] == 400
            assert found["PvString1Power"] == pytest.approx(1500, rel=0.01)
            assert found["BatteryCurrent"] == pytest.approx(-2200 / 755.5, abs=0.06)
            sim.unit["meter_status"] = "offline"
            assert (
                actor.refine("dut", {"GridPower": 5.0}, {"meter_status": "offline"})["GridPower"]
                is None
            )


# ----------------------------------------------------------------------------------------- setting


async def test_a_discharge_is_forced_and_given_back(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.unit.put(OWNERS)
        async with at_work(sim, tmp_path) as actor:
            assert await put(actor, "BatterySetpoint", 1500) == 1500
            assert sim.plant.battery == 1500
            assert dict(await actor.read_once())["BatteryPower"] == 1500
            assert written(sim) == [(47246, [0]), (47083, [2]), (47249, [0, 1500]), (FORCED, [2])]
            await put(actor, "BatterySetpoint", None)
            assert settings_of(sim) == OWNERS
            assert sim.plant.setpoint is None


async def test_a_charge_takes_from_the_grid_and_gives_back_that_it_may_not(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.unit.put(OWNERS)
        sim.plant.pv, sim.plant.load = 0.0, 500.0
        async with at_work(sim, tmp_path) as actor:
            await put(actor, "BatterySetpoint", -1200)
            assert sim.plant.battery == -1200
            assert written(sim)[-1] == (FORCED, [1])
            assert (47087, [1]) in written(sim)
            # A discharge after it does not want the grid.
            await put(actor, "BatterySetpoint", 800)
            assert sim.unit["storage_charge_from_grid_function"] == "disabled"
            await put(actor, "BatterySetpoint", None)
            assert settings_of(sim) == OWNERS


async def test_0_w_means_0_w_and_what_follows_is_free_again(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.unit.put(OWNERS)
        async with at_work(sim, tmp_path) as actor:
            await put(actor, "BatterySetpoint", 900)
            await put(actor, "BatterySetpoint", 0)
            assert sim.plant.battery == 0
            assert sim.forced is None
            sim.plant.pv, sim.plant.load = 0.0, 3000.0
            sim.forward(1)
            assert sim.plant.battery == 0
            await put(actor, "BatterySetpoint", 1100)
            assert sim.plant.battery == 1100
            assert sim.unit["storage_maximum_charging_power"] == 3000
            await put(actor, "BatterySetpoint", 0)
            await put(actor, "BatterySetpoint", None)
            assert settings_of(sim) == OWNERS


async def test_a_refresh_starts_the_minutes_anew(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        assert actor.watchdog["BatterySetpoint"] == actor.watchdog["BatteryMode"] == 120
        await put(actor, "BatterySetpoint", 600)
        sim.forward(110)
        sim.bank.log.clear()
        await put(actor, "BatterySetpoint", 600)
        assert written(sim) == [(47083, [2]), (FORCED, [2])]
        sim.forward(110)
        assert sim.plant.battery == 600
        sim.forward(20)
        assert sim.forced is None, "without refreshes it ends by itself"


@pytest.mark.parametrize(
    ("mode", "battery"), [("hold", 0.0), ("charge", -5000.0), ("discharge", 5000.0)]
)
async def test_modes(tmp_path: Path, mode: str, battery: float) -> None:
    async with Simulator() as sim:
        sim.plant.pv, sim.plant.load = 0.0, 700.0
        async with at_work(sim, tmp_path) as actor:
            before = settings_of(sim)
            assert await put(actor, "BatteryMode", mode) == mode
            assert sim.plant.battery == battery
            await put(actor, "BatteryMode", None)
            assert settings_of(sim) == before
            assert sim.plant.battery == 700


async def test_held_is_not_locked_the_sun_may_charge(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        await put(actor, "BatteryMode", "hold")
        assert sim.plant.battery == -2200


async def test_two_controls_do_not_fight_over_the_same_registers(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        await put(actor, "BatterySetpoint", 600)
        for control, value in (("BatteryMode", "hold"), ("MaxDischargePower", 1000.0)):
            with pytest.raises(DeviceError, match="while BatterySetpoint is held"):
                await put(actor, control, value)
        await put(actor, "BatterySetpoint", None)
        assert await put(actor, "MaxDischargePower", 1000) == 1000


async def test_a_next_life_gives_back_what_a_crash_left(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.unit.put(OWNERS)
        async with at_work(sim, tmp_path) as actor:
            await put(actor, "BatterySetpoint", -700)
            await put(actor, "BatterySetpoint", 0)
        async with at_work(sim, tmp_path) as actor:
            await put(actor, "BatterySetpoint", None)
        assert settings_of(sim) == OWNERS


async def test_limits_keep_their_values(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        for control, value in (
            ("MaxChargePower", 2000.0),
            ("MaxDischargePower", 1500.0),
            ("MinSoc", 12.5),
            ("MaxSoc", 95.0),
        ):
            assert await put(actor, control, value) == value
        assert (sim.plant.max_charge, sim.plant.max_discharge) == (2000, 1500)
        assert (sim.plant.min_soc, sim.plant.max_soc) == (12.5, 95)
        entry = actor.control_entry("MaxChargePower", "dut")
        assert (entry.min, entry.max) == (0, 5000)
        entry = actor.control_entry("BatterySetpoint", "dut")
        assert (entry.min, entry.max) == (-5000, 5000)
        with pytest.raises(DeviceRefused, match="does not take this value"):
            await put(actor, "MinSoc", 60)
        assert sim.plant.min_soc == 12.5


async def test_the_export_limit(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.plant.pv, sim.plant.load, sim.plant.soc = 9000.0, 500.0, 100.0
        async with at_work(sim, tmp_path) as actor:
            assert actor._served["dut"].state("ExportLimit") == 10_000
            assert await put(actor, "ExportLimit", 2500) == 2500
            assert sim.plant.grid == -2500
            assert dict(await actor.read_once())["InverterState"] == "limited"
            assert await put(actor, "ExportLimit", 10_000) == 10_000
            assert sim.plant.grid == -8500
            assert [address for address, _ in written(sim)] == [47418, 47415, 47415]


# ------------------------------------------------------------------------------------ when it fails


async def test_a_missing_login_says_what_to_do(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        before = settings_of(sim)
        sim.fault = "denied"
        for control, value in (("BatterySetpoint", 500), ("MinSoc", 8), ("BatterySetpoint", None)):
            with pytest.raises(DeviceRefused, match=r"installer's login.*app.*RS485"):
                await put(actor, control, value)
            sim.unit["forcible_charge_discharge_write"] = "charge"
        sim.unit["forcible_charge_discharge_write"] = "stop"
        assert settings_of(sim) == before
        assert dict(await actor.read_once())["PvPower"] == 3000


async def test_writes_that_are_ignored_are_noticed(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        sim.fault = "ignore_writes"
        with pytest.raises(Mismatch, match="but the device has"):
            await put(actor, "BatterySetpoint", 500)


async def test_a_busy_inverter_is_asked_again_after_a_pause(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        answers, real = [BUSY, BUSY], sim.bank.answer

        def busy(unit: int, pdu: bytes) -> bytes | None:
            return bytes((pdu[0] | 0x80, answers.pop())) if answers else real(unit, pdu)

        sim.bank.answer = busy  # type: ignore[method-assign]
        began = anyio.current_time()
        assert dict(await actor.read_once())["PvPower"] == 3000
        assert anyio.current_time() - began > 0.5
        answers += [BUSY]
        await put(actor, "BatterySetpoint", 300)
        assert sim.plant.battery == 300


async def test_a_second_client_is_got_over(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        async with await anyio.connect_tcp(sim.host, sim.port):
            await anyio.sleep(0.05)
            assert dict(await actor.read_once())["PvPower"] == 3000
        assert actor.link.stats.reconnects >= 1


async def test_at_night_nothing_is_0_and_the_morning_comes(tmp_path: Path) -> None:
    async with Simulator() as sim, at_work(sim, tmp_path) as actor:
        sim.fault = "night"
        found = dict(await actor.read_once())
        assert found["InverterState"] == "standby"
        for name in ("PvPower", "GridPower", "InverterPower", "LoadPower", "InverterTemperature"):
            assert found[name] is None
        sim.fault = None
        assert dict(await actor.read_once())["LoadPower"] == 800


def test_a_sun2000_offers_nothing_that_one_source_alone_knows() -> None:
    assert "WorkMode" not in Sun2000.controls
    table = Sun2000.map()
    for name in ("storage_working_mode_settings", "maximum_feed_grid_power_watt"):
        assert not table[name].trusted
