"""What is set: leases through the EMS mode, settings, refusals, and giving back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.goodwe.sim import Simulator
from bridge.errors import DeviceError
from tests.actors.kinds import last, running
from tests.goodwe.inverters import KIND, reading, settings

if TYPE_CHECKING:
    from pathlib import Path

    from actors.devices.goodwe.actor import GoodWe
    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

ROUTES = ["udp", "modbus"]


async def put(actor: GoodWe, control: str, value: Any) -> Any:
    """Set a control straight on the device."""
    return await actor.write_control(control, value, device=actor.id)


def ems(sim: Simulator) -> tuple[Any, Any]:
    """The mode and its power as the inverter holds them."""
    return sim.inverter["ems_mode"], sim.inverter["ems_power_limit"]


@pytest.mark.parametrize("transport", ROUTES)
@pytest.mark.parametrize(
    ("watts", "mode", "power"),
    [
        (-2500.0, "charge_battery", 2500),
        (1800.0, "discharge_battery", 1800),
        (0.0, "battery_standby", 0),
    ],
)
async def test_a_setpoint_is_a_mode_and_its_power(
    transport: str, watts: float, mode: str, power: int, tmp_path: Path
) -> None:
    async with Simulator(transport=transport) as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        assert await put(actor, "BatterySetpoint", watts) == watts
        assert ems(sim) == (mode, power)
        found = await actor.read_once()
        assert found["BatteryPower"] == watts
        assert found["LoadPower"] == pytest.approx(800, abs=5)
        await put(actor, "BatterySetpoint", None)
        assert ems(sim) == ("auto", 0)
        # Both words in one write: a new mode never meets an old power.
        assert {(address, len(words)) for _, address, words in sim.bank.writes} == {(47511, 2)}


async def test_what_was_found_is_given_back(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        sim.inverter.put({"ems_mode": "charge_pv", "ems_power_limit": 700})
        await actor.read_once()
        await put(actor, "BatterySetpoint", 1000.0)
        await put(actor, "BatterySetpoint", -1000.0)
        await put(actor, "BatterySetpoint", None)
        assert ems(sim) == ("charge_pv", 700)


async def test_without_a_note_it_is_auto(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        sim.inverter.put({"ems_mode": "discharge_battery", "ems_power_limit": 3000})
        await actor.read_once()
        await put(actor, "BatterySetpoint", None)
        assert ems(sim) == ("auto", 0)


@pytest.mark.parametrize(
    ("word", "mode", "power", "battery"),
    [
        ("hold", "battery_standby", 0, 0),
        ("charge", "charge_battery", 10_000, -5000),
        ("discharge", "discharge_battery", 10_000, 5000),
        ("charge_pv", "charge_pv", 0, -3000),
        ("discharge_pv", "discharge_pv", 10_000, 5000),
        ("conserve", "conserve", 0, -3000),
    ],
)
async def test_battery_modes(
    word: str, mode: str, power: int, battery: int, tmp_path: Path
) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        assert await put(actor, "BatteryMode", word) == word
        assert ems(sim) == (mode, power)
        assert (await actor.read_once())["BatteryPower"] == battery
        await put(actor, "BatteryMode", None)
        assert ems(sim) == ("auto", 0)


@pytest.mark.parametrize("word", ["off_grid", "import_ac", "turbo"])
async def test_what_is_not_offered_is_refused(word: str, tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        assert word not in actor.control_entry("BatteryMode", "dut").options
        with pytest.raises(DeviceError, match="is not one of"):
            await put(actor, "BatteryMode", word)
        with pytest.raises(DeviceError):
            await put(actor, "WorkMode", word)
        assert sim.bank.writes == []


async def test_two_controls_of_one_register_exclude_each_other(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        await put(actor, "BatterySetpoint", 500.0)
        with pytest.raises(DeviceError, match="BatterySetpoint is held"):
            await put(actor, "BatteryMode", "charge")
        assert ems(sim) == ("discharge_battery", 500)


async def test_the_range_is_that_of_the_inverter(tmp_path: Path) -> None:
    async with Simulator(rated=6000) as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        entry = actor.control_entry("BatterySetpoint", "dut")
        assert (entry.min, entry.max) == (-6000, 6000)
        for control, value in [("MinSoc", 101.0), ("ExportLimit", 70_000.0)]:
            with pytest.raises(DeviceError):
                await put(actor, control, value)
        assert sim.bank.writes == []


async def test_settings_keep_their_value(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        served = actor._served["dut"]
        assert served.state("MinSoc") == 20  # 100 - 80 % depth of discharge
        assert served.state("WorkMode") == "general"
        assert served.state("ExportLimit") is None
        assert await put(actor, "MinSoc", 35.0) == 35
        assert sim.inverter["battery_discharge_depth"] == 35
        assert sim.plant.min_soc == 35
        assert await put(actor, "WorkMode", "backup") == "backup"
        assert sim.inverter["set_work_mode"] == "backup"
        assert await put(actor, "ExportLimit", 1000.0) == 1000
        assert sim.inverter["grid_export"] == "on"
        sim.plant.pv, sim.plant.soc = 9000.0, 100.0
        found = await actor.read_once()
        assert found["GridPower"] == pytest.approx(-1000, abs=2)
        assert found["LoadPower"] == pytest.approx(800, abs=5)


async def test_ignored_writes_are_noticed(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        sim.fault = "ignore_writes"
        with pytest.raises(DeviceError, match="but the device has"):
            await put(actor, "BatterySetpoint", 500.0)
        sim.fault = None
        with pytest.raises(DeviceError, match="does not answer yet"):
            await actor.write_control("BatterySetpoint", 1.0, device="another")


async def test_a_lost_confirmation_does_no_harm(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, timeout=0.1) as actor:
        await actor.read_once()
        sim.dongle.quirks |= {"loss", "duplicate", "stray_answer"}
        for watts in (700.0, -700.0, 0.0, 300.0):
            assert await put(actor, "BatterySetpoint", watts) == watts
        await put(actor, "BatterySetpoint", None)
        assert ems(sim) == ("auto", 0)


async def test_a_dt_is_never_written(tmp_path: Path) -> None:
    async with Simulator(family="dt") as sim, reading(sim, tmp_path, family="dt") as actor:
        await actor.read_once()
        for control, value in [("BatterySetpoint", 1.0), ("ExportLimit", 50.0)]:
            with pytest.raises(DeviceError, match="has no control"):
                await put(actor, control, value)
        assert sim.bank.writes == []


# ------------------------------------------------------------------------------------- by MQTT


def results(them: Link, control: str) -> list[Any]:
    topic = f"heliograph/Devices/dut/{control}/Result"
    return [json.loads(payload) for payload in them.payloads(topic)]


@pytest.mark.parametrize("transport", ROUTES)
async def test_a_lease_moves_the_battery_and_is_given_back(
    transport: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator(transport=transport) as sim:
        given = settings(sim, family="et", timeout=0.5)
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            topic = "heliograph/Devices/dut/BatterySetpoint/Set"
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-2200")
            them.connection.send(topic, b"1500", qos=1)
            with anyio.fail_after(2):
                await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "1500")
            await them.until(lambda: len(results(them, "BatterySetpoint")) == 1)
            assert results(them, "BatterySetpoint")[0]["ok"] is True
            await them.until(lambda: last(them, "Devices/dut/BatterySetpoint") == "1500")
            them.connection.send(topic, b"20000", qos=1)
            await them.until(lambda: len(results(them, "BatterySetpoint")) == 2)
            assert results(them, "BatterySetpoint")[1]["ok"] is False
            assert ems(sim) == ("discharge_battery", 1500)
            them.connection.send(topic, b'{"value": -900, "ttl": 1}', qos=1)
            await them.until(lambda: ems(sim) == ("charge_battery", 900))
            await them.until(lambda: ems(sim) == ("auto", 0), 6)
            await them.until(lambda: last(them, "Devices/dut/BatterySetpoint") == "")
            them.connection.send(topic, b"0", qos=1)
            await them.until(lambda: ems(sim) == ("battery_standby", 0))
            assert last(them, "Devices/dut/WorkMode") == "general"
            assert last(them, "Devices/dut/MinSoc") == "20"
        assert ems(sim) == ("auto", 0)
