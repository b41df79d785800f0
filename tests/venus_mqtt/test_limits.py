"""Limits of a GX: none at all is a value too, and what a service has set comes back."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from actors.venus.venus_mqtt.sim import Simulator
from actors.venus.venus_mqtt.simulator.player import Player
from tests.actors.kinds import last
from tests.e2e.house import house
from tests.venus_mqtt.rig import bridged
from tests.venus_mqtt.test_controls import answer, ready

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.anyio

DISCHARGE = "settings/0/Settings/CGwacs/MaxDischargePower"
PATHS = {
    "MaxChargeCurrent": ("settings/0/Settings/SystemSetup/MaxChargeCurrent", -1),
    "MaxDischargePower": (DISCHARGE, -1.0),
    "ExportLimit": ("settings/0/Settings/CGwacs/MaxFeedInPower", -1.0),
}


@pytest.mark.parametrize("payload", ["", '{"value": null, "id": "x"}'])
@pytest.mark.parametrize("control", PATHS)
async def test_an_empty_command_means_no_limit(
    control: str, payload: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    path, none = PATHS[control]
    topic = f"heliograph/Devices/dut/{control}"
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        them.connection.send(f"{topic}/Set", b"40", qos=1)
        assert (await answer(them, f"{topic}/Result"))["value"] == 40
        them.connection.send(f"{topic}/Set", payload.encode(), qos=1)
        found = await answer(them, f"{topic}/Result", 2)
        assert (found["ok"], found["value"], found["error"]) == (True, None, None)
        assert player.plant.settings[path] == none
        assert type(player.written[-1][1]) is type(none)
        assert last(them, f"Devices/dut/{control}") == ""
        # Once more is no write.
        count = len(player.written)
        them.connection.send(f"{topic}/Set", payload.encode(), qos=1)
        assert (await answer(them, f"{topic}/Result", 3))["ok"]
        assert len(player.written) == count


async def test_a_minimum_is_never_none(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        them.connection.send("heliograph/Devices/dut/MinSoc/Set", b"", qos=1)
        found = await answer(them, "heliograph/Devices/dut/MinSoc/Result")
        assert "cannot be given back" in found["error"]
        assert player.written == []


async def test_what_cannot_be_put_back_is_left_alone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    player = Player(heartbeat=0.5)
    player.plant.settings[DISCHARGE] = None
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await ready(them)
        topic = "heliograph/Devices/dut/MaxDischargePower"
        them.connection.send(f"{topic}/Set", b"100", qos=1)
        found = await answer(them, f"{topic}/Result")
        assert found["error"].endswith("does not tell its MaxDischargePower, so it is left alone")
        assert player.written == []


async def test_a_gx_that_ignores_it_is_noticed(tmp_path: Path, mosquitto: Mosquitto) -> None:
    player = Player(heartbeat=0.5)
    player.plant.settings[DISCHARGE] = 800.0
    async with bridged(tmp_path, mosquitto.port, player, timeout=0.4) as (_, them):
        await ready(them)
        player.fault = "deaf"
        topic = "heliograph/Devices/dut/MaxDischargePower"
        them.connection.send(f"{topic}/Set", b"", qos=1)
        found = await answer(them, f"{topic}/Result")
        assert found["error"].endswith("did not take it that MaxDischargePower has no limit")


@pytest.mark.slow
@pytest.mark.parametrize("before", [-1.0, 7000.0])
async def test_a_limit_comes_back_after_a_kill_although_its_service_has_gone(
    before: float, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with Simulator() as sim:
        sim.plant.settings[DISCHARGE] = before
        body = f"""\
site: {{grid: gx, pv: gx, battery: gx}}
actors:
  gx: {{kind: venus_mqtt, host: 127.0.0.1, port: {sim.port}, interval: 0.5}}
"""
        async with house(mosquitto.port, tmp_path, body) as (bridge, eyes):
            await eyes.until("Devices/gx/Status", "online", 10)
            set_ = "Devices/gx/MaxDischargePower/Set"
            for watts in (0, 1500):
                command = json.dumps({"value": watts, "by": "guard", "id": f"guard-{watts}"})
                await eyes.publish(set_, command)
                await eyes.until("Devices/gx/MaxDischargePower", f"{watts}", 5)
            await bridge.end(signal.SIGKILL)
            assert sim.plant.settings[DISCHARGE] == 1500
            eyes.forget()
            bridge.start()
            wanted = "" if before < 0 else f"{before:g}"
            await eyes.until("Devices/gx/MaxDischargePower", wanted, 15)
            assert sim.plant.settings[DISCHARGE] == before
            await bridge.end()
