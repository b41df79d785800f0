"""The running bridge announces itself and its devices, and cleans up what it finds of old."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio

from actors.devices.external.actor import Settings
from bridge.config import Config
from bridge.config.model import ActorConfig
from bridge.contract import load_contract
from bridge.discovery import House, device_messages
from bridge.supervisor import Supervisor
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto


async def test_a_bridge_starts_and_the_device_it_lost_disappears(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    contract = load_contract()
    actors = {"meter": ActorConfig("meter", "external", Settings())}
    supervisor = Supervisor(
        Config(state=tmp_path, actors=actors), endpoint(mosquitto.port), contract
    )
    old = device_messages(contract, House("heliograph"), "old", quantities=["Power"])
    (gone,) = old
    async with link(endpoint(mosquitto.port), "home", filters=("homeassistant/#",)) as them:
        them.connection.send(gone, json.dumps(old[gone]).encode(), qos=1, retain=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            await them.until(lambda: them.payloads(gone)[-1:] == [b""])
            own = "homeassistant/device/heliograph_bridge/config"
            announced = json.loads(them.payloads(own)[-1])
            assert sorted(announced["cmps"]) == ["Status", "Version"]
            them.connection.send("heliograph/Devices/meter/GridPower", b"5")
            meter = "homeassistant/device/heliograph_meter/config"
            await them.until(lambda: them.payloads(meter))
            assert "GridPower" in json.loads(them.payloads(meter)[-1])["cmps"]
            supervisor.stop()
        await anyio.sleep(0.1)
        assert them.payloads(meter)[-1], "a stop is no reason to forget a device"
