"""What a device's last will says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.consumers.mqtt_switch.actor import MqttSwitch
from actors.consumers.mqtt_switch.hearing import Told
from actors.consumers.mqtt_switch.settings import Settings
from actors.consumers.mqtt_switch.simulator.styles import STYLES, plain
from bridge.needs import Word
from tests.mqtt_switch.heater import ASK, NAME, QUICK, player, pump
from tests.switching.stand import WARNING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

ONLINE = plain(NAME).settings["online_topic"]
GONE = f"is offline: {ONLINE} says so"


@pytest.mark.parametrize("asks", [False, True])
async def test_one_that_is_gone_is_promised_nothing_at_once(
    mosquitto: Mosquitto, tmp_path: Path, asks: bool
) -> None:
    given: dict[str, Any] = {"online_topic": ONLINE, "ask_topic": ASK if asks else None}
    async with player(mosquitto) as heater, pump(mosquitto, tmp_path, **given) as found:
        await found.allow(500)
        await found.until(lambda: heater.on)
        await found.until(lambda: found.last("Devices/pump/Power") == "480")
        heater.fault = "offline"
        # The clock is not put forward: nothing here waits until it has been silent for long.
        await found.until(lambda: found.asked()["Request"] == 0)
        await found.until(lambda: GONE in found.health)
        await found.until(lambda: found.last("Devices/pump/Status") == "offline")
        await found.until(lambda: found.last("Devices/pump/Switch") == "")
        await found.until(lambda: found.last("Devices/pump/Power") == "")
        assert found.asked()["Consumption"] is None
        assert "offline by its last will" in found.asked()["Note"]
        result = await found.command("true")
        assert result["ok"] is False
        assert GONE in result["error"]
        assert found.asked()["IsAutomatic"] is True
        heater.fault = None
        # It has stayed on: off first, as nobody allows anything any more.
        await found.until(lambda: not heater.on)
        await found.until(lambda: found.asked()["Request"] == 500)
        await found.until(lambda: found.last("Devices/pump/Status") == "online")
        await found.until(lambda: not found.health and not found.last(WARNING))
        await found.settled()
        await found.allow(500)
        await found.until(lambda: heater.on)


async def test_a_last_will_from_before_the_start_holds(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with player(mosquitto, retain=True) as heater:
        heater.fault = "offline"
        given: dict[str, Any] = {"online_topic": ONLINE}
        async with pump(mosquitto, tmp_path, asks=False, **given) as found:
            # It has left a status on the broker, too, which tells of nothing.
            await found.until(lambda: GONE in found.health)
            await found.until(lambda: found.last("Devices/pump/Status") == "offline")
            assert found.asked().get("Request") in (None, 0)
            assert heater.heard == []
            heater.fault = None
            await found.until(lambda: found.asked().get("Request") == 500)
            await found.until(lambda: not found.health)


async def test_one_that_comes_back_silent_is_awaited_and_then_told_to_be_off(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with (
        player(mosquitto, fault="only_changes") as heater,
        pump(mosquitto, tmp_path, online_topic=ONLINE) as found,
    ):
        assert heater.heard == ["false"]
        heater.fault = "offline"
        await found.until(lambda: found.asked()["Request"] == 0)
        heater.fault = "only_changes"
        await found.until(lambda: heater.heard == ["false", "false"])
        await found.until(lambda: found.asked()["Request"] == 500)


async def test_what_a_person_left_on_stays_so_over_a_loss(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with (
        player(mosquitto) as heater,
        pump(mosquitto, tmp_path, online_topic=ONLINE) as found,
    ):
        assert (await found.command("true"))["ok"]
        await found.until(lambda: found.asked()["IsAutomatic"] is False)
        await found.until(lambda: found.asked()["Consumption"] == 480)
        told = len(heater.heard)
        heater.fault = "offline"
        await found.until(lambda: found.asked()["Consumption"] is None)
        heater.fault = None
        await found.until(lambda: found.asked()["Consumption"] == 480)
        assert (heater.on, len(heater.heard)) == (True, told)
        assert found.asked()["IsAutomatic"] is False


async def test_a_word_that_says_neither_is_told_and_changes_nothing(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with (
        player(mosquitto) as heater,
        pump(mosquitto, tmp_path, online_topic=f"{NAME}/Odd") as found,
    ):
        heater.style.settings["online_topic"] = f"{NAME}/Odd"  # type: ignore[index]
        heater.say("online_topic", "perhaps")
        await found.until(lambda: "neither online nor offline" in found.last(WARNING))
        assert found.last("Devices/pump/Status") == "online"
        heater.say("online_topic", "Online")
        await found.until(lambda: not found.last(WARNING))
        await anyio.sleep(0.3)
        assert found.asked()["Request"] == 500


def told(value: str | None = None) -> Told:
    return Told(Settings(**QUICK | {"online_topic": ONLINE, "online_value": value}))


@pytest.mark.parametrize(
    ("value", "payload", "gone"),
    [
        (None, "Online", False),
        (None, "Offline", True),
        (None, " ONLINE\n", False),
        (None, "true", False),
        (None, "false", True),
        (None, "1", False),
        (None, "0", True),
        (None, '"online"', False),
        (None, '{"state": "online"}', False),
        (None, '{"state":"offline"}', True),
        (None, '{"online": false}', True),
        (None, '{"state": true}', False),
        (None, "disconnected", True),
        (None, "connected", False),
        (None, "not online", None),
        (None, "", None),
        (None, "{", None),
        (None, '{"state": ["online"]}', None),
        (None, '{"linkquality": 3}', None),
        (None, "\xff" * 70_000, None),
        (None, "[" * 5000, None),
        ("up", "up", False),
        ("up", "down", True),
        ("up", "upset", True),
        ("up", '{"state": "up"}', False),
        ("up|ready", "ready", False),
        ("on|online", "online", False),
        ("(?i)up", "UP", False),
        ('{"alive": ?true}', '{"alive": true}', False),
        ('{"alive": ?true}', '{"alive": false}', True),
        ("up", "", None),
    ],
)
def test_the_words_of_last_wills(value: str | None, payload: str, gone: bool | None) -> None:
    for before in (True, False):
        heard = told(value)
        heard.online(b"up" if value else b"true", at=1.0)
        if before:
            heard.online(b"down" if value else b"false", at=2.0)
        was = heard.gone
        heard.online(payload.encode("latin-1"), at=3.0)
        assert heard.gone is (was if gone is None else gone)
        assert (heard.online_garbled is None) is (gone is not None or not payload)


def test_what_was_heard_before_it_was_gone_is_forgotten() -> None:
    heard = told()
    heard.status(b"true", retained=False, at=1.0)
    heard.power(b"480", retained=False, at=1.0)
    heard.online(b"true", at=1.5)
    assert heard.seen(2.0) is not None
    heard.online(b"false", at=3.0)
    assert heard.seen(3.0) is None
    # Somebody's memory of it, told again, is not its own word.
    heard.status(b"true", retained=False, at=4.0)
    assert heard.seen(4.0) is None
    heard.online(b"true", at=5.0)
    assert (heard.seen(5.0), heard.known) == (None, None)
    heard.status(b"false", retained=False, at=6.0)
    seen = heard.seen(6.0)
    assert seen is not None
    assert (seen.on, seen.power) == (False, None)


@pytest.mark.parametrize("style", STYLES)
def test_the_wills_of_several_makers_and_what_doctor_says_of_them(style: str) -> None:
    made = STYLES[style]("boiler")
    given: dict[str, Any] = dict(made.settings)
    settings = Settings(**given)
    words = {each.topic: each for each in MqttSwitch.needs("pump", settings, None)
             if isinstance(each, Word)}  # fmt: skip
    assert settings.online_topic == made.will.topic
    word = words[made.will.topic]
    assert word.kept
    assert word.refuse(made.will.online) is None
    assert "is offline" in (word.refuse(made.will.offline) or "")
    assert "neither online nor offline" in (word.refuse(json.dumps([1]).encode()) or "")
