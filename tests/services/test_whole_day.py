"""Every service in one simulated day: a bridge, a fake GX, a real broker, numbers hour by hour.

The clock of the house stands still until all services have answered to an hour; then its battery
moves by what flowed in it and the next hour begins. So a day takes as long as 24 answers do.
"""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest

from actors.devices.fronius_meter.sim import Simulator as Meter
from actors.venus.venus_mqtt.sim import Simulator as Gx
from tests.e2e.house import Eyes, House, house
from tests.venus_mqtt.rig import AC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

AMPERES: Final = "settings/0/Settings/SystemSetup/MaxChargeCurrent"
DEFAULT, STEP, CAPACITY, POWER = -10.0, 250.0, 10_000.0, 3000.0
CIRCLE = 3000.0  # W that flow in on one phase and out on another
BODY = """\
site: {{grid: meter, pv: [ess, roof], battery: ess}}
actors:
  ess:
    {{kind: venus_mqtt, host: 127.0.0.1, port: {gx}, interval: 0.5, default_setpoint: -10,
      min_setpoint: -100, max_setpoint: 12000}}
  meter: {{kind: fronius_meter, host: 127.0.0.1, port: {meter}, interval: 0.5}}
  roof: {{kind: mqtt_pv, power_l2: {{topic: balcony/json, path: ac.watts}}}}
  garden: {{kind: mqtt_sensor, temperature: garden/t}}
  car: {{kind: external}}
  distributor: {{kind: distributor, reservation: 0}}
  lasts: {{kind: time_to_go, capacity: 10000, interval: 0.5, smoothing: 0}}
  bill: {{kind: net_meter, save: 10}}
  gentle: {{kind: charge_current, battery: ess, limit: "100 - SOC", step: 5, interval: 1}}
  guard: {{kind: battery_guard, battery: ess, chargers: car, interval: 1, settle: 2, max: 11000}}
  night:
    {{kind: grid_charge, battery: ess, tariff: dynamic, forecast: sky, control: GridSetpoint,
      power: 3000, capacity: 10000, load: 600, interval: 1}}
"""


@dataclass(frozen=True)
class Hour:
    """price: per kWh; sun: what the GX sees; roof: what it does not; load: without the car. W."""

    price: float
    sun: float = 0.0
    roof: float = 0.0
    load: float = 500.0
    car: float = 0.0

    @property
    def uncovered(self) -> float:
        """W of the car that the sun does not cover."""
        return min(self.car, max(0.0, self.car + self.load - self.sun - self.roof))


NIGHT = [Hour(price, load=400) for price in (0.30, 0.28, 0.12, 0.10, 0.13, 0.27)]
MORNING = [Hour(0.40, load=800)] * 3 + [Hour(0.30, sun=500, roof=50)]
CAR = [
    Hour(0.30, sun=1500, roof=200, car=3700),
    Hour(0.30, sun=4500, roof=300, car=3700),
    Hour(0.30, sun=1000, roof=100, car=7400),
    Hour(0.30, car=7400),
    Hour(0.30, sun=500, car=1400),
]
EVENING = [Hour(0.30)] * 2 + [Hour(0.40, load=1500)] * 4 + [Hour(0.33, load=600)] * 3
DAY: Final = [*NIGHT, *MORNING, *CAR, *EVENING]


# At 0.30 a kWh that comes out again costs 0.30 / 0.85 + 0.05, which is more than the 0.40 of the
# evening; and two hours at up to 0.12 hold all that the morning needs before the sun comes.
CHEAP: Final = {number for number, hour in enumerate(DAY) if hour.price <= 0.12}


