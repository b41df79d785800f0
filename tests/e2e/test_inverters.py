"""A house with one inverter of every kind: on MQTT, in balance, controlled, given back."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.e2e.house import Eyes, House, house
from tests.e2e.inverters import KINDS, WITH_SETPOINT, house_of, simulated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

# Those whose simulators tell, or let be computed, all four.
IN_BALANCE = {"deye", "goodwe", "sma", "sun2000", "victron_modbus"}
BALANCE = ("PvPower", "GridPower", "BatteryPower", "LoadPower")


@contextlib.asynccontextmanager
async def inverters(
    port: int, folder: Path, *names: str
) -> AsyncIterator[tuple[House, Eyes, dict[str, Any]]]:
    """A running house with a simulated inverter of each kind, once each has had a reading."""
    async with simulated(*names) as sims:
        for sim in sims.values():
            # A house that imports although its battery helps: every sign shows.
            sim.plant.pv, sim.plant.load, sim.plant.soc = 1200.0, 9000.0, 60.0
        async with house(port, folder, house_of(sims), start=False) as (bridge, eyes):
            bridge.start()
            for name in names:
                await eyes.until(f"Devices/{name}/Status", "online", 30)
                await eyes.until(f"Devices/{name}/BatteryPower", True, 30)
            yield bridge, eyes, sims


def state(eyes: Eyes, name: str) -> dict[str, Any]:
    found: dict[str, Any] = eyes.json(f"Devices/{name}/State")
    return found


async def power(eyes: Eyes, name: str, wanted: float, limit: float) -> None:
    """Wait until the battery delivers `wanted` W, to 2 %."""

    def near(text: str) -> bool:
        return bool(text) and abs(float(text) - wanted) <= abs(wanted) * 0.02 + 15

    await eyes.until(f"Devices/{name}/BatteryPower", near, limit)


async def test_every_device_is_on_mqtt_with_our_signs_and_in_balance(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with inverters(mosquitto.port, tmp_path, *KINDS) as (bridge, eyes, sims):
        await anyio.sleep(2)
        whole = set()
        for name, sim in sims.items():
            found = state(eyes, name)
            if all(found.get(each) is not None for each in BALANCE):
                whole.add(name)
                pv, grid, battery, load = (found[each] for each in BALANCE)
                assert pv + grid + battery == pytest.approx(load, rel=0.01, abs=2), name
                assert min(grid, battery) > 0, name
                assert load == pytest.approx(sim.plant.load, rel=0.01, abs=15), name
            elif found.get("BatteryPower") is not None:
                assert found["BatteryPower"] > 0, name
            topic = f"homeassistant/device/heliograph_{name}/config"
            (config,) = set(eyes._link.payloads(topic)[-1:])
            entities = json.loads(config)["cmps"].values()
            told = {each["uniq_id"] for each in entities}
            known = {key for key, value in found.items() if value is not None and key != "at"}
            assert {f"heliograph_{name}_{key}" for key in known} <= told, name
        assert whole >= IN_BALANCE
        assert await bridge.end() == 0


@pytest.mark.parametrize("watts", [1500, -1200])
async def test_a_setpoint_moves_every_battery_within_2_s_and_ends_with_its_lease(
    mosquitto: Mosquitto, tmp_path: Path, watts: int
) -> None:
    async with inverters(mosquitto.port, tmp_path, *WITH_SETPOINT) as (bridge, eyes, sims):
        before = {name: sim.plant.battery for name, sim in sims.items()}
        for name, sim in sims.items():
            command = json.dumps({"value": watts, "ttl": 4, "id": "a", "by": "manual"})
            await eyes.publish(f"Devices/{name}/BatterySetpoint/Set", command)
            await eyes.until(f"Devices/{name}/BatterySetpoint/Result", True, 3)
            result = eyes.json(f"Devices/{name}/BatterySetpoint/Result")
            assert result["ok"], (name, result)
            await power(eyes, name, watts, 2)
            assert sim.plant.battery == pytest.approx(watts, rel=0.02, abs=15), name
        for name, sim in sims.items():
            await eyes.until(f"Devices/{name}/BatterySetpoint", "", 8)
            with anyio.fail_after(3):
                while abs(sim.plant.battery - before[name]) > 15:  # noqa: ASYNC110 - a simulator has no event
                    await anyio.sleep(0.05)
        assert await bridge.end() == 0


async def test_sigterm_gives_every_battery_back_within_5_s(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with inverters(mosquitto.port, tmp_path, *WITH_SETPOINT) as (bridge, eyes, sims):
        before = {name: sim.plant.battery for name, sim in sims.items()}
        for name in sims:
            await eyes.publish(f"Devices/{name}/BatterySetpoint/Set", "1500")
        for name in sims:
            await power(eyes, name, 1500, 4)
        assert await bridge.end(limit=5) == 0
        # Its own control may settle some watts beside what it did before.
        moved = {name: sim.plant.battery - before[name] for name, sim in sims.items()}
        assert {name: by for name, by in moved.items() if abs(by) > 15} == {}


async def test_what_kill_9_left_is_given_back_at_the_next_start(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with inverters(mosquitto.port, tmp_path, *WITH_SETPOINT) as (bridge, eyes, sims):
        before = {name: sim.plant.battery for name, sim in sims.items()}
        for name in sims:
            await eyes.publish(f"Devices/{name}/BatterySetpoint/Set", "1500")
        for name in sims:
            await power(eyes, name, 1500, 4)
        await bridge.end(signal.SIGKILL)
        left = {name for name, sim in sims.items() if round(sim.plant.battery) == 1500}
        assert left, "at least one of them would have gone on"
        eyes.forget()
        bridge.start()
        for name, sim in sims.items():
            await eyes.until(f"Devices/{name}/Status", "online", 20)
            with anyio.fail_after(5):
                while abs(sim.plant.battery - before[name]) > 15:  # noqa: ASYNC110 - as above
                    await anyio.sleep(0.05)
        assert await bridge.end() == 0
