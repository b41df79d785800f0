"""The simulated house on a real broker: read through a real meter, obeying real allowances."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiomqtt
import anyio
import pytest

from bridge.cli.read import make_device
from bridge.config import load_text
from bridge.contract import load_contract
from bridge.mqtt import Endpoint
from bridge.supervisor import Supervisor
from tests.support.mosquitto import Mosquitto, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

NODELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
PATIENCE = 15.0


class Ear:
    """A client of the broker that remembers what it heard, in order, below the base."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, str]] = []
        self._news = anyio.Event()

    async def listen(self) -> None:
        async for message in self.client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            self.heard.append((message.topic.value.partition("/")[2], payload.decode()))
            news, self._news = self._news, anyio.Event()
            news.set()

    def last(self, topic: str) -> str | None:
        return next((text for where, text in reversed(self.heard) if where == topic), None)

    def number(self, topic: str) -> float:
        return float(self.last(topic) or "nan")

    def said(self, topic: str) -> list[str]:
        return [text for where, text in self.heard if where == topic]

    async def until(self, is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
        with anyio.move_on_after(seconds):
            while not is_so():
                await self._news.wait()
            return
        pytest.fail(f"not within {seconds} s; heard at last {self.heard[-20:]}")

    async def until_last(self, topic: str, text: str, seconds: float = PATIENCE) -> None:
        await self.until(lambda: self.last(topic) == text, seconds)

    async def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        await self.client.publish(f"heliograph/{topic}", text, qos=1, retain=retain)

    def forget(self) -> None:
        self.heard.clear()


@asynccontextmanager
async def ear(broker: Mosquitto) -> AsyncIterator[Ear]:
    client = aiomqtt.Client("127.0.0.1", broker.port, socket_options=NODELAY, timeout=3)
    async with client, anyio.create_task_group() as tasks:
        await client.subscribe("heliograph/#", qos=1)
        listener = Ear(client)
        tasks.start_soon(listener.listen)
        yield listener
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def house(
    broker: Mosquitto, folder: Path, settings: str, *, meter: bool = True
) -> AsyncIterator[Supervisor]:
    """A bridge with a simulated house of these settings and a Shelly actor that reads it."""
    port = free_port()
    lines = [
        f"state: {folder / 'state'}",
        "actors:",
        f"  home: {{kind: sim_home, meter_port: {port}, {settings}}}",
    ]
    if meter:
        lines.append(f"  meter: {{kind: shelly, host: 127.0.0.1, port: {port}, interval: 0.25}}")
    config = load_text("\n".join(lines), folder / "house.yaml")
    supervisor = Supervisor(config, Endpoint.from_url(broker.url), load_contract())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield supervisor
        supervisor.stop()


async def test_its_grid_power_is_read_through_a_real_meter(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    quiet = "meter_lag: 0, date: 2024-06-15, seed: 3, consumers: [], start: '12:00'"
    async with ear(mosquitto) as heard, house(mosquitto, tmp_path, quiet):
        await heard.until_last("Devices/meter/Status", "online")
        for device in ("home-pv", "home-battery", "home"):
            await heard.until_last(f"Devices/{device}/Status", "online")
        await heard.until(lambda: heard.number("Devices/home-pv/PvPower") > 5000)

        def balanced() -> bool:
            parts = [
                heard.number(f"Devices/{topic}")
                for topic in ("home-pv/PvPower", "meter/GridPower", "home-battery/BatteryPower")
            ]
            load = heard.number("Devices/home/LoadPower")
            return abs(sum(parts) - load) < 5 and parts[1] < -300 and parts[2] < -4900

        await heard.until(balanced)
        state = json.loads(heard.last("Devices/home-battery/State") or "{}")
        assert -5000 <= state["BatteryPower"] < -4900  # it charges with all it can
        assert 55 <= state["BatterySoc"] < 56
        assert state["BatteryCapacity"] == 10_000
        info = json.loads(heard.last("Devices/home-pv/Info") or "{}")
        assert info["model"] == "simulated PV"
        phases = [heard.number(f"Devices/meter/GridPowerL{n}") for n in (1, 2, 3)]
        assert sum(phases) == pytest.approx(heard.number("Devices/meter/GridPower"), abs=30)


async def test_its_consumers_ask_obey_and_stop(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = "meter_lag: 0, battery: null, kwp: 0, start: '02:30', seed: 2"
    async with ear(mosquitto) as heard, house(mosquitto, tmp_path, settings):
        for name, watts in (("ev", "11000"), ("heater", "3000"), ("pump", "750")):
            await heard.until_last(f"Requests/{name}/Request", watts)
        await heard.until_last("Requests/dehumidifier/CustomName", "Dehumidifier")
        await heard.until_last("Requests/ev/Minimum", "1380")
        assert heard.last("Requests/ev/Priority") == "35"
        assert heard.last("Requests/ev/IsAutomatic") == "true"
        await heard.until_last("Requests/heater/Consumption", "0")
        await heard.until(lambda: heard.number("Devices/meter/GridPower") < 500)

        await heard.say("Requests/heater/Allowance", "2999")
        await heard.until_last("Requests/heater/Consumption", "2000", 3)
        await heard.until(lambda: 2000 < heard.number("Devices/meter/GridPower") < 2500, 3)
        await heard.say("Requests/ev/Allowance", "1500")
        await heard.until_last("Requests/ev/Consumption", "1380", 4)

        heard.forget()
        await heard.say("Actors/distributor/Status", "offline")
        await heard.until_last("Requests/heater/Consumption", "0", 1.5)
        await heard.until_last("Requests/ev/Consumption", "0", 1.5)
        await heard.until(lambda: heard.number("Devices/meter/GridPower") < 500, 3)
        await heard.say("Requests/heater/Allowance", "3000")
        await anyio.sleep(1.5)
        assert heard.last("Requests/heater/Consumption") == "0"

        heard.forget()
        await heard.say("Actors/distributor/Status", "online")
        await heard.until(lambda: heard.last("Requests/ev/Request") == "11000", 1.5)
        await heard.until_last("Requests/heater/StepSize", "1000", 1)
        await heard.say("Requests/heater/Allowance", "1000")
        await heard.until_last("Requests/heater/Consumption", "1000", 3)

    assert heard.last("Requests/heater/Request") == "0"
    assert heard.last("Requests/heater/Consumption") == "0"
    assert heard.last("Devices/home/Status") == "offline"
    assert heard.last("Devices/home-pv/Status") == "offline"
    assert heard.last("Actors/home/Status") == "offline"


async def test_a_retained_allowance_is_no_lease(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with ear(mosquitto) as heard:
        await heard.say("Requests/heater/Allowance", "3000", retain=True)
        await heard.say("Actors/distributor/Status", "online", retain=True)
        async with house(mosquitto, tmp_path, "consumers: [heater], loop: true", meter=False):
            await heard.until_last("Requests/heater/Consumption", "0")
            await anyio.sleep(2)
            assert heard.said("Requests/heater/Consumption")[-1] == "0"
            assert set(heard.said("Requests/heater/Consumption")) == {"0"}
            await heard.say("Requests/heater/Allowance", "3000", retain=True)
            await heard.until_last("Requests/heater/Consumption", "3000", 3)


async def test_a_broker_that_comes_back_hears_the_requests_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto, tmp_path, "consumers: [pump]", meter=False):
        async with ear(mosquitto) as heard:
            await heard.until_last("Requests/pump/Request", "750", 35)
        mosquitto.restart(kill=True)
        async with ear(mosquitto) as heard:
            await heard.until_last("Requests/pump/Request", "750", 8)
            await heard.until_last("Requests/pump/CustomName", "Pool pump", 1)


async def test_a_recorded_day_is_replayed_at_speed_and_ends(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    rows = "".join(f"2023-06-01T{10 + k // 60}:{k % 60:02}Z,4000,800\n" for k in range(180))
    (tmp_path / "day.csv").write_text("utc,pv_w,load_w\n" + rows)
    settings = "csv: day.csv, speed: 1800, loop: false, battery: {soc: 20}, consumers: []"
    async with ear(mosquitto) as heard, house(mosquitto, tmp_path, settings, meter=False):
        await heard.until_last("Devices/home-pv/PvPower", "4000")
        await heard.until(lambda: heard.number("Devices/home-battery/BatterySoc") > 60)
        await heard.until_last("Actors/home/Status", "offline")
        assert heard.last("Devices/home-pv/Status") == "offline"
        assert "crashed" not in (heard.last("Actors/home/Health") or "")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("2023-06-01T10:00Z,a,1\n", "day.csv:2: 'a' in pv_w is not a number of watts"),
        ("", "the file needs at least two rows with a time"),
    ],
)
async def test_what_is_wrong_with_a_recorded_day_is_said(
    mosquitto: Mosquitto, tmp_path: Path, rows: str, sentence: str
) -> None:
    (tmp_path / "day.csv").write_text("utc,pv_w,load_w\n" + rows)
    async with ear(mosquitto) as heard, house(mosquitto, tmp_path, "csv: day.csv", meter=False):
        await heard.until(lambda: sentence in (heard.last("Actors/home/Health") or ""))


async def test_a_meter_port_that_is_taken_is_said(mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = f"consumers: [], meter_port: {mosquitto.port}"
    text = f"state: {tmp_path}\nactors:\n  home: {{kind: sim_home, {settings}}}\n"
    config = load_text(text, tmp_path / "house.yaml")
    supervisor = Supervisor(config, Endpoint.from_url(mosquitto.url), load_contract())

    def health(heard: Ear) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(heard.last("Actors/home/Health") or "{}")
        return found

    async with ear(mosquitto) as heard, anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        await heard.until(lambda: health(heard).get("error") is not None)
        assert health(heard)["error"] == (
            f"the simulated meter cannot answer on 127.0.0.1:{mosquitto.port}: something else "
            "listens there; choose another meter_port"
        )
        supervisor.stop()


async def test_it_can_be_read_without_a_bridge(tmp_path: Path) -> None:
    text = f"state: {tmp_path}\nactors:\n  home: {{kind: sim_home, start: '12:00'}}\n"
    device = make_device(load_text(text, tmp_path / "house.yaml"), load_contract(), "home")
    values = await device.read_once()
    assert set(values) == set(device.quantities)
    assert values["PvPower"] == pytest.approx(8490, abs=100)
    assert values["BatterySoc"] == pytest.approx(55, abs=0.1)
