"""A house with a simulated GX and a simulated charger on its wires, and a bridge beside them."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import anyio

from actors.chargers.wattpilot.sim import PASSWORD
from actors.chargers.wattpilot.sim import Simulator as Wattpilot
from actors.devices.victron_modbus.sim import Simulator as Gx
from tests.e2e.house import Eyes, House, house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

DEFAULT = -20.0
VICTRON = """\
site: {{grid: ess, pv: ess, battery: ess}}
actors:
  ess:
    {{kind: victron_modbus, host: 127.0.0.1, port: {gx}, interval: 0.5, services: none,
      units: {{vebus: 228, battery: 225, grid: 30}}}}
  distributor: {{kind: distributor, reservation: 0}}
"""
WITH_CAR = """\
  car: {{kind: wattpilot, host: 127.0.0.1, port: {car}, password: {password}, interval: 0.5}}
  guard:
    {{kind: battery_guard, battery: ess, chargers: car, interval: 1, settle: 2, max: 12000}}
"""


async def until(check: Callable[[], object], limit: float = 20.0) -> None:
    with anyio.fail_after(limit):
        while not check():  # noqa: ASYNC110 - a simulator has no event
            await anyio.sleep(0.02)


@contextlib.asynccontextmanager
async def beside(work: Any, *given: Any) -> AsyncIterator[None]:
    """Something that goes on until the block ends."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, *given)
        yield
        tasks.cancel_scope.cancel()


async def wires(gx: Gx, car: Wattpilot) -> None:
    """The car hangs on the house's wires."""
    while True:
        gx.plant.load = 500.0 + car.box.power
        gx.tick()
        await anyio.sleep(0.1)


@contextlib.asynccontextmanager
async def victron(
    mosquitto: Mosquitto, folder: Path
) -> AsyncIterator[tuple[House, Eyes, Gx, Wattpilot]]:
    async with Gx() as gx, Wattpilot(period=0.2, switch_time=1.0) as car:
        gx.plant.pv, gx.plant.load, gx.plant.soc = 0.0, 500.0, 60.0
        gx.house.grid_setpoint = DEFAULT
        car.car.wakes, car.car.slew = 0.3, 16.0
        body = (VICTRON + WITH_CAR).format(gx=gx.port, car=car.port, password=PASSWORD)
        async with house(mosquitto.port, folder, body) as (bridge, eyes), beside(wires, gx, car):
            await eyes.until("Devices/car/Status", "online", 20)
            await eyes.until("Devices/ess/Status", "online", 20)
            yield bridge, eyes, gx, car


async def charge(eyes: Eyes, car: Wattpilot) -> None:
    """By hand, whatever the sun does."""
    for control, value in (("ChargeCurrent", 16), ("ChargeEnable", True)):
        command = json.dumps({"value": value, "ttl": 600, "by": "manual"})
        await eyes.publish(f"Devices/car/{control}/Set", command)
    await until(lambda: car.box.power > 3000)


def held(gx: Gx, car: Wattpilot) -> bool:
    """The grid gets what the car draws, less a step and a half at most, and never more."""
    return car.box.power - 400 <= gx.house.grid_setpoint <= car.box.power
