"""A real Home Assistant reads what we publish. It needs a Python of its own, newer than ours.

HELIOGRAPH_HOME_ASSISTANT names the Python of an environment with `homeassistant` (2024.11 or
later, with its `paho-mqtt`); without it these tests are left out.
"""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.contract import load_contract
from bridge.discovery import House, device_messages, removal, shape_of
from tests.discovery.test_messages import entities, everything
from tests.runtime.links import endpoint, link
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import Process

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

PYTHON = os.environ.get("HELIOGRAPH_HOME_ASSISTANT")
SCRIPT = Path(__file__).parents[1] / "oracles" / "home_assistant_check.py"
CONTRACT = load_contract()
DEVICE, COMPONENTS = House("heliograph"), House("heliograph", form="components")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(PYTHON is None, reason="HELIOGRAPH_HOME_ASSISTANT names no Python"),
]


class Home:
    """Publishes, waits, and asks Home Assistant what it has."""

    def __init__(self, process: Process, them: Link) -> None:
        self.process = process
        self.link = them
        self._text = ""

    async def send(self, topic: str, payload: object) -> None:
        raw = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
        self.link.connection.send(topic, b"" if payload is None else raw, qos=1, retain=True)
        await self.link.connection.flush()

    async def state(self, address: str, payload: object) -> None:
        await self.send(f"heliograph/{address}", payload)

    async def look(self, seconds: float = 3) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        await self.process.stdin.send(f"{seconds}\n".encode())
        with anyio.fail_after(60 + seconds):
            while "\n" not in self._text:
                self._text += (await self.process.stdout.receive()).decode()
        line, _, self._text = self._text.partition("\n")
        found: dict[str, Any] = json.loads(line)
        return found


@asynccontextmanager
async def home(port: int, folder: Path) -> AsyncIterator[Home]:
    assert PYTHON is not None
    command = [PYTHON, str(SCRIPT), "127.0.0.1", str(port), str(free_port()), str(folder)]
    async with (
        link(endpoint(port), "person") as them,
        await anyio.open_process(command, stderr=None) as process,
    ):
        try:
            yield Home(process, them)
        finally:
            assert process.stdin is not None
            await process.stdin.aclose()
            with anyio.move_on_after(10, shield=True) as limit:
                await process.wait()
            if limit.cancelled_caught:
                process.kill()


async def announce(house: Home, messages: dict[str, Any]) -> None:
    for topic, payload in messages.items():
        await house.send(topic, payload)


async def all_online(house: Home) -> None:
    for address in ("Bridge/Status", "Devices/meter/Status", "Actors/distributor/Status"):
        await house.state(address, "online")


async def test_it_accepts_all_and_understands_the_states(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with home(mosquitto.port, tmp_path) as house:
        await announce(house, everything(DEVICE))
        await all_online(house)
        reading = {"at": "x", "GridPower": -5.5, "PvPower": None, "InverterState": "running"}
        await house.state("Devices/meter/State", reading)
        await house.state("Devices/meter/BatterySetpoint", "-1500")
        await house.state("Devices/meter/Switch", "true")
        grant = {"allowance": 5, "automatic": True, "priority": 3.5}
        await house.state("Requests/pool/Grant", grant)
        await house.state("Requests/ev-1", {"request": 3000})
        found = await house.look(5)
        assert set(found["entities"]) == set(entities(everything(DEVICE)))
        assert found["devices"] == ["Heliograph", "Pool pump", "Site", "ev-1", "meter"]
        assert found["complaints"] == []
        states = {
            name.removeprefix("heliograph_"): each for name, each in found["entities"].items()
        }
        assert states["meter_GridPower"] == "-5.5"
        assert states["meter_PvPower"] == states["meter_BatteryState"] == "unknown"
        assert states["meter_InverterState"] == "running"
        assert states["meter_BatterySetpoint"] == "-1500.0"
        assert states["meter_Switch"] == states["request_pool_IsAutomatic"] == "on"
        assert states["request_pool_Priority"] == "3.5"
        assert states["request_ev-1_Request"] == "3000"

        await house.state("Devices/meter/BatterySetpoint", None)
        await house.state("Devices/meter/State", {"at": "x", "PvPower": 7, "GridPower": None})
        states = (await house.look(1))["entities"]
        assert states["heliograph_meter_BatterySetpoint"] == "unknown"
        assert states["heliograph_meter_GridPower"] == "unknown"
        assert states["heliograph_meter_PvPower"] == "7"

        await house.state("Devices/meter/Status", "stale")
        states = (await house.look(1))["entities"]
        assert states["heliograph_meter_PvPower"] == "unavailable"
        assert states["heliograph_bridge_Status"] == "on"
        await house.state("Bridge/Status", "offline")
        assert (await house.look(1))["entities"]["heliograph_bridge_Status"] == "off"


async def test_switching_the_form_keeps_every_entity_and_removal_removes(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with home(mosquitto.port, tmp_path) as house:
        names = ["GridPower", "PvPower", "InverterState"]
        controls = [CONTRACT.control("Switch"), CONTRACT.control("MinSoc")]
        single, several = (
            device_messages(CONTRACT, each, "meter", quantities=names, controls=controls)
            for each in (DEVICE, COMPONENTS)
        )
        await announce(house, single)
        await all_online(house)
        await house.state("Devices/meter/State", {"at": "x", "PvPower": 7})
        before = (await house.look())["entities"]
        assert before["heliograph_meter_PvPower"] == "7"
        for old, new in ((single, several), (several, single)):
            for topic, payload in removal(shape_of(old), new):
                await house.send(topic, payload)
            assert (await house.look())["entities"] == before
        less = device_messages(CONTRACT, DEVICE, "meter", quantities=["PvPower"])
        for topic, payload in removal(shape_of(single), less):
            await house.send(topic, payload)
        assert set((await house.look())["entities"]) == {"heliograph_meter_PvPower"}
        for topic, payload in removal(shape_of(less), {}):
            await house.send(topic, payload)
        found = await house.look()
        assert found["entities"] == {}
        assert found["devices"] == []