class Town:
    """The house around the simulators: what is measured, told and expected in this hour."""

    def __init__(self, gx: Gx, meter: Meter, eyes: Eyes) -> None:
        self.gx, self.meter, self.eyes = gx, meter, eyes
        self.number, self.hour = 0, DAY[0]
        gx.plant.soc = 20.0
        gx.plant.settings[AC], gx.plant.settings[AMPERES] = DEFAULT, 150
        self.wire()

    def wire(self) -> None:
        plant, hour = self.gx.plant, self.hour
        plant.sun, plant.load = hour.sun, hour.load + hour.car - hour.roof
        third = plant.grid / 3
        self.meter.powers = [third + CIRCLE, third - CIRCLE, third]

    async def live(self) -> None:
        while True:
            self.wire()
            said = {
                "heliograph/Devices/car/Power": f"{self.hour.car:g}",
                "balcony/json": json.dumps({"ac": {"watts": self.hour.roof}}),
                "garden/t": f"{5 + self.number / 2:g}",
            }
            for topic, payload in said.items():
                self.eyes._link.connection.send(topic, payload.encode())
            await anyio.sleep(0.2)

    async def begin(self, number: int) -> None:
        """The next hour, and the curves as they are known in it."""
        self.number, self.hour = number, DAY[number]
        at, prices, sky = datetime.now(UTC) - timedelta(minutes=1), [], []
        for hour in DAY[number:]:
            slot = {"start": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
            at += timedelta(hours=1)
            slot["end"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
            prices.append(slot | {"import": hour.price, "export": 0.08})
            sky.append(slot | {"power": hour.sun + hour.roof})
        await self.eyes.publish("Tariffs/dynamic/Curve", json.dumps(prices), retain=True)
        await self.eyes.publish("Forecasts/sky/Curve", json.dumps(sky), retain=True)

    def end(self) -> None:
        """The hour is over: the battery holds what flowed into it."""
        plant = self.gx.plant
        plant.soc = min(max(plant.soc + plant.battery / CAPACITY * 100, 10.0), 100.0)

    def wrong(self) -> list[str]:
        """What is not yet as this hour wants it."""
        plant, hour, eyes = self.gx.plant, self.hour, self.eyes
        state = {name: eyes.json(f"Devices/{name}/State") or {} for name in DEVICES}
        found = state["lasts"]
        left, missing = (
            (each / 100 * CAPACITY * 3600) for each in (plant.soc - 10, 100 - plant.soc)
        )
        seconds = {
            "BatteryTimeToGo": left / -plant.battery if plant.battery <= -20 else None,
            "BatteryTimeToFull": missing / plant.battery if plant.battery >= 20 else None,
        }
        checks = {
            "the guard's setpoint": self.held() or hour.car == 0,
            "the meter": near(state["meter"].get("GridPower"), plant.grid, 2),
            "the net meter": near(state["bill"].get("GridPower"), plant.grid, 2),
            "the roof": near(state["roof"].get("PvPower"), hour.roof, 0.1),
            "the garden": near(state["garden"].get("Temperature"), 5 + self.number / 2, 0.01),
            "the house": near(eyes.json("Site/State"), hour.load + hour.car, 40, "LoadPower"),
            "the charge current": near(plant.settings[AMPERES], 100 - plant.soc, 5),
            "no setpoint without a reason": self.number in CHEAP
            or hour.uncovered > 0
            or plant.setpoint == DEFAULT,
            "what the night buys": self.bought(),
        }
        for name, value in seconds.items():
            checks[name] = near(found.get(name), value, 0.02 * (value or 0) + 5)
        return [name for name, good in checks.items() if not good]

    @property
    def charging(self) -> bool:
        return "charging from the grid" in self.eyes.text("Actors/night/Messages/Operational")

    def bought(self) -> bool:
        """True where the night charges in its hours, and in no other."""
        if self.number in CHEAP:
            return self.charging and self.gx.plant.setpoint == DEFAULT + POWER
        return not self.charging

    def held(self) -> bool:
        """The grid has the car's part, less a step and a half at most, and never more."""
        wanted = self.hour.uncovered
        given = self.gx.plant.setpoint - DEFAULT
        if wanted < STEP:
            return given == 0
        return wanted - 1.5 * STEP <= given <= wanted


DEVICES: Final = ("meter", "bill", "roof", "garden", "lasts")


def near(found: Any, wanted: float | None, by: float, name: str | None = None) -> bool:
    value = found.get(name) if name and isinstance(found, dict) else found
    if value is None or wanted is None:
        return value is wanted
    return math.isclose(float(value), wanted, abs_tol=by)


@contextlib.asynccontextmanager
async def town(mosquitto: Mosquitto, folder: Path) -> AsyncIterator[tuple[House, Town]]:
    async with Gx(heartbeat=0.5) as gx, Meter() as meter:
        body = BODY.format(gx=gx.port, meter=meter.port)
        async with house(mosquitto.port, folder, body, start=False) as (bridge, eyes):
            place = Town(gx, meter, eyes)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(place.live)
                bridge.start()
                await eyes.until("Actors/distributor/Status", "online", 60)
                yield bridge, place
                tasks.cancel_scope.cancel()


async def pass_hour(place: Town, number: int) -> None:
    await place.begin(number)
    left = ["nothing was heard yet"]
    try:
        with anyio.fail_after(90):
            while left:
                await anyio.sleep(0.1)
                left = place.wrong()
    except TimeoutError:
        said = {name: place.eyes.text(f"Actors/{name}/Health") for name in ("guard", "night")}
        raise AssertionError(
            f"hour {number}: {left} at {place.gx.plant.setpoint}: {said}"
        ) from None


def integral(eyes: Eyes) -> tuple[float, float]:
    """Import and export, kWh, of the phases' sum in what the meter told, in very short slices."""
    readings = [json.loads(each) for each in eyes.history("Devices/meter/State") if each]
    points = [
        (
            datetime.fromisoformat(each["at"]).timestamp(),
            sum(each[f"GridPowerL{n}"] for n in (1, 2, 3)),
        )
        for each in readings
    ]
    imported = exported = 0.0
    for (since, first), (until, last) in pairwise(points):
        for part in range(200):
            power = first + (last - first) * (part + 0.5) / 200
            imported += max(power, 0.0) * (until - since) / 200
            exported += max(-power, 0.0) * (until - since) / 200
    return imported / 3.6e6, exported / 3.6e6


def counted(folder: Path) -> tuple[float, float]:
    """What the net meter has kept on disk."""
    copies = [json.loads(path.read_text()) for path in folder.rglob("bill/counters-*.json")]
    newest = max(copies, key=lambda each: each["number"])
    return newest["imported"], newest["exported"]


async def test_every_service_in_one_day(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with town(mosquitto, tmp_path) as (bridge, place):
        plant, written = place.gx.plant, place.gx.player.written
        bought, marks, levels = {}, [], []
        for number in range(len(DAY)):
            marks.append(len(written))
            levels.append(plant.soc)
            await pass_hour(place, number)
            if place.charging:
                bought[number] = plant.battery / 1000
            place.end()
        assert await bridge.end() == 0

        # The night bought in the cheapest hours alone, as much as pays, and not beyond its limit.
        assert set(bought) == CHEAP
        assert min(levels[: min(CHEAP)]) > 10
        assert 60 <= levels[max(CHEAP) + 1] <= 90
        assert plant.settings[AC] == DEFAULT, "the owner's own setpoint is back"
        assert plant.settings[AMPERES] == 150, "and what the limit was"

        # Nothing was written that no hour explains, and flash was spared.
        for path, most in ((AC, 50), (AMPERES, 50)):
            assert sum(each == path for each, _ in written) <= most
        for number, (begin, end) in enumerate(pairwise([*marks, len(written)])):
            now, before = DAY[number], DAY[max(0, number - 1)]
            tops = [
                max(now.uncovered, before.uncovered),
                POWER if {number, number - 1} & set(bought) else 0,
            ]
            for path, value in written[begin:end]:
                if path == AC:
                    assert DEFAULT <= value <= DEFAULT + max(tops), (number, value)

        # The net meter began where the meter stands, and counted the sum of the phases.
        imported, exported = integral(place.eyes)
        first = 2125.5, 5250.25
        found = counted(tmp_path)
        assert imported > 0.005
        assert found[0] - first[0] == pytest.approx(imported, abs=0.0005 + 0.01 * imported)
        assert found[1] - first[1] == pytest.approx(exported, abs=0.0005 + 0.01 * exported)
        shown = place.eyes.json("Devices/bill/State")
        assert shown["GridImportEnergy"] <= found[0] + 1e-3
