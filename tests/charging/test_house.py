"""A simulated Wattpilot hangs on the wires of a simulated house: its power is on the meter.

How the car then charges on the sun is in tests/wattpilot/test_house.py.
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.chargers.wattpilot.sim import PASSWORD, Simulator
from bridge.config import load_text
from bridge.contract import load_contract
from bridge.mqtt import Endpoint
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
  distributor: {{kind: distributor, strategy: surplus, reservation: 0, interval: 1}}
"""
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


def result(heard: Any) -> dict[str, Any]:
    """What became of the newest command."""
    found: dict[str, Any] = json.loads(heard.last("Devices/box/ChargeEnable/Result") or "{}")
    return {"id": None, "ok": False} | found


async def test_a_load_from_elsewhere_is_on_the_meter(mosquitto: Mosquitto, tmp_path: Path) -> None:
    day = [(100, 0)]
    box = Simulator(period=0.25, switch_time=1.0)
    box.car.wakes = 0.3
    async with box, house(mosquitto, tmp_path, box, day) as heard:
        await heard.until(lambda: heard.number("Devices/meter/GridPower") > 400)
        assert heard.number("Devices/meter/GridPower") == pytest.approx(LOAD, abs=5)
        await heard.until_last("Devices/box/Status", "online")
        for attempt in ("first", "second", "third"):  # a box that has just started may be pausing
            command = {"value": True, "id": attempt}
            await heard.say("Devices/box/ChargeEnable/Set", json.dumps(command))
            await heard.until(lambda: result(heard)["id"] == attempt, 20)  # noqa: B023 - at once
            if result(heard)["ok"]:
                break
        assert result(heard)["ok"], result(heard)
        await heard.until(lambda: power(heard) > 2500, 30)
        await heard.until(lambda: heard.number("Devices/meter/GridPower") > 3000, 15)
        await heard.until(lambda: heard.number("Devices/home/LoadPower") > 3000)
