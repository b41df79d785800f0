"""A whole bridge, a simulated house and a simulated Wattpilot: the car charges on sun alone."""

from __future__ import annotations

import contextlib
import re
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.chargers.wattpilot.sim import PASSWORD, Simulator
from tests.e2e.house import Eyes, House, house
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

STOP_DELAY, MIN_ON = 6, 5
HOUSE = """\
site: {{grid: meter, pv: home-pv}}
actors:
  home:
    kind: sim_home
    csv: {csv}
    battery: null
    consumers: []
    loads: [car]
    meter_port: {meter}
    meter_lag: 0.2
    loop: false
  meter: {{kind: shelly, host: 127.0.0.1, port: {meter}, interval: 0.5}}
  car:
    kind: wattpilot
    host: 127.0.0.1
    port: {port}
    password: {password}
    interval: 0.5
    start_delay: 2
    stop_delay: 6
    min_on: 5
    min_off: 3
    phase_delay: 2
    phase_pause: 4
  distributor: {{kind: distributor, strategy: surplus, interval: 1}}
"""
Sun = list[tuple[int, float]]


def day(path: Path, sun: Sun) -> Path:
    """A day of (seconds, W of PV), and 200 W that the house uses."""
    at, rows = datetime(2024, 6, 15, 10, tzinfo=UTC), ["utc,pv_w,load_w"]
    for seconds, watts in sun:
        for _ in range(seconds):
            rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{watts:g},200")
            at += timedelta(seconds=1)
    path.write_text("\n".join(rows) + "\n")
    return path


@contextlib.asynccontextmanager
async def home(
    mosquitto: Mosquitto, folder: Path, sun: Sun
) -> AsyncIterator[tuple[House, Eyes, Simulator]]:
    async with Simulator(period=0.2, switch_time=1.0) as sim:
        sim.car.wakes, sim.car.slew = 0.3, 16.0
        body = HOUSE.format(
            csv=day(folder / "day.csv", sun),
            meter=free_port(),
            port=sim.port,
            password=PASSWORD,
        )
        async with house(mosquitto.port, folder, body) as (process, eyes):
            yield process, eyes, sim


class Watch:
    """Notes what the charger and the sun do, with the second of it."""

    def __init__(self, eyes: Eyes, sim: Simulator) -> None:
        self.eyes, self.sim = eyes, sim
        self.seen: list[tuple[float, bool, int, float]] = []

    async def run(self) -> None:
        while True:
            keys = self.sim.box.keys
            sun = float(self.eyes.text("Devices/home-pv/PvPower") or 0)
            phases = 1 if keys["fsp"] else 3
            now = (anyio.current_time(), bool(keys["alw"]), phases, sun)
            if not self.seen or self.seen[-1][1:] != now[1:]:
                self.seen.append(now)
            await anyio.sleep(0.05)

    def reasons(self) -> Sequence[str]:
        return [each.decode() for each in self.eyes.history("Requests/car/Reason")]


async def test_an_ev_charges_on_surplus_alone(mosquitto: Mosquitto, tmp_path: Path) -> None:
    sun = [(9, 900.0), (9, 3000.0), (13, 9000.0), (3, 300.0), (8, 9000.0), (40, 300.0)]
    async with home(mosquitto, tmp_path, sun) as (_, eyes, sim):
        watch = Watch(eyes, sim)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.run)
            await check_the_day(eyes, sim, watch)
            tasks.cancel_scope.cancel()


