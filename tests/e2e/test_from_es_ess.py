"""The examples of es-ESS's manual: a config.ini, imported by the command, run against simulators.

The file is an es-ESS user's: its broker is the GX's own, its switches are where theirs are. What is
changed after the import are only the minimum times and delays, which would take minutes.
"""

from __future__ import annotations

import math
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.consumers.http_switch.sim import Simulator as Relay
from actors.devices.shelly.sim import Simulator as Shelly
from actors.venus.venus_mqtt.sim import Simulator as Gx
from bridge.mqtt import Endpoint
from tests.e2e.es_ess import COMMON, METERS, SWITCHES, TREE, Moved, moved
from tests.runtime.links import link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(150)]

TOPICS = (
    *("es-ESS/$SYS/Status", "es-ESS/$SYS/Version", "es-ESS/$SYS/ConnectionTime"),
    *("es-ESS/$SYS/ConnectionDateTime", "es-ESS/$SYS/MqttThrottle/Status"),
    *(f"es-ESS/$SYS/Load/{minutes}" for minutes in (1, 5, 15)),
    *("es-ESS/SolarOverheadDistributor", "es-ESS/FroniusWattpilot", "es-ESS/NoBatToEV"),
    *(f"{TREE}/Calculations/Grid/L{phase}/Power" for phase in (1, 2, 3)),
    *(f"{TREE}/Calculations/Battery/{each}" for each in ("Power", "Soc", "Reservation")),
    *(f"{TREE}/Calculations/Overhead{each}" for each in ("Available", "Assigned", "Remaining")),
    *(f"{TREE}/Calculations/Grid/TotalFeedIn", f"{TREE}/LastUpdateTime"),
    f"{TREE}/LastUpdateDateTime",
    *(
        f"{TREE}/Requests/{consumer}{field}"
        for consumer in ("waterplay", "poolFilter", "poolHeater")
        for field in ("", "/Allowance", "/IsAutomatic", "/Consumption", "/Request", "/Priority")
    ),
)
"""What a dashboard made for es-ESS reads; each is heard while the switches run."""


@pytest.fixture
async def gx() -> AsyncIterator[Gx]:
    """A GX where a GX listens: port 1883, at a loopback address of this test's own."""
    number = os.getpid()
    host = f"127.{1 + number % 250}.{1 + number // 250 % 250}.2"
    try:
        sim = Gx(host=host, port=1883, sun=300, load=300, soc=60)
        await sim.start()
    except OSError as error:
        pytest.skip(f"{host}:1883 cannot be used here: {error}")
    yield sim
    await sim.stop()


class Heater:
    """The pool heater: listens to `Set` and tells `State` and `Power`, as in the manual."""

    def __init__(self) -> None:
        self.on = False
        self.heard: list[bytes] = []
        self.power = 0.0

    async def run(self, host: str, port: int) -> None:
        base = "Devices/pool/IO/Heater"
        place = Endpoint.from_url(f"mqtt://{host}:{port}")
        async with link(place, "heater", filters=(f"{base}/Set",)) as pool:
            while True:
                await pool.until(lambda: len(pool.got) > len(self.heard), 1e6)
                self.heard.append(pool.got[len(self.heard)].payload)
                self.on = self.heard[-1] == b"true"
                self.power = 740.0 if self.on else 0.0
                pool.connection.send(f"{base}/State", b"true" if self.on else b"false")
                pool.connection.send(f"{base}/Power", f"{self.power:g}".encode())


@dataclass(slots=True)
class Garden:
    """The three loads of the manual, and the GX that supplies them."""

    gx: Gx
    waterplay: Relay
    pool: Relay
    heater: Heater = field(default_factory=Heater)

    @property
    def on(self) -> tuple[bool, bool, bool]:
        return self.waterplay.on, self.pool.on, self.heater.on

    async def draw(self) -> None:
        """The house's load is what is on."""
        while True:
            drawn = self.waterplay.power + self.pool.power + self.heater.power
            self.gx.plant.load = 300 + drawn
            await anyio.sleep(0.1)


