"""A switch behind MQTT topics, simulated on a real broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import yaml

from actors.consumers.mqtt_switch import actor
from actors.consumers.mqtt_switch.sim import FAULTS
from actors.consumers.mqtt_switch.simulator.styles import STYLES
from bridge.config import ConfigError, load_text
from tests.mqtt_switch.heater import ASK, QUICK, player, pump
from tests.switching.stand import SAID, WARNING

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto


@pytest.mark.slow
@pytest.mark.parametrize("quiet", [False, True])
async def test_on_by_an_allowance_and_off_without(
    mosquitto: Mosquitto, tmp_path: Path, quiet: bool
) -> None:
    async with (
        player(mosquitto, fault="only_changes" if quiet else None) as heater,
        pump(mosquitto, tmp_path) as found,
    ):
        # It had said nothing: off is safe, and made it speak if it does.
        assert heater.heard == ["false"]
        if quiet:
            assert "has never said whether it is on" in found.last(WARNING)
        await found.allow(499)
        await found.allow(500)
        await found.until(lambda: heater.on)
        await found.until(lambda: found.asked()["Consumption"] == 480)
        await found.until(lambda: found.last("Devices/pump/Power") == "480")
        await found.until(lambda: not found.last(WARNING))
        await found.allow(0)
        await found.until(lambda: not heater.on)
        await found.until(lambda: found.last("Devices/pump/Switch") == "false")
        assert heater.heard == ["false", "true", "false"]
        # D2: what follows a matching status is heard, too.
        await found.settled()
        await found.allow(500)
        await found.until(lambda: heater.on)
        await found.stop()
        assert heater.heard[-1] == "false"


@pytest.mark.slow
async def test_a_retained_status_is_an_old_one(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto, retain=True) as heater:
        heater.fault = "silent"
        async with pump(mosquitto, tmp_path) as found:
            assert "by a retained message" in found.last(WARNING)
            assert heater.heard == []
            # It is enough to ask for power, and not enough to be on: nobody answers.
            await found.allow(500)
            await found.until(lambda: "did not say within" in found.last(WARNING))
            await found.until(lambda: found.asked()["Request"] == 0)
            assert found.last("Devices/pump/Switch") == ""


async def test_a_retained_on_is_a_hand_and_asks_for_nothing(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with (
        player(mosquitto, retain=True, on=True) as heater,
        pump(mosquitto, tmp_path, asks=False) as found,
    ):
        await found.until(lambda: found.asked().get("IsAutomatic") is False)
        assert (found.asked()["Request"], heater.heard) == (0, [])
        await found.say("Requests/pump/IsAutomatic/Set", "true")
        await found.until(lambda: "given back" in found.last(SAID))
        found.clock.ahead += 31
        await found.until(lambda: not heater.on)


async def test_what_makes_no_sense_is_unknown_and_mends_itself(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"on_pattern": None, "on_path": "state", "on_value": "true"}
    async with player(mosquitto) as heater, pump(mosquitto, tmp_path, asks=False, **given) as found:
        await found.until(lambda: heater.heard)
        for rubbish, words in (("\xff{", "not JSON"), ('{"state": null}', "neither on nor off")):
            heater.say("status_topic", rubbish)
            await found.until(lambda words=words: words in found.health)  # type: ignore[misc]
            assert found.asked().get("Request") in (None, 0)
        heater.say("status_topic", '{"state": "OFF"}')
        await found.until(lambda: not found.health)
        await found.until(lambda: found.asked().get("Request") == 500)
        heater.say("power_topic", "much")
        await found.until(lambda: "a power that is not a number" in found.last(WARNING))
        heater.say("power_topic", "12")
        await found.until(lambda: found.last("Devices/pump/Power") == "12")
        await found.until(lambda: not found.last(WARNING))


@pytest.mark.slow
async def test_one_that_does_not_follow(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto) as heater, pump(mosquitto, tmp_path) as found:
        await found.until(lambda: found.last("Devices/pump/Switch") == "false")
        heater.fault = "silent"
        await found.allow(500)
        await found.until(lambda: "did not answer within" in found.last(WARNING))
        await found.until(lambda: found.asked()["Request"] == 0)
        heater.fault = None
        found.clock.ahead += 31
        await found.until(lambda: found.asked()["Request"] == 500)
        await found.allow(500)
        await found.until(lambda: heater.on)
        await found.until(lambda: not found.last(WARNING))


async def test_a_hand_is_respected(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto) as heater, pump(mosquitto, tmp_path) as found:
        await found.until(lambda: found.last("Devices/pump/Switch") == "false")
        await found.settled()
        heater.press()
        await found.until(lambda: found.asked()["IsAutomatic"] is False)
        assert "switched on by hand" in found.last(SAID)
        told = len(heater.heard)
        await found.allow(0)
        await anyio.sleep(0.5)
        assert (heater.on, len(heater.heard)) == (True, told)
        assert (await found.command(""))["ok"]
        await found.until(lambda: found.asked()["IsAutomatic"] is True)


@pytest.mark.slow
async def test_it_is_asked_where_it_can_be(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto) as heater:
        given: dict[str, Any] = {"ask_topic": ASK, "ask_value": "?", "interval": 5.0}
        async with pump(mosquitto, tmp_path, **given) as found:
            assert heater.heard == []
            # Somebody switched it unheard: it is asked before it is switched on.
            heater.fault = "silent"
            await found.allow(500)
            await found.until(lambda: "did not answer on its status topic" in found.last(WARNING))
            assert not heater.on
            for _ in range(3):
                found.clock.ahead += 16
                await anyio.sleep(0.5)
            await found.until(lambda: found.last("Devices/pump/Status") == "offline")
            heater.fault = None
            await found.until(lambda: found.last("Devices/pump/Status") == "online")
            await found.until(lambda: found.asked()["Request"] == 500)


async def test_what_a_killed_life_left_on_is_switched_off_first(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "pump").mkdir()
    journal = tmp_path / "pump" / "switching.json"
    journal.write_text(json.dumps({"held": True, "by_hand": None}))
    async with player(mosquitto, on=True) as heater, pump(mosquitto, tmp_path) as found:
        await found.until(lambda: not heater.on)
        assert set(heater.heard) == {"false"}
        assert found.asked()["IsAutomatic"] is True
        # The broker is waited for, not complained about.
        said = found.them.payloads(f"heliograph/{WARNING}")
        assert not any(b"the broker cannot be reached" in each for each in said)


@pytest.mark.parametrize("quiet", [False, True])
async def test_given_back_after_a_kill_before_it_has_said_anything(
    mosquitto: Mosquitto, tmp_path: Path, quiet: bool
) -> None:
    """It tells only changes: without a word to it, a heater left on by hand would stay on."""
    (tmp_path / "pump").mkdir()
    journal = tmp_path / "pump" / "switching.json"
    journal.write_text(json.dumps({"held": False, "by_hand": "on", "wanted": False}))
    fault = "only_changes" if quiet else None
    async with (
        player(mosquitto, on=True, fault=fault) as heater,
        pump(mosquitto, tmp_path, asks=False) as found,
    ):
        await found.until(lambda: found.last("Devices/pump/Status") == "offline")
        assert (heater.on, heater.heard) == (True, [])  # it is a person's
        # Also the request says why nothing is asked for, though it has not spoken.
        await found.until(lambda: found.asked().get("IsAutomatic") is False)
        assert found.asked()["Consumption"] is None
        assert found.asked()["Note"].startswith("switched on by hand before the start, silent")
        assert "it was switched on by hand" in found.health
        assert "`ask_topic`" in found.health
        assert (await found.command(""))["ok"]
        await found.until(lambda: not heater.on)
        await found.until(lambda: found.asked().get("IsAutomatic") is True)
        await found.allow(500)
        await found.until(lambda: heater.on)


async def test_a_hand_of_a_former_life_is_taken_back_after_its_time_unheard(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "pump").mkdir()
    journal = tmp_path / "pump" / "switching.json"
    journal.write_text(json.dumps({"held": False, "by_hand": "on", "wanted": False}))
    async with (
        player(mosquitto, on=True, fault="only_changes") as heater,
        pump(mosquitto, tmp_path, asks=False, manual_hold=600.0) as found,
    ):
        await found.until(lambda: found.asked().get("IsAutomatic") is False)
        assert heater.on
        found.clock.ahead += 601
        await found.until(lambda: not heater.on)
        await found.until(lambda: found.asked().get("Request") == 500)


async def test_a_tasmota_left_on_by_hand_is_asked_after_a_restart(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """It answers an empty command with its state, and tells nothing by itself."""
    (tmp_path / "pump").mkdir()
    journal = tmp_path / "pump" / "switching.json"
    journal.write_text(json.dumps({"held": False, "by_hand": "on", "wanted": False}))
    async with player(mosquitto, on=True, fault="only_changes") as heater:
        given: dict[str, Any] = {"ask_topic": ASK, "ask_value": ""}
        async with pump(mosquitto, tmp_path, asks=False, **given) as found:
            await found.until(lambda: found.last("Devices/pump/Switch") == "true")
            await found.until(lambda: found.asked().get("Consumption") == 480)
            assert (found.asked()["IsAutomatic"], heater.heard) == (False, [])


@pytest.mark.parametrize("asked", [False, True])
async def test_one_that_has_not_spoken_yet_is_not_lost(
    mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: bool
) -> None:
    given: dict[str, Any] = {"request": None} | ({"ask_topic": ASK} if asked else {})
    async with (
        player(mosquitto, fault="silent"),
        pump(mosquitto, tmp_path, asks=False, **given) as found,
    ):
        await found.until(lambda: found.last("Devices/pump/Status") == "offline")
        await found.until(lambda: "has not said yet" in found.health)
        await found.until(lambda: found.runner.actor.status_of() == "offline")
        said = capsys.readouterr().out
        assert ("is lost" in said) is asked
        assert said.count("has not said yet") == 1
        assert "error" not in said


@pytest.mark.parametrize("style", STYLES)
async def test_the_switches_of_several_makers(
    mosquitto: Mosquitto, tmp_path: Path, style: str
) -> None:
    """As `heliograph sim mqtt_switch` prints them: asked, switched, and switched by hand."""
    async with player(mosquitto, style=style) as heater:
        given: dict[str, Any] = {key: None for key in QUICK if key.endswith(("_pattern", "_path"))}
        given |= {"ask_topic": None, "request": None} | heater.settings()
        async with pump(mosquitto, tmp_path, asks=False, **given) as found:
            await found.until(lambda: found.last("Devices/pump/Switch") == "false")
            result = await found.command("true")
            assert (result["ok"], heater.on) == (True, True)
            await found.until(lambda: found.last("Devices/pump/Power") == "480")
            heater.press()
            await found.until(lambda: found.last("Devices/pump/Switch") == "false")
            await found.until(lambda: found.last("Devices/pump/Power") == "0")
            assert (await found.command("true"))["ok"]
            assert (await found.command("false"))["ok"]
            assert not heater.on
            assert heater.heard == [given["on_value"], given["on_value"], given["off_value"]]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("silent", "did not answer within 0.5 s: it said last that it is off"),
        ("late", "the device has false"),
        ("offline", "did not answer within 0.5 s: it said last that it is off"),
        ("garbled", "neither on nor off"),
        ("half", "neither on nor off"),
        ("stubborn", "the device has false"),
        ("text_power", None),
        ("only_changes", None),
    ],
)
async def test_what_a_person_reads_of_each_fault(
    mosquitto: Mosquitto, tmp_path: Path, fault: str, words: str | None
) -> None:
    async with player(mosquitto, delay=10.0, period=0.3) as heater:
        given: dict[str, Any] = {"request": None, "ask_topic": ASK}
        async with pump(mosquitto, tmp_path, asks=False, **given) as found:
            await found.until(lambda: found.last("Devices/pump/Switch") == "false")
            heater.fault = fault
            result = await found.command("true")
            assert result["ok"] is (words is None)
            assert heater.on is (fault not in {"silent", "late", "offline", "stubborn"})
            if words is not None:
                assert words in result["error"], result
            heater.fault = None
            await found.until(lambda: found.last("Devices/pump/Status") == "online")


def test_every_fault_is_tried() -> None:
    marks = test_what_a_person_reads_of_each_fault.pytestmark  # type: ignore[attr-defined]
    (tried,) = (mark.args[1] for mark in marks if mark.name == "parametrize")
    assert {fault for fault, _ in tried} == set(FAULTS)


def test_the_readme_and_the_simulator_speak_of_the_same_topics() -> None:
    readme = (Path(actor.__file__).parent / "README.md").read_text(encoding="utf-8")
    example = yaml.safe_load(readme.partition("```yaml")[2].partition("```")[0])["actors"]
    for name, style in (("boiler", "zigbee2mqtt"), ("pump", "tasmota")):
        simulated = STYLES[style](name).settings
        shared = example[name].keys() & simulated.keys()
        assert len(shared) > 6
        assert {key: example[name][key] for key in shared} == {
            key: simulated[key] for key in shared
        }


TOPICS = "on_topic: a, on_value: 1, off_topic: a, off_value: 0, status_topic: s"
WORDS = TOPICS.replace("1", "'1'").replace("0", "'0'")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (WORDS, "`status_topic` belongs with exactly one of"),
        (WORDS.replace("'0'", "'1'") + ", on_pattern: x", "must differ on the same topic"),
        (f"{WORDS}, on_pattern: '(a+)*c'", "`on_pattern` could take for ever"),
        (f"{WORDS}, on_pattern: x, ask_value: x", "`ask_value` needs `ask_topic`"),
        (f"{WORDS}, on_pattern: x, power_topic: p, power_path: '['", "`power_path` is not a JMES"),
        (f"{WORDS}, on_pattern: x, online_value: x", "`online_value` needs `online_topic`"),
        (f"{WORDS}, on_pattern: x, online_topic: s", "`online_topic` must not be `status_topic`"),
        (f"{WORDS}, on_pattern: x, online_topic: o, online_value: '('", "`online_value` is not a"),
        (f"{WORDS}, on_pattern: x, online_topic: o, online_value: 'a)(b'", "`online_value` is not"),
        (f"{WORDS}, on_pattern: x, online_topic: 'o/#'", "without '#', '+'"),
        (WORDS.replace("on_topic: a", "on_topic: a/+") + ", on_pattern: x", "without '#', '+'"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, given: str, sentence: str) -> None:
    text = f"actors:\n  pump: {{kind: mqtt_switch, {given}}}\n"
    with pytest.raises(ConfigError) as caught:
        load_text(text, tmp_path / "house.yaml")
    assert sentence in "\n".join(problem.sentence for problem in caught.value.problems)
