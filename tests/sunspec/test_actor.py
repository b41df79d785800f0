"""The actor against its simulator over Modbus TCP: what it reads, sets, and gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from actors.devices.sunspec.sim import Simulator
from bridge.control.entry import Mismatch
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.simulators.plant import Plant
from bridge.simulators.server import ModbusServer
from tests.actors.kinds import last, running
from tests.sunspec.devices import KIND, reading, settings

if TYPE_CHECKING:
    from pathlib import Path

    from actors.devices.sunspec.actor import SunSpec
    from tests.support.mosquitto import Mosquitto

HOUSE: dict[str, Any] = {"pv": 3000.0, "load": 9500.0, "soc": 55.0}


async def value(actor: SunSpec, name: str, device: str = "dut") -> Any:
    return (await actor.read_all())[device][name]


# ---------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("profile", ["fronius_gen24", "fronius_gen24_float"])
async def test_an_inverter_and_its_meter_at_another_unit_balance(
    profile: str, tmp_path: Path
) -> None:
    async with (
        Simulator(profile=profile, plant=Plant(**HOUSE)) as sim,
        reading(sim, tmp_path, meter_unit=200) as actor,
    ):
        found = await actor.read_all()
    inverter, meter = found["dut"], found["dut-meter1"]
    assert inverter["PvPower"] == 3000
    assert inverter["BatteryPower"] == 5000
    assert meter["GridPower"] == 1500
    assert meter["GridCurrentL1"] == pytest.approx(500 / 230, rel=0.01)
    assert meter["GridImportEnergy"] == 321
    powers = [inverter["PvPower"], inverter["BatteryPower"], meter["GridPower"]]
    assert sum(float(each or 0) for each in powers) == pytest.approx(9500, rel=0.01)


async def test_kostal_tells_all_in_one_chain_and_unknown_models_are_passed_over(
    tmp_path: Path,
) -> None:
    async with (
        Simulator(profile="kostal", plant=Plant(**HOUSE)) as sim,
        reading(sim, tmp_path, battery_sign="charge") as actor,
    ):
        found = await actor.read_all()
    assert set(found) == {"dut"}
    values = found["dut"]
    assert (values["PvPower"], values["BatteryPower"], values["GridPower"]) == (3000, 5000, 1500)
    assert values["BatterySoc"] == 55


async def test_solaredge_takes_one_client_and_changes_its_scale_factors(tmp_path: Path) -> None:
    plant = Plant(pv=600.0, load=2345.0, max_discharge=1000.0)
    async with (
        Simulator(profile="solaredge", plant=plant) as sim,
        reading(sim, tmp_path, solaredge_storage=True) as actor,
    ):
        for _ in range(6):
            found = await actor.read_all()
            assert found["dut"]["InverterPower"] == 1600
            assert found["dut"]["PvPower"] == 600
            assert found["dut"]["BatteryPower"] == 1000
            assert found["dut-meter1"]["GridPower"] == 745
            assert found["dut-meter2"]["Power"] == 500
        assert isinstance(sim.front, ModbusServer)
        assert sim.front.accepted == 1


async def test_a_second_client_of_solaredge_is_told_why(tmp_path: Path) -> None:
    async with Simulator(profile="solaredge") as sim, reading(sim, tmp_path, retries=0) as actor:
        other = await anyio.connect_tcp(sim.host, sim.port)
        with pytest.raises(DeviceTimeout, match="closed the connection"):
            await actor.read_all()
        await other.aclose()
        await anyio.sleep(0.05)
        assert await value(actor, "InverterPower") == 800


async def test_what_a_device_never_tells_of_single_phases_is_left_out(tmp_path: Path) -> None:
    async with Simulator(profile="sma") as sim, reading(sim, tmp_path) as actor:
        found = await actor.read_all()
        assert "InverterVoltageL1" in found["dut"]
        assert "InverterVoltageL2" not in found["dut"]
        sim.device["m101_PhVphB"] = 231.0
        assert await value(actor, "InverterVoltageL2") == 231
        sim.device["m101_PhVphB"] = None
        assert await value(actor, "InverterVoltageL2") is None


async def test_how_many_questions_a_reading_takes(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, meter_unit=200) as actor:
        await actor.read_all()
        before = len(sim.bank.log)
        await actor.read_all()
        assert len(sim.bank.log) - before <= 3


async def test_a_chain_elsewhere(tmp_path: Path) -> None:
    async with Simulator(profile="der2018_hybrid") as sim:
        async with reading(sim, tmp_path, base=50000) as actor:
            assert await value(actor, "PvPower") == 3000
            assert sim.bank.reads[0] == (1, 50000, 2)
        async with reading(sim, tmp_path, base=40000) as actor:
            with pytest.raises(DeviceGarbled, match="no SunSpec models at register 40000"):
                await actor.read_all()


async def test_a_device_without_a_known_model_says_so(tmp_path: Path) -> None:
    async with Simulator(profile="sma") as sim, reading(sim, tmp_path) as actor:
        for address in range(40000, 40500):
            if sim.device.words.get(address) == 101:
                sim.device.words[address] = 64001
        with pytest.raises(DeviceGarbled, match="only SunSpec models 1, 64001, 120"):
            await actor.read_all()


async def test_the_wrong_unit_is_named(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, unit=7) as actor:
        with pytest.raises(DeviceRefused, match="unit"):
            await actor.read_all()


async def test_a_meter_that_is_not_there_is_a_warning_and_is_found_later(tmp_path: Path) -> None:
    async with Simulator() as sim:
        meter = sim.bank.units.pop(200)
        async with reading(sim, tmp_path, meter_unit=200) as actor:
            assert set(await actor.read_all()) == {"dut"}
            assert "no meter at unit 200" in actor.warnings["meter"]
            sim.bank.units[200] = meter
            assert set(await actor.read_all()) == {"dut"}
            actor._meter_at = 0.0
            assert set(await actor.read_all()) == {"dut", "dut-meter1"}
            assert "meter" not in actor.warnings


async def test_a_chain_is_walked_again_only_when_its_beginning_changed(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        first = await actor.identify()
        before = len(sim.bank.log)
        assert await actor.identify() is first
        assert len(sim.bank.log) - before == 1
        # A firmware that was told to speak in floats has other models behind the same head.
        sim.device.words[40002 + 67] = 113
        sim.device.words[40002 + 68] = 60
        assert await actor.identify() is not first


async def test_a_chain_with_a_flaw_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    async with Simulator(profile="sma") as sim, reading(sim, tmp_path) as actor:
        end = max(sim.device.words)
        sim.device.sealed.update({end, end - 1})
        assert await value(actor, "PvPower") == 3000
        assert "without its end mark" in actor.warnings["chain"]


# ---------------------------------------------------------------------------------- setting


async def test_a_limit_of_the_suns_power_and_its_way_back(tmp_path: Path) -> None:
    async with (
        Simulator(profile="sma", plant=Plant(has_battery=False, pv=8000.0)) as sim,
        reading(sim, tmp_path) as actor,
    ):
        assert await value(actor, "PvPower") == 8000
        found = await actor.write_control("PvLimit", 4321.0, device="dut")
        assert found == pytest.approx(4321, abs=1)
        assert sim.plant.sun == pytest.approx(4321, abs=1)
        writes = [(address, words) for _, address, words in sim.bank.writes]
        assert [address - 40070 for address, _ in writes][-1] == 52 + 28 + 32 + 46 + 9
        assert sim.timers["m123_limit"] == pytest.approx(60, abs=1)
        await actor.write_control("PvLimit", None, device="dut")
        assert sim.plant.sun == 8000
        assert sim.device["m123_WMaxLimPct_RvrtTms"] == 0
        assert sim.device["m123_WMaxLim_Ena"] == "disabled"


async def test_a_limit_that_the_grid_operator_set_is_given_back(tmp_path: Path) -> None:
    async with Simulator(profile="sma") as sim, reading(sim, tmp_path) as actor:
        sim.device.put({"m123_WMaxLimPct": 70, "m123_WMaxLim_Ena": "enabled"})
        await actor.read_all()
        await actor.write_control("PvLimit", 1000.0, device="dut")
        await actor.write_control("PvLimit", None, device="dut")
        assert sim.device["m123_WMaxLimPct"] == 70
        assert sim.device["m123_WMaxLim_Ena"] == "enabled"


async def test_what_is_not_repeated_expires_in_the_device(tmp_path: Path) -> None:
    async with Simulator(plant=Plant(**HOUSE)) as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        await actor.write_control("PvLimit", 2000.0, device="dut")
        await actor.write_control("BatterySetpoint", 700.0, device="dut")
        sim.forward(40)
        assert (sim.plant.sun, sim.plant.battery) == (2000, 700)
        await actor.write_control("PvLimit", 2000.0, device="dut")
        sim.forward(40)
        assert (sim.plant.sun, sim.plant.battery) == (2000, 5000)
        sim.forward(40)
        assert sim.plant.sun == 3000


@pytest.mark.parametrize("watts", [2500.0, -1500.0, 0.0])
@pytest.mark.parametrize("profile", ["fronius_gen24", "der2018"])
async def test_the_battery_does_what_it_is_told(profile: str, watts: float, tmp_path: Path) -> None:
    async with (
        Simulator(profile=profile, plant=Plant(**HOUSE)) as sim,
        reading(sim, tmp_path) as actor,
    ):
        await actor.read_all()
        before = dict(sim.device.words)
        assert await actor.write_control("BatterySetpoint", watts, device="dut") == watts
        assert sim.plant.battery == pytest.approx(watts)
        assert await value(actor, "BatteryPower") == pytest.approx(watts, abs=1)
        await actor.write_control("BatterySetpoint", None, device="dut")
        assert sim.plant.setpoint is None
        sim.forward(1e-9)
        changed = {a for a, word in before.items() if sim.device.words[a] != word}
        writable = {a for a in changed if a in sim.device.writable}
        assert writable == set()


async def test_the_setpoint_is_bounded_by_what_the_battery_takes(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        entry = actor.control_entry("BatterySetpoint", "dut")
        assert (entry.min, entry.max) == (-5000, 5000)
        assert actor.control_entry("PvLimit", "dut").max == 10000
        assert actor.watchdog["BatterySetpoint"] == 60


async def test_modes_of_the_battery(tmp_path: Path) -> None:
    async with Simulator(plant=Plant(**HOUSE)) as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        assert actor.control_entry("BatteryMode", "dut").options == (
            *("auto", "hold", "no_charge", "no_discharge", "charge", "discharge"),
        )

        async def battery(mode: str | None, pv: float) -> float:
            sim.plant.pv = pv
            await actor.write_control("BatteryMode", mode, device="dut")
            return sim.plant.battery

        assert [await battery("hold", pv) for pv in (0.0, 12000.0)] == [0, 0]
        assert [await battery("no_discharge", pv) for pv in (0.0, 12000.0)] == [0, -2500]
        assert [await battery("no_charge", pv) for pv in (0.0, 12000.0)] == [5000, 0]
        assert await battery("charge", 0.0) == -5000
        assert sim.device["m124_ChaGriSet"] == "grid"
        assert await battery("discharge", 12000.0) == 5000
        assert await battery(None, 12000.0) == -2500
        assert sim.device["m124_ChaGriSet"] == "pv"
        assert sim.device["m124_InOutWRte_RvrtTms"] == 3600


async def test_two_commands_on_the_same_registers_do_not_meet(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        await actor.write_control("BatteryMode", "hold", device="dut")
        with pytest.raises(DeviceError, match="while BatteryMode is held"):
            await actor.write_control("BatterySetpoint", 100.0, device="dut")


async def test_limits_that_stay(tmp_path: Path) -> None:
    async with Simulator(plant=Plant(**HOUSE)) as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        assert actor._served["dut"].state("MaxDischargePower") == 5000
        assert await actor.write_control("MaxDischargePower", 1200.0, device="dut") == 1200
        assert await actor.write_control("MaxChargePower", 800.0, device="dut") == 800
        assert sim.device["m124_StorCtl_Mod"] == "charge_discharge"
        sim.forward(7200)
        assert sim.plant.battery == 1200
        sim.plant.pv = 20000.0
        assert sim.plant.battery == -800
        assert await actor.write_control("MinSoc", 20.0, device="dut") == 20
        assert sim.plant.min_soc == 20


async def test_coarse_steps_are_told_as_they_are(tmp_path: Path) -> None:
    async with Simulator(profile="kostal") as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        found = await actor.write_control("PvLimit", 4321.0, device="dut")
        assert found == 4300
        assert actor.tolerance["PvLimit"] >= 50


async def test_a_device_that_ignores_writes_is_found_out(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_all()
        sim.fault = "ignore_writes"
        with pytest.raises(Mismatch, match="but the device has"):
            await actor.write_control("BatterySetpoint", 1000.0, device="dut")


async def test_after_a_crash_the_next_life_knows_what_was_there(tmp_path: Path) -> None:
    async with Simulator(plant=Plant(**HOUSE)) as sim:
        async with reading(sim, tmp_path) as actor:
            await actor.read_all()
            await actor.write_control("BatterySetpoint", -900.0, device="dut")
        assert sim.plant.battery == -900
        async with reading(sim, tmp_path) as actor:
            await actor.read_all()
            await actor.write_control("BatterySetpoint", None, device="dut")
        assert sim.plant.battery == 5000
        assert sim.device["m124_InOutWRte_RvrtTms"] == 3600


# ---------------------------------------------------------------------------------- on a broker


async def test_a_lease_over_the_broker_and_its_end_at_the_stop(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator(plant=Plant(**HOUSE)) as sim:
        given = settings(sim, meter_unit=200)
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/State"))
            await them.until(lambda: last(them, "Devices/dut-meter1/State"))
            state = msgspec.json.decode(last(them, "Devices/dut-meter1/State") or "{}")
            assert state["GridPower"] == 1500
            assert last(them, "Devices/dut-meter1/Status") == "online"
            assert "Smart Meter" in (last(them, "Devices/dut-meter1/Info") or "")
            them.connection.send("heliograph/Devices/dut/BatterySetpoint/Set", b"-1250", qos=1)
            await them.until(lambda: sim.plant.setpoint == -1250, 2)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-1250", 3)
            assert last(them, "Devices/dut/BatterySetpoint") == "-1250"
        assert sim.plant.setpoint is None
        assert sim.device["m124_StorCtl_Mod"] == "none"