async def waterplay_alone_ignores_the_reservation(user: Moved, garden: Garden) -> None:
    """2400 W are kept for the battery at 60 %, and there are 2000 W."""
    garden.gx.plant.sun = 300 + 2000
    await user.until(lambda: garden.waterplay.on)
    assert user.told(f"{TREE}/Requests/waterplay/Allowance") == "120"
    await user.eyes.until("Requests/waterplay/Reason", lambda text: "120 W" in text)
    # A Shelly of the first generation has no "apower": es-ESS takes Request for it, we too.
    await user.until(lambda: user.told(f"{TREE}/Requests/waterplay/Consumption") == "120")
    assert "GET /relay/0/?turn=on" in garden.waterplay.requests
    await anyio.sleep(3)
    assert garden.on == (True, False, False)


async def the_filter_is_served_before_the_heater(user: Moved, garden: Garden) -> None:
    """400 W are kept at 100 %. What is left would do for either, and not for both."""
    garden.gx.plant.soc = 100
    garden.gx.plant.sun = 300 + 120 + 400 + 820
    await user.until(lambda: garden.pool.on)
    await user.eyes.until("Devices/poolFilter/Power", "205")
    assert user.told(f"{TREE}/Requests/poolFilter/Allowance") == "220"
    await anyio.sleep(2)
    # The heater gets no part of its power.
    assert b"true" not in garden.heater.heard
    assert user.told(f"{TREE}/Requests/poolHeater/Allowance") == "0"
    garden.gx.plant.sun += 600
    await user.until(lambda: garden.heater.on)
    await user.eyes.until("Devices/poolHeater/Power", "740")
    assert user.told(f"{TREE}/Requests/poolHeater/Allowance") == "750"
    assert "GET /rpc/Switch.Set?id=1&on=true" in garden.pool.requests


async def a_cloud_and_the_end_switch_off(user: Moved, garden: Garden) -> None:
    """Each goes off by its own off-url and off-topic, and on again with the sun."""
    garden.gx.plant.sun = 100
    await user.until(lambda: not any(garden.on))
    assert garden.heater.heard[-1] == b"false"
    assert "GET /relay/0/?turn=off" in garden.waterplay.requests
    assert "GET /rpc/Switch.Set?id=1&on=false" in garden.pool.requests
    garden.gx.plant.sun = 5000
    await user.until(lambda: all(garden.on))
    assert await user.bridge.end(signal.SIGTERM) == 0
    await user.until(lambda: not any(garden.on))
    await user.until(lambda: user.told("es-ESS/$SYS/Status") == "Offline")
    for consumer in ("waterplay", "poolFilter", "poolHeater"):
        assert user.told(f"{TREE}/Requests/{consumer}/Allowance") == "0"


async def test_waterplay_pool_filter_and_pool_heater(tmp_path: Path, gx: Gx) -> None:
    async with (
        Relay("gen1", watts=120) as waterplay,
        Relay("gen2", watts=205, number=1) as pool,
        anyio.create_task_group() as tasks,
    ):
        garden = Garden(gx, waterplay, pool)
        tasks.start_soon(garden.heater.run, gx.host, gx.port)
        tasks.start_soon(garden.draw)
        ini = COMMON.format(meter="false", curve="5000-50*SOC+400")
        ini += SWITCHES.format(waterplay=waterplay.port, filter=pool.port)
        async with moved(tmp_path, gx, ini) as user:
            for consumer in ("waterplay", "poolFilter", "poolHeater"):
                reason = f"Requests/{consumer}/Reason"
                await user.eyes.until(reason, lambda text: "waiting" in text, 30)
            assert garden.on == (False, False, False)
            await waterplay_alone_ignores_the_reservation(user, garden)
            await the_filter_is_served_before_the_heater(user, garden)
            assert [each for each in TOPICS if not user.told(each)] == []
            await a_cloud_and_the_end_switch_off(user, garden)
        tasks.cancel_scope.cancel()


ORDER = (
    # Surplus in W, the car, the heater: the steps of the manual, one after the other. (Numbers
    # that three phases share evenly.)
    (1380, "1365", "0"),
    (2400, "2365", "0"),
    (3402, "2365", "1000"),
    (4701, "3615", "1000"),
    (5700, "3615", "2000"),
    (6201, "4115", "2000"),
)