async def check_the_day(eyes: Eyes, sim: Simulator, watch: Watch) -> None:
    # Too little sun: it waits, and says for what.
    await eyes.until("Devices/car/VehicleState", "connected", 20)
    await eyes.until("Requests/car/Reason", lambda text: "waiting for" in text and "W" in text, 15)
    assert sim.box.starts == 0
    assert not sim.box.keys["alw"]

    # 2800 W are left: one phase, and never more than that.
    await eyes.until("Devices/car/Power", lambda text: float(text) > 2000, 25)
    assert (sim.box.keys["fsp"], sim.box.keys["psm"]) == (True, 1)
    assert sim.box.power <= 2800
    await eyes.until("Devices/car/Power", lambda text: 2500 < float(text) <= 2800, 10)
    await eyes.until("Devices/meter/GridPower", lambda text: -400 < float(text) < 100, 10)
    await eyes.until("Devices/car/ChargingPhases", "1", 5)

    # 8800 W are left: three phases, after a pause without current.
    await eyes.until("Devices/car/ChargingPhases", "3", 30)
    await eyes.until("Devices/car/Power", lambda text: float(text) > 6000, 20)
    assert sim.box.keys["psm"] == 2
    starts, switches = sim.box.starts, sim.box.switches
    assert starts == 2, "once to begin, once after the change of phases"

    # A short cloud: nothing is switched, the least on three phases goes on.
    await eyes.until("Devices/home-pv/PvPower", lambda text: float(text) < 1000, 30)
    drawn = len(eyes.history("Devices/car/Power"))
    await eyes.until("Devices/home-pv/PvPower", lambda text: float(text) > 8000, 10)
    assert min(map(float, eyes.history("Devices/car/Power")[drawn - 1 :])) > 4000
    assert (sim.box.starts, sim.box.switches) == (starts, switches)
    assert sim.box.keys["alw"]

    # A long one: it stops, but only after its delay.
    await eyes.until("Devices/home-pv/PvPower", lambda text: float(text) < 1000, 30)
    clouded = anyio.current_time()
    await eyes.until("Devices/car/VehicleState", "connected", 30)
    waited = anyio.current_time() - clouded
    assert STOP_DELAY - 1 < waited < STOP_DELAY + 8
    assert sim.box.starts == starts
    assert sim.box.power == 0
    await eyes.until("Requests/car/Reason", says_what_it_waits_for, 15)
    assert_it_paused_for_the_phases(watch)


def says_what_it_waits_for(text: str) -> bool:
    """6 A on one phase, of which 100 W are left over; give or take what a meter differs by."""
    found = re.fullmatch(r"waiting for (\d+) W more", text)
    return found is not None and abs(int(found[1]) - (6 * 230 - 100)) <= 60


def assert_it_paused_for_the_phases(watch: Watch) -> None:
    """The phases were never changed while the charger let the car charge."""
    for before, after in zip(watch.seen, watch.seen[1:], strict=False):
        if before[2] != after[2]:
            assert not before[1], f"{before} -> {after}"


async def test_a_killed_bridge_and_the_next_one(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with home(mosquitto, tmp_path, [(120, 3000.0)]) as (process, eyes, sim):
        sim.box.set("amp", 14)
        await eyes.until("Devices/car/Power", lambda text: float(text) > 2000, 40)
        await process.end(signal.SIGKILL)
        # It has no watchdog: this is what the README says of it.
        sim.commands.clear()
        await anyio.sleep(3)
        sim.move()
        assert sim.box.power > 1000
        assert sim.commands == []

        eyes.forget()
        process.start()
        with anyio.fail_after(20):
            while not sim.commands:  # noqa: ASYNC110 - the simulator has no event for it
                await anyio.sleep(0.02)
            await anyio.sleep(0.2)
        # First of all it is given back, as it was found before anybody wrote to it.
        assert sim.commands[:3] == [("frc", 0), ("psm", 0), ("amx", 14)]
        assert not sim.box.keys["alw"]
        await eyes.until("Devices/car/Power", lambda text: float(text) > 2000, 40)

        await process.end(signal.SIGTERM)
        found: dict[str, Any] = sim.box.keys
        assert (found["frc"], found["psm"], found["amx"]) == (0, 0, 14)
        sim.move()
        assert sim.box.power == 0


async def test_no_sun_without_a_meter(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The day ends with its last row, and with it the meter: the car must not go on."""
    async with home(mosquitto, tmp_path, [(20, 3000.0)]) as (_, eyes, sim):
        await eyes.until("Devices/car/Power", lambda text: float(text) > 2000, 40)
        await eyes.until("Devices/meter/Status", "offline", 40)
        with anyio.fail_after(30):
            while sim.box.keys["frc"] != 1:  # noqa: ASYNC110 - the simulator has no event for it
                await anyio.sleep(0.05)
        await eyes.until("Devices/car/Power", "0", 10)
        assert "silent" in eyes.text("Requests/car/Reason")
