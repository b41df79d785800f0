"""The relays of a GX: read whatever they are for, switched where they are the owner's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.venus.venus_mqtt.decode import Found, Gone
from actors.venus.venus_mqtt.relays import numbered, relays
from actors.venus.venus_mqtt.simulator.player import Player
from tests.actors.kinds import last
from tests.venus_mqtt.rig import bridged
from tests.venus_mqtt.test_controls import answer, ready

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

STATE = "system/0/Relay/{}/State"
FUNCTION = "settings/0/Settings/Relay/1/Function"


async def tell(them: Link, relay: int, payload: str, count: int = 1) -> dict[str, Any]:
    topic = f"heliograph/Devices/dut-relay{relay}/Switch"
    them.connection.send(f"{topic}/Set", payload.encode(), qos=1)
    return await answer(them, f"{topic}/Result", count)


@pytest.mark.anyio
async def test_each_is_a_device_with_a_switch(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: last(them, "Devices/dut-relay2/Switch") == "false")
        await them.until(lambda: last(them, "Devices/dut-relay1/Switch") == "false")
        assert last(them, "Devices/dut-relay1/Status") == "online"
        info = json.loads(last(them, "Devices/dut-relay1/Info") or "{}")
        assert info["model"] == "Relay 1 of a GX"
        player.plant.settings[STATE.format(0)] = 1  # an alarm
        await them.until(lambda: last(them, "Devices/dut-relay1/Switch") == "true")
        found = await tell(them, 2, "on")
        assert (found["ok"], found["value"]) == (True, True)
        assert player.written == [(STATE.format(1), 1)]
        assert type(player.written[0][1]) is int
        assert last(them, "Devices/dut-relay2/Switch") == "true"
        assert (await tell(them, 2, "true", 2))["ok"]
        assert len(player.written) == 1, "the same again is no write"
        assert (await tell(them, 2, "off", 3))["value"] is False
        assert player.plant.settings[STATE.format(1)] == 0


@pytest.mark.anyio
async def test_one_that_is_for_something_else_is_not_touched(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port, timeout=0.5) as (player, them):
        await them.until(lambda: last(them, "Devices/dut-relay2/Switch") == "false")
        words = "choose Manual as its function on the GX first"
        found = await tell(them, 1, "on")
        assert found["error"] == f"relay 1 of the GX is for alarms: {words}"
        assert (found["ok"], found["value"]) == (False, False)
        player.plant.settings[FUNCTION] = 4
        assert "is for temperatures" in (await tell(them, 2, "on"))["error"]
        player.plant.settings[FUNCTION] = 99
        assert "is for something else" in (await tell(them, 2, "on", 2))["error"]
        del player.plant.settings[FUNCTION]
        assert "does not tell what its relay 2 is for" in (await tell(them, 2, "on", 3))["error"]
        assert player.written == []


@pytest.mark.anyio
async def test_one_that_is_switched_off_in_the_settings_is_unknown(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    player = Player(heartbeat=0.5)
    player.plant.settings[STATE.format(1)] = 1
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await them.until(lambda: last(them, "Devices/dut-relay2/Switch") == "true")
        player.plant.settings[STATE.format(1)] = None
        player.plant.settings[FUNCTION] = -1
        await them.until(lambda: last(them, "Devices/dut-relay2/Switch") == "")
        assert "switched off in its settings" in (await tell(them, 2, "on"))["error"]


@pytest.mark.anyio
async def test_they_are_gone_with_their_gx(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: last(them, "Devices/dut-relay2/Status") == "online")
        player.fault = "silence"
        await them.until(lambda: last(them, "Devices/dut-relay2/Status") == "offline", 20)
        player.fault = None
        await them.until(lambda: last(them, "Devices/dut-relay2/Status") == "online", 20)


@pytest.mark.anyio
async def test_a_gx_without_relays_has_none(tmp_path: Path, mosquitto: Mosquitto) -> None:
    player = Player(heartbeat=0.5)
    for number in (0, 1):
        del player.plant.settings[STATE.format(number)]
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await ready(them)
        await anyio.sleep(0.3)
        assert last(them, "Devices/dut-relay1/Status") is None
        found = await tell_nobody(them)
        assert found == "dut has no control Switch"


async def tell_nobody(them: Link) -> str:
    topic = "heliograph/Devices/dut/Switch"
    them.connection.send(f"{topic}/Set", b"on", qos=1)
    return str((await answer(them, f"{topic}/Result"))["error"])


@pytest.mark.anyio
async def test_the_flash_behind_them_is_spared(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with bridged(tmp_path, mosquitto.port, daily_writes=2) as (player, them):
        await them.until(lambda: last(them, "Devices/dut-relay2/Switch") == "false")
        for count, word in enumerate(("on", "off"), 1):
            assert (await tell(them, 2, word, count))["ok"]
        assert "written 2 times today" in (await tell(them, 2, "on", 3))["error"]
        assert len(player.written) == 2


def test_what_is_told_of_relays() -> None:
    heard: dict[str, Found] = {
        STATE.format(1): 1.0,
        STATE.format(0): 0.0,
        STATE.format(5): Gone.NULL,
        STATE.format(6): "on",
        "system/0/Relay/x/State": 1.0,
        "system/0/Relay/1/Stated": 1.0,
    }
    assert relays(heard) == {1: False, 2: True, 6: None, 7: None}
    assert list(relays(heard)) == [1, 2, 6, 7]


@pytest.mark.parametrize(
    ("device", "number"),
    [("gx-relay1", 1), ("gx-relay12", 12), ("gx", None), ("gx-relay", None), ("gx-ev1", None)],
)
def test_which_relay_a_device_is(device: str, number: int | None) -> None:
    assert numbered(device, "gx") == number
