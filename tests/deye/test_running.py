"""A Deye on a broker: lent for a time, given back on every way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.deye.sim import Simulator
from bridge.simulators.plant import Plant
from tests.actors.kinds import last, make, running
from tests.deye.parts import KIND, settings_at, without_clock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SET = "heliograph/Devices/dut/{}/Set"


def say(them: Link, control: str, payload: Any) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    them.connection.send(SET.format(control), text.encode(), qos=1)


def result(them: Link, control: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last(them, f"Devices/dut/{control}/Result") or "{}")
    return found


@pytest.mark.parametrize("path", ["modbus", "solarman"])
async def test_a_setpoint_over_mqtt(path: str, tmp_path: Path, mosquitto: Mosquitto) -> None:
    sim = Simulator(plant=Plant(pv=2000.0, load=1500.0), transport=path)
    async with sim:
        before = without_clock(sim)
        settings = settings_at(sim, interval=0.1)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Schedule"))
            assert last(them, "Devices/dut/MinSoc") == "10"
            assert last(them, "Devices/dut/WorkMode") == "export_first"
            assert last(them, "Devices/dut/TimeOfUse") == "false"
            assert (last(them, "Devices/dut/Schedule") or "").startswith("00:00 12000W 80% grid; ")
            info = json.loads(last(them, "Devices/dut/Info") or "{}")
            assert (info["manufacturer"], info["model"]) == ("Deye", "three_phase_hybrid")

            say(them, "BatterySetpoint", {"value": 3000, "ttl": 1.5, "id": "a"})
            await them.until(lambda: result(them, "BatterySetpoint").get("id") == "a", 3)
            assert result(them, "BatterySetpoint") == {
                "id": "a",
                "ok": True,
                "value": 3000,
                "error": None,
            }
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "3000", 2)
            await them.until(lambda: not last(them, "Devices/dut/BatterySetpoint"), 4)
            assert without_clock(sim) == before

            say(them, "BatterySetpoint", "-20000")
            await them.until(lambda: result(them, "BatterySetpoint").get("ok") is False)
            assert "not between -12000 and 12000" in result(them, "BatterySetpoint")["error"]

            say(them, "Schedule", "05:00 1W 1%")
            await them.until(lambda: result(them, "Schedule").get("ok") is False)
            assert "has 6 slots" in result(them, "Schedule")["error"]
            say(them, "TimeOfUse", "on")
            await them.until(lambda: last(them, "Devices/dut/TimeOfUse") == "true")
            say(them, "TimeOfUse", "off")
            await them.until(lambda: last(them, "Devices/dut/TimeOfUse") == "false")

            say(them, "BatterySetpoint", "-3000")
            await them.until(lambda: sim.plant.battery < -2900)
        # It was stopped with the setpoint lent out.
        assert without_clock(sim) == before


async def test_what_a_killed_bridge_left_is_given_back_at_the_next_start(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    sim = Simulator(plant=Plant(pv=2000.0, load=1500.0))
    async with sim:
        before = without_clock(sim)
        settings = settings_at(sim, interval=0.1)
        killed = make(KIND, settings, tmp_path)
        async with killed.direct():  # type: ignore[attr-defined]
            await killed.read_once()  # type: ignore[attr-defined]
            # As the desk notes it before it writes; then nothing more happens in that life.
            killed.desk._writer.journal.lent("dut", "BatterySetpoint")  # type: ignore[attr-defined]
            await killed.write_control("BatterySetpoint", -3000.0, device="dut")  # type: ignore[attr-defined]
        assert without_clock(sim) != before
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: without_clock(sim) == before, 5)


async def test_a_battery_that_gives_no_more_than_the_house_takes_is_told(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.following.SETTLING", 0.3)
    async with Simulator(plant=Plant(pv=0.0, load=700.0)) as sim:
        sim.rows.put({"work_mode": "zero_export_to_ct"})
        settings = settings_at(sim, interval=0.1)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/WorkMode") == "zero_export_to_ct")
            say(them, "BatterySetpoint", {"value": 3000, "ttl": 30, "id": "a"})
            await them.until(lambda: result(them, "BatterySetpoint").get("id") == "a", 3)
            assert result(them, "BatterySetpoint")["ok"] is True

            def warning() -> str:
                return last(them, "Actors/dut/Messages/Warning") or ""

            await them.until(lambda: "told 3000 W and delivers 6" in warning(), 4)
            assert (
                "in WorkMode zero_export_to_ct it gives no more than the house takes" in warning()
            )
            say(them, "BatterySetpoint", "")
            await them.until(lambda: warning() == "", 4)
