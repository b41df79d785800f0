"""Whole bridges on a real broker: simulated batteries and chargers, killed in the middle."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.sma.sim import Simulator as Sma
from actors.devices.victron_modbus.sim import Simulator as Gx
from tests.e2e.house import house
from tests.services.battery_house import DEFAULT, VICTRON, beside, charge, held, until, victron

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import Eyes
    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LIMITS = """\
  wallbox: {kind: external}
  guard:
    {kind: battery_guard, battery: ess, chargers: wallbox, control: MaxDischargePower,
      interval: 1}
  gentle: {kind: charge_current, battery: ess, limit: "100 - SOC", interval: 1}
"""
SMA = """\
site: {{grid: meter, battery: ess}}
actors:
  meter: {{kind: external}}
  wallbox: {{kind: external}}
  ess: {{kind: sma, host: 127.0.0.1, port: {port}, interval: 0.5}}
  distributor: {{kind: distributor, reservation: 0}}
  guard:
    {{kind: battery_guard, battery: ess, chargers: wallbox, control: BatterySetpoint, interval: 1,
      writes: 0}}
  night:
    {{kind: grid_charge, battery: ess, tariff: dynamic, power: 2000, capacity: 10000, load: 800,
      interval: 1}}
"""


async def test_the_default_setpoint_is_back_after_kill_9(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with victron(mosquitto, tmp_path) as (bridge, eyes, gx, car):
        await eyes.until("Actors/guard/Messages/Operational", lambda text: "not charge" in text, 20)
        assert gx.house.grid_setpoint == DEFAULT
        await charge(eyes, car)
        await until(lambda: held(gx, car))
        await until(lambda: gx.plant.battery < 1000 + 400)
        await bridge.end(signal.SIGKILL)
        assert held(gx, car), "nobody has given it back"
        eyes.forget()
        begun = anyio.current_time()
        bridge.start()
        await until(lambda: gx.house.grid_setpoint == DEFAULT, 10)
        assert anyio.current_time() - begun < 10
        await charge(eyes, car)
        await until(lambda: held(gx, car), 30)
        assert await bridge.end() == 0
        assert gx.house.grid_setpoint == DEFAULT


async def tell(eyes: Eyes, values: dict[str, Any]) -> None:
    """External devices say what they measure, twice a second; a function is asked."""
    while True:
        for address, value in values.items():
            found = value() if callable(value) else value
            if found is not None:
                await eyes.publish(address, f"{found:g}")
        await anyio.sleep(0.5)


async def test_limits_are_put_back_after_kill_9_and_on_a_stop(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with Gx() as gx:
        gx.plant.pv, gx.plant.load, gx.plant.soc = 0.0, 4500.0, 60.0
        gx.house.max_discharge, gx.house.max_charge_current = 4800.0, 70.0
        said: dict[str, Any] = {"Devices/wallbox/Power": 4000.0}
        body = VICTRON.format(gx=gx.port) + LIMITS
        async with (
            house(mosquitto.port, tmp_path, body) as (bridge, eyes),
            beside(tell, eyes, said),
        ):
            await until(lambda: gx.house.max_discharge == 500)
            await until(lambda: gx.house.max_charge_current == 40)
            gx.plant.soc = 70.0
            await until(lambda: gx.house.max_charge_current == 30)
            await bridge.end(signal.SIGKILL)
            said["Devices/wallbox/Power"] = 0.0
            eyes.forget()
            bridge.start()
            await until(lambda: gx.house.max_discharge == 4800, 10)
            told = "Actors/gentle/Messages/Operational"
            await eyes.until(told, lambda text: "charge with 30 A" in text, 15)
            await anyio.sleep(1)
            assert gx.house.max_charge_current == 30
            assert await bridge.end() == 0
            assert gx.house.max_charge_current == 70


def curve(*each: tuple[float, float]) -> str:
    """(hours, price) one after the other, from half an hour ago."""
    at = datetime.now(UTC) - timedelta(minutes=30)
    slots: list[dict[str, Any]] = []
    for hours, price in each:
        end = at + timedelta(hours=hours)
        slots.append({"start": f"{at:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"})
        slots[-1] |= {"import": price, "export": None}
        at = end
    return json.dumps(slots)


async def test_two_services_and_one_battery(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Sma() as sim:
        sim.plant.pv, sim.plant.load, sim.plant.soc = 0.0, 800.0, 40.0
        said: dict[str, Any] = {
            "Devices/meter/GridPower": lambda: sim.plant.load - sim.plant.battery,
            "Devices/wallbox/Power": 0.0,
        }
        async with (
            house(mosquitto.port, tmp_path, SMA.format(port=sim.port)) as (bridge, eyes),
            beside(tell, eyes, said),
        ):
            await eyes.until("Actors/night/Health", lambda text: "no prices" in text, 20)
            await eyes.publish("Tariffs/dynamic/Curve", curve((3, 0.1), (8, 0.5)), retain=True)
            await until(lambda: sim.plant.battery == pytest.approx(-2000, abs=30))
            # A car comes while the night's charge runs: the battery has an owner already.
            sim.plant.load, said["Devices/wallbox/Power"] = 4800.0, 4000.0
            await eyes.until("Actors/guard/Health", lambda text: "held by night" in text, 20)
            assert sim.plant.battery == pytest.approx(-2000, abs=30)
            # Dear hours: the night gives it back, and the guard may have it.
            await eyes.publish("Tariffs/dynamic/Curve", curve((3, 0.5), (8, 0.5)), retain=True)
            await until(lambda: sim.plant.battery == pytest.approx(800, abs=60), 40)
            await anyio.sleep(2)
            said["Devices/meter/GridPower"] = None
            await eyes.until("Devices/ess/BatterySetpoint", "", 15)
            await eyes.until(
                "Actors/guard/Messages/Warning",
                lambda text: "meter" in text or "balance" in text,
                5,
            )
            assert await bridge.end() == 0


async def test_a_charge_from_the_grid_ends_with_the_bridge(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with Sma() as sim:
        sim.plant.pv, sim.plant.load, sim.plant.soc = 0.0, 800.0, 40.0
        said = {"Devices/meter/GridPower": lambda: sim.plant.load - sim.plant.battery}
        async with (
            house(mosquitto.port, tmp_path, SMA.format(port=sim.port)) as (bridge, eyes),
            beside(tell, eyes, said),
        ):
            await eyes.publish("Tariffs/dynamic/Curve", curve((3, 0.1), (8, 0.5)), retain=True)
            await until(lambda: sim.plant.battery == pytest.approx(-2000, abs=30))
            await bridge.end(signal.SIGKILL)
            await eyes.publish("Tariffs/dynamic/Curve", "", retain=True)
            bridge.start()
            await until(lambda: sim.plant.battery == pytest.approx(800, abs=60), 15)
            assert await bridge.end() == 0