async def test_the_car_at_35_and_the_heater_at_40(tmp_path: Path, gx: Gx) -> None:
    gx.plant.soc, gx.plant.load, gx.plant.sun = 100, 300, 300 + ORDER[0][0]
    async with moved(tmp_path, gx, COMMON.format(meter="false", curve="0")) as user:
        common = {"Consumption": "0", "IsAutomatic": "true", "IsScriptedConsumer": "true"}
        ev = {"Priority": 35, "PriorityShift": 1, "StepSize": 250, "Minimum": 1365}
        heater = {"Priority": 40, "PriorityShift": 5, "StepSize": 1000}
        await user.eyes.until("Site/Surplus", str(ORDER[0][0]), 30)
        await user.request("EV", **ev, **common, VRMInstanceID=1006, Request=11000)
        await user.request("Heater", **heater, **common, VRMInstanceID=1005, Request=3000)
        for surplus, car, hot in ORDER:
            gx.plant.sun = 300 + surplus

            def shared(car: str = car, hot: str = hot) -> bool:
                found = [
                    user.told(f"{TREE}/Requests/{each}/Allowance") for each in ("EV", "Heater")
                ]
                return found == [car, hot]

            await user.until(shared)


CURVES: dict[str, dict[int, float]] = {
    "5000-50*SOC+400": {50: 2900, 90: 900, 100: 400, 0: 5400},
    "3000/(min(SOC,99)-100)+3000": {50: 2940, 90: 2700, 100: 0, 0: 2970},
    "(1/(SOC/8)*5000)+1000": {50: 1800, 90: 1444.4, 100: 1400, 0: math.inf},
}
"""W that are kept at a SOC. Who divides by 0 keeps all; es-ESS would have given everything away."""


@pytest.mark.parametrize("curve", CURVES)
async def test_a_curve_for_the_battery(tmp_path: Path, gx: Gx, curve: str) -> None:
    surplus = 3900
    gx.plant.sun, gx.plant.load, gx.plant.soc = surplus + 300, 300, 50
    async with moved(tmp_path, gx, COMMON.format(meter="false", curve=curve)) as user:
        fields = {"StepSize": 1, "Request": 20_000, "Consumption": 0, "IsAutomatic": "true"}
        await user.eyes.until("Site/Surplus", lambda text: text.startswith("3"), 30)
        await user.request("Load", **fields)
        for soc, kept in CURVES[curve].items():
            gx.plant.soc = soc

            def shown(kept: float = kept) -> bool:
                text = user.told(f"{TREE}/Calculations/Battery/Reservation")
                # es-ESS rounds to whole W.
                return bool(text) and abs(float(text) - kept) < 0.6

            if kept < math.inf:
                await user.until(shown)

            def left(kept: float = kept) -> bool:
                text = user.told(f"{TREE}/Requests/Load/Allowance")
                return bool(text) and abs(float(text) - max(0, surplus - kept)) <= 2

            await user.until(left)


async def test_the_shelly_at_the_grid_and_the_one_at_the_panels(tmp_path: Path, gx: Gx) -> None:
    gx.plant.soc, gx.plant.sun, gx.plant.load = 100, 3000, 1500
    async with (
        Shelly("3em", password="simulated", username="user", power=[-900.0, -700.0, 100.0]) as grid,
        Shelly("plus1pm", power=[612.0], two_way=False) as garage,
    ):
        ini = COMMON.format(meter="true", curve="0") + METERS.format(
            grid=grid.port, garage=garage.port
        )
        async with moved(tmp_path, gx, ini) as user:
            eyes: Any = user.eyes
            await eyes.until("Devices/grid_meter/GridPower", "-1500", 30)
            # As the meter has it: es-ESS took 300 W off the second phase.
            await eyes.until("Devices/grid_meter/GridPowerL2", "-700")
            await eyes.until("Devices/garage/PvPower", "612")
            await eyes.until("Devices/garage/PvPowerL2", "612")
            await eyes.until("Site/Surplus", "1500", 30)
            await user.until(
                lambda: user.told(f"{TREE}/Calculations/Grid/TotalFeedIn") in {"1500", "1500.0"}
            )
            fields = {"Request": 1000, "Consumption": 0, "IsAutomatic": "true"}
            await user.request("Load", **fields)
            await user.until(lambda: user.told(f"{TREE}/Requests/Load/Allowance") == "1000")
            # A meter that is gone keeps nobody's power on; es-ESS kept its last value for ever.
            await grid.stop()
            await eyes.until("Devices/grid_meter/Status", "offline", 60)
            await user.until(lambda: user.told(f"{TREE}/Requests/Load/Allowance") == "0")
            await eyes.until("Devices/garage/PvPower", "612")
