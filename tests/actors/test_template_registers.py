"""The skeleton of an inverter made of registers, copied and run as a real one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import DeviceError
from tests.actors.kinds import INVERTER, last, make, running, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config.kinds import Kind
    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SET = "heliograph/Devices/dut/BatterySetpoint/Set"


def test_the_copy_has_its_own_name_everywhere(inverter: Kind) -> None:
    assert inverter.load().kind == INVERTER
    for path in inverter.folder.glob("*.*"):
        assert "_template" not in path.read_text().lower(), path.name


async def test_words_mean_what_a_person_reads_in_the_sheet(inverter: Kind, tmp_path: Path) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        sim.show = lambda: None
        unit = sim.bank.units[1]
        unit.words.update({0: 1, 1: 0xE240, 2: 0x0001, 3: 0xFF9C, 4: 553, 5: 0xFFDB})
        unit.words.update({6: 0x0001, 7: 0x0000})
        actor: Any = make(inverter, settings_for(inverter, sim), tmp_path)
        async with actor.direct():
            assert await actor.read_once() == {
                "InverterState": "running",
                "PvPower": 123456,
                "BatteryPower": 100,
                "BatterySoc": 55.3,
                "InverterTemperature": -3.7,
                "PvEnergy": 0.1,
            }
            unit.words.update({4: 0xFFFF, 5: 0x8000, 0: 9})
            unknown = await actor.read_once()
        for name in ("BatterySoc", "InverterTemperature", "InverterState"):
            assert unknown[name] is None


def results(them: Link) -> list[Any]:
    return [
        json.loads(each) for each in them.payloads("heliograph/Devices/dut/BatterySetpoint/Result")
    ]


async def test_a_setpoint_is_lent_and_given_back_at_the_stop(
    inverter: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        settings = settings_for(inverter, sim)
        async with running(inverter, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-2200")
            them.connection.send(SET, b"1500", qos=1)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "1500", 2)
            await them.until(lambda: last(them, "Devices/dut/BatterySetpoint") == "1500")
            assert results(them) == [{"id": None, "ok": True, "value": 1500.0, "error": None}]
            them.connection.send(SET, b"6000", qos=1)
            await them.until(lambda: len(results(them)) == 2)
            assert results(them)[1]["error"] == (
                "BatterySetpoint 6000 is not between -5000 and 5000 W"
            )
            them.connection.send(SET, b"-800", qos=1)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-800", 2)
        assert sim.bank.units[1]["mode"] == "auto"
        assert sim.bank.units[1]["setpoint"] == 0
        assert last(them, "Devices/dut/BatterySetpoint") == ""


async def test_what_a_killed_run_left_is_given_back_at_the_start(
    inverter: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        settings = settings_for(inverter, sim)
        state = tmp_path / "dut"
        state.mkdir(parents=True)
        (state / "leases.json").write_text('{"held": [["dut", "BatterySetpoint"]]}')
        unit = sim.bank.units[1]
        unit.put({"mode": "remote", "setpoint": -3000})
        async with running(inverter, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: unit["mode"] == "auto", 3)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-2200", 3)
        assert "BatterySetpoint" not in (state / "leases.json").read_text()


async def test_a_write_that_the_device_ignores_is_told(
    inverter: Kind, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        settings = settings_for(inverter, sim)
        async with running(inverter, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            sim.fault = "ignore_writes"
            them.connection.send(SET, b"1500", qos=1)
            await them.until(lambda: len(results(them)) == 1)
            assert results(them)[0]["ok"] is False
            assert results(them)[0]["error"] == ("setpoint was set to -1500, but the device has 0")
            sim.fault = None
            them.connection.send(SET, b"1500", qos=1)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "1500", 3)


async def test_without_a_bridge_a_control_needs_a_device_that_answers(
    inverter: Kind, tmp_path: Path
) -> None:
    simulator: Any = inverter.simulator()
    async with simulator.Simulator() as sim:
        actor: Any = make(inverter, settings_for(inverter, sim), tmp_path)
        with pytest.raises(DeviceError, match="does not answer yet"):
            await actor.write_control("BatterySetpoint", 5.0, device="dut")
