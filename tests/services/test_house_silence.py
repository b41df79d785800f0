"""A whole bridge on a real broker: what it has set is given back when somebody falls silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.battery_house import DEFAULT, charge, held, until, victron

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_what_falls_silent_gives_the_grid_setpoint_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with victron(mosquitto, tmp_path) as (bridge, eyes, gx, car):
        await charge(eyes, car)
        await until(lambda: held(gx, car))
        car.fault = "silent"
        await until(lambda: gx.house.grid_setpoint == DEFAULT, 25)
        await eyes.until("Actors/guard/Messages/Warning", lambda text: "car is" in text, 5)
        assert "car is" in eyes.json("Actors/guard/Health")["error"]
        car.fault = None
        await until(lambda: held(gx, car), 40)
        await eyes.until("Actors/guard/Messages/Warning", "", 5)
        gx.fault = "meter_gone"
        await until(lambda: gx.house.grid_setpoint == DEFAULT, 25)
        gx.fault = None
        await until(lambda: held(gx, car), 40)
        car.car.unplug()
        await until(lambda: gx.house.grid_setpoint == DEFAULT, 25)
        assert await bridge.end() == 0
