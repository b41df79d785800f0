"""A whole house on a broker: a simulated Wattpilot hangs on the wires of a simulated house."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.chargers.wattpilot.sim import PASSWORD, Simulator
from bridge.config import load_text
from bridge.contract import load_contract
from bridge.mqtt import Endpoint
from bridge.simulators.car import Car
from bridge.supervisor import Supervisor
from tests.sim_home.test_actor import Ear, ear
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

HOUSE = """\
state: {state}
site: {{grid: meter, pv: home-pv}}
actors:
  home: {{kind: sim_home, csv: day.csv, loop: false, battery: null, consumers: [], loads: [box],
          meter_port: {meter}, meter_lag: 0}}
  meter: {{kind: shelly, host: 127.0.0.1, port: {meter}, interval: 0.25}}
  box: {{kind: wattpilot, host: 127.0.0.1, port: {box}, password: {password}, interval: 0.5,
         start_delay: 3, stop_delay: 12, min_on: 0, min_off: 5, phase_delay: 5, phase_pause: 10}}
  distributor: {{kind: distributor, reservation: 0, interval: 1}}
"""
SUNNY, CLOUD, MOST = 3000, 800, 9000
LOAD = 500


def write_day(path: Path, parts: list[tuple[int, int]]) -> None:
    """A CSV day of (seconds, W of sun), each part level from its first to its last second."""
    at = datetime(2024, 6, 15, 10, tzinfo=UTC)
    rows = ["utc,pv_w,load_w"]
    for seconds, watts in parts:
        both = (at, at + timedelta(seconds=seconds - 1))
        rows += [f"{moment:%Y-%m-%dT%H:%M:%SZ},{watts},{LOAD}" for moment in both]
        at += timedelta(seconds=seconds)
    path.write_text("\n".join(rows) + "\n")


@contextlib.asynccontextmanager
async def house(
    broker: Mosquitto, folder: Path, box: Simulator, parts: list[tuple[int, int]]
) -> AsyncIterator[Ear]:
    write_day(folder / "day.csv", parts)
    text = HOUSE.format(state=folder / "state", meter=free_port(), box=box.port, password=PASSWORD)
    config = load_text(text, folder / "house.yaml")
    supervisor = Supervisor(config, Endpoint.from_url(broker.url), load_contract())
    async with ear(broker) as heard, anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield heard
        supervisor.stop()


def power(heard: Ear) -> float:
    return heard.number("Devices/box/Power")


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_car_charges_on_surplus_changes_phases_and_lets_a_cloud_pass(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    day = [(16, SUNNY), (26, MOST), (7, CLOUD), (12, MOST), (400, CLOUD)]
    async with Simulator(period=0.25, switch_time=2.0) as box:
        box.car = box.box.car = Car(wakes=1.0, slew=8.0)
        async with house(mosquitto, tmp_path, box, day) as heard:
            # It waits for the sun to last, and says so; then it takes what is left over.
            await heard.until(lambda: "starts in" in (heard.last(REASON) or ""), 20)
            await heard.until(lambda: power(heard) > 1300, 20)
            await heard.until_last("Devices/box/ChargingPhases", "1")
            surplus = SUNNY - LOAD
            await heard.until(lambda: surplus - 300 < power(heard) <= surplus, 20)
            await heard.until(lambda: -400 < heard.number("Devices/meter/GridPower") < 100, 10)
            # Much sun: three phases, after the charge was paused for the change.
            heard.forget()
            await heard.until(lambda: heard.last("Devices/box/ChargingPhases") == "3", 40)
            assert "0" in heard.said("Devices/box/Power")
            assert heard.last("Requests/box/Allowance") is not None
            # A cloud shorter than StopDelay: the least on three phases goes on.
            await heard.until(lambda: "StopDelay" in (heard.last(REASON) or ""), 40)
            heard.forget()
            await heard.until(lambda: heard.number("Devices/home-pv/PvPower") > 8000, 20)
            assert "0" not in heard.said("Devices/box/Power")
            assert min(map(float, heard.said("Devices/box/Power"))) > 4000
            # A cloud that stays: it stops after its delay, and says what it waits for.
            heard.forget()
            await heard.until(lambda: heard.last("Devices/box/VehicleState") == "connected", 60)
            await heard.until(lambda: heard.last("Requests/box/Allowance") == "0", 10)
            wanted = f"waiting for {6 * 230 - (CLOUD - LOAD)} W more"
            await heard.until(lambda: _like(heard.last(REASON), wanted), 30)
            await heard.until(lambda: box.box.keys["psm"] == 1, 30)
        # The bridge has stopped cleanly: the charger is under its own control again.
        assert box.box.keys["frc"] == 0


REASON = "Requests/box/Reason"


def _like(found: str | None, wanted: str) -> bool:
    """The sentence, give or take what a meter and a voltage differ by."""
    if found is None or not found.startswith("waiting for "):
        return False
    return abs(int(found.split()[2]) - int(wanted.split()[2])) <= 60


async def test_a_load_from_elsewhere_is_on_the_meter(mosquitto: Mosquitto, tmp_path: Path) -> None:
    day = [(100, 0)]
    box = Simulator(period=0.25, switch_time=1.0)
    async with box, house(mosquitto, tmp_path, box, day) as heard:
        await heard.until(lambda: heard.number("Devices/meter/GridPower") > 400)
        assert heard.number("Devices/meter/GridPower") == pytest.approx(LOAD, abs=5)
        await heard.until_last("Devices/box/Status", "online")
        await heard.say("Devices/box/ChargeEnable/Set", "true")
        await heard.until(lambda: power(heard) > 2500, 30)
        await heard.until(lambda: heard.number("Devices/meter/GridPower") > 3000, 15)
        await heard.until(lambda: heard.number("Devices/home/LoadPower") > 3000)
