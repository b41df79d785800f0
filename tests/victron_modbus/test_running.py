"""On a broker: commands by MQTT, refreshed, followed within 2 s, and given back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.victron_modbus.sim import Simulator
from tests.actors.kinds import last, running, settings_for
from tests.runtime.links import endpoint, link
from tests.victron_modbus.gx import KIND, balance

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SET = "heliograph/Devices/dut/BatterySetpoint/Set"


def result(them: Link, control: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last(them, f"Devices/dut/{control}/Result") or "{}")
    return found


def state(them: Link, device: str = "dut") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last(them, f"Devices/{device}/State") or "{}")
    return found


def near(sim: Simulator, watt: float) -> Callable[[], bool]:
    return lambda: abs(sim.plant.battery - watt) < 20


def tell(them: Link, topic: str, payload: str) -> None:
    them.connection.send(topic, payload.encode(), qos=1)


@pytest.mark.slow
async def test_a_battery_setpoint_is_followed_refreshed_and_given_back(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator() as sim:
        settings = settings_for(KIND, sim)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut-ev1/Status") == "online")
            await them.until(lambda: state(them).get("BatteryPower") == -2200.0)
            assert balance(state(them)) == pytest.approx(state(them)["LoadPower"], rel=0.01)
            tell(them, SET, '{"value": 1500, "ttl": 600, "id": "a"}')
            await them.until(near(sim, 1500.0), 2)
            await them.until(lambda: result(them, "BatterySetpoint").get("ok") is True, 2)
            assert result(them, "BatterySetpoint")["value"] == 1500.0
            # A kettle: the AC input stays, the battery pays, until the next refresh.
            sim.plant.load += 2000.0
            sim.tick()
            assert not near(sim, 1500.0)()
            await them.until(near(sim, 1500.0), 8)
            assert last(them, "Devices/dut/EssMode") == "external_control"
            await them.until(lambda: abs(state(them)["BatteryPower"] - 1500.0) < 20, 3)
        assert sim.house.mode == 1
        assert sim.house.grid_setpoint == 0.0
        assert last(them, "Devices/dut/BatterySetpoint") == ""


@pytest.mark.slow
async def test_at_the_minimum_the_battery_is_given_back_with_a_word(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator() as sim:
        settings = settings_for(KIND, sim)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/EssMode") == "phase_compensation")
            tell(them, SET, "1500")
            await them.until(near(sim, 1500.0), 2)
            sim.plant.soc = 9.0
            await them.until(lambda: sim.house.mode == 1, 8)
            await them.until(
                lambda: (
                    "minimum of 10 %" in (last(them, "Devices/dut/BatterySetpoint/Result") or "")
                )
            )
            assert "given back" in (last(them, "Actors/dut/Messages/Warning") or "")
            await them.until(lambda: last(them, "Devices/dut/BatterySetpoint") == "")
            # Refused at once from now on, and nothing is touched.
            writes = len(sim.bank.writes)
            tell(them, SET, '{"value": 700, "id": "b"}')
            await them.until(lambda: result(them, "BatterySetpoint").get("id") == "b")
            assert "minimum of 10 %" in result(them, "BatterySetpoint")["error"]
            assert len(sim.bank.writes) == writes


async def test_settings_and_words_by_mqtt(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator() as sim:
        settings = settings_for(KIND, sim)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/MinSoc") == "10")
            tell(them, "heliograph/Devices/dut/MinSoc/Set", "30")
            tell(them, "heliograph/Devices/dut/EssMode/Set", "external_control")
            await them.until(lambda: sim.house.mode == 3)
            assert sim.house.min_soc == 30.0
            tell(them, "heliograph/Devices/dut/GridSetpoint/Set", "200")
            await them.until(lambda: result(them, "GridSetpoint").get("error"))
            assert "set EssMode" in result(them, "GridSetpoint")["error"]
            tell(them, "heliograph/Devices/dut/EssMode/Set", "warp_drive")
            await them.until(lambda: "warp_drive" in str(result(them, "EssMode").get("error")))
            tell(them, "heliograph/Devices/dut-ev1/ChargeEnable/Set", "true")
            await them.until(lambda: sim.house.ev_start)
            await them.until(lambda: state(them, "dut-ev1")["VehicleState"] == "charging")
            info = json.loads(last(them, "Devices/dut-solar1/Info") or "{}")
            assert info["manufacturer"] == "Victron Energy"
            whole = json.loads(last(them, "Devices/dut/Info") or "{}")
            assert (whole["model"], whole["serial"]) == ("GX system", "c0619ab12345")
        assert not sim.house.ev_start


async def test_limits_that_are_off_are_announced(tmp_path: Path, mosquitto: Mosquitto) -> None:
    wanted = {"ExportLimit", "MaxChargeCurrent", "MaxDischargePower"}
    topic = "homeassistant/device/heliograph_dut/config"

    def announced(home: Link) -> set[str]:
        payloads = home.payloads(topic)
        return set(json.loads(payloads[-1])["cmps"]) if payloads else set()

    async with (
        Simulator() as sim,
        link(endpoint(mosquitto.port), "home", filters=("homeassistant/#",)) as home,
        running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them,
    ):
        await home.until(lambda: wanted <= announced(home), 8)
        assert not last(them, "Devices/dut/ExportLimit"), "its value is still unknown"
