"""Sensors, inverters and counters of a whole bridge on a real broker, killed in the middle."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.e2e.house import Eyes, House, house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LIMIT = "solar/1/cmd/limit_nonpersistent_relative"
BODY = """\
site: {grid: meter, pv: roof, battery: ess}
actors:
  meter: {kind: external}
  ess: {kind: external}
  distributor: {kind: distributor, reservation: 0}
  garden:
    kind: mqtt_sensor
    temperature: {topic: tele/garden/SENSOR, path: BME280.Temperature}
    humidity: heliograph/Devices/esp/Humidity
    stale: 5
  roof:
    kind: mqtt_pv
    power_l1: solar/1/0/power
    energy: {topic: solar/1/json, path: total, factor: 0.001}
    stale: 3
    limit: solar/1/cmd/limit_nonpersistent_relative
    rated_power: 1000
    zero_feed_in: {soc: 98, interval: 1, step: 20}
  ttg: {kind: time_to_go, capacity: 10000, min_soc: 10, interval: 0.5, smoothing: 0}
  bill: {kind: net_meter, save: 10, import_start: 100, export_start: 50}
"""


class Town:
    """Everything that is told twice a second; None keeps silent."""

    def __init__(self, eyes: Eyes) -> None:
        self._link = eyes._link
        self.said: dict[str, Any] = {
            "heliograph/Devices/meter/GridPower": 200,
            "heliograph/Devices/ess/BatteryPower": 500,
            "heliograph/Devices/ess/BatterySoc": 60,
            "heliograph/Devices/esp/Humidity": 55,
            "tele/garden/SENSOR": json.dumps({"BME280": {"Temperature": 21.25}}),
            "solar/1/0/power": 800,
            "solar/1/json": json.dumps({"total": 1234500}),
        }

    async def talk(self) -> None:
        while True:
            for topic, value in self.said.items():
                if value is not None:
                    self._link.connection.send(topic, str(value).encode())
            await anyio.sleep(0.5)

    def limits(self) -> list[float]:
        return [float(each) for each in self._link.payloads(LIMIT)]


@contextlib.asynccontextmanager
async def town(mosquitto: Mosquitto, folder: Path) -> AsyncIterator[tuple[House, Eyes, Town]]:
    async with house(mosquitto.port, folder, BODY) as (bridge, eyes):
        found = Town(eyes)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.talk)
            yield bridge, eyes, found
            tasks.cancel_scope.cancel()


async def until(check: Any, limit: float = 20.0) -> None:
    with anyio.fail_after(limit):
        while not check():  # noqa: ASYNC110 - the link has no event
            await anyio.sleep(0.02)


async def test_what_others_publish_becomes_devices_and_grows_old(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with town(mosquitto, tmp_path) as (bridge, eyes, place):
        await eyes.until("Devices/garden/Temperature", "21.25")
        await eyes.until("Devices/garden/Humidity", "55")
        await eyes.until("Devices/roof/PvPower", "800")
        await eyes.until("Devices/roof/PvPowerL1", "800")
        await eyes.until("Devices/roof/PvEnergy", "1234.5")
        # (60 - 10) % of 10 kWh at 500 W
        await eyes.until("Devices/ttg/BatteryTimeToGo", "36000")
        await eyes.until("Site/LoadPower", "1500")

        place.said["heliograph/Devices/ess/BatteryPower"] = -2000
        await eyes.until("Devices/ttg/BatteryTimeToFull", "7200")
        await eyes.until(
            "Devices/ttg/State", lambda text: json.loads(text)["BatteryTimeToGo"] is None
        )

        place.said["tele/garden/SENSOR"] = '{"BME280": {"Temperature": "warm"}}'
        await eyes.until(
            "Actors/garden/Health", lambda text: "is not a number but 'warm'" in text, 10
        )
        # The humidity goes on; the temperature is unknown once it is old.
        await eyes.until("Devices/garden/Temperature", "", 10)
        assert eyes.json("Devices/garden/State")["Humidity"] == 55
        place.said["tele/garden/SENSOR"] = '{"BME280": {"Temperature": 20}}'
        await eyes.until("Devices/garden/Temperature", "20")
        await eyes.until("Actors/garden/Health", lambda text: '"ok"' in text)

        place.said["solar/1/0/power"] = place.said["solar/1/json"] = None
        await eyes.until("Devices/roof/Status", "stale", 12)
        await eyes.until("Devices/roof/PvPower", "", 5)
        await eyes.until("Devices/roof/Status", "offline", 25)
        words = "nothing that can be used has come on solar/1/0/power"
        await eyes.until("Actors/roof/Health", lambda text: words in text)
        assert await bridge.end() == 0


async def test_net_counters_go_on_after_kill_9(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with town(mosquitto, tmp_path) as (bridge, eyes, place):
        place.said["heliograph/Devices/meter/GridPower"] = 36_000  # 0.01 kWh a second
        await eyes.until(
            "Devices/bill/GridImportEnergy", lambda text: bool(text) and float(text) > 100
        )
        await eyes.until("Devices/bill/GridExportEnergy", "50")
        place.said["heliograph/Devices/meter/GridPower"] = -36_000
        await eyes.until(
            "Devices/bill/GridExportEnergy", lambda text: bool(text) and float(text) > 50, 25
        )
        before = eyes.json("Devices/bill/State")
        assert before["GridPower"] == -36_000
        await bridge.end(signal.SIGKILL)
        place.said["heliograph/Devices/meter/GridPower"] = 0
        eyes.forget()
        bridge.start()
        await eyes.until("Devices/bill/State", True, 20)
        after = eyes.json("Devices/bill/State")
        for name in ("GridImportEnergy", "GridExportEnergy"):
            assert after[name] == before[name], "nothing shown was lost, nothing made up"
        assert await bridge.end() == 0


async def test_throttling_lets_go_when_it_is_blind_stopped_or_killed(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with town(mosquitto, tmp_path) as (bridge, eyes, place):
        await eyes.until("Actors/roof/Messages/Operational", lambda text: "battery takes" in text)
        assert all(each == 100 for each in place.limits())
        place.said |= {
            "heliograph/Devices/ess/BatteryPower": 0,
            "heliograph/Devices/ess/BatterySoc": 100,
            "heliograph/Devices/meter/GridPower": -300,
        }
        await until(lambda: place.limits() and place.limits()[-1] <= 45)  # 800 - 300 - 50
        assert eyes.text("Devices/roof/PvLimit")
        place.said |= {"heliograph/Devices/meter/GridPower": 50, "solar/1/0/power": 450}

        place.said["heliograph/Devices/meter/GridPower"] = None
        await until(lambda: place.limits()[-1] == 100)
        await eyes.until("Actors/roof/Messages/Warning", lambda text: "not throttled" in text, 5)
        place.said["heliograph/Devices/meter/GridPower"] = -300
        await until(lambda: place.limits()[-1] < 50)

        await bridge.end(signal.SIGKILL)
        assert place.limits()[-1] < 50, "nobody has lifted it"
        place.said["heliograph/Devices/ess/BatterySoc"] = 50
        eyes.forget()
        bridge.start()
        await until(lambda: place.limits() and place.limits()[-1] == 100, 10)

        place.said["heliograph/Devices/ess/BatterySoc"] = 100
        await until(lambda: place.limits()[-1] < 50)
        assert await bridge.end() == 0
        assert place.limits()[-1] == 100
