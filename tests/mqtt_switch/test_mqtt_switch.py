"""A switch behind MQTT topics: a player on a real broker."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.consumers.mqtt_switch.actor import MqttSwitch
from actors.consumers.mqtt_switch.settings import Settings
from bridge.config import ConfigError, load_text
from tests.runtime.links import endpoint, link
from tests.switching.stand import AT_ONCE, SAID, WARNING, Stand, stand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SET, STATE, POWER, ASK = "pool/Heater/Set", "pool/Heater/State", "pool/Heater/Power", "pool/ask"
QUICK: dict[str, Any] = {
    "on_topic": SET, "on_value": "true", "off_topic": SET, "off_value": "false",
    "status_topic": STATE, "on_pattern": "true", "power_topic": POWER, "power_pattern": "(.*)",
    "timeout": 0.5, **AT_ONCE,
}  # fmt: skip


@dataclass
class Player:
    """A heater on MQTT. deaf: it hears nothing; quiet: it tells only changes."""

    link: Link
    watts: float = 480.0
    on: bool = False
    deaf: bool = False
    quiet: bool = False
    retains: bool = False
    heard: list[str] = field(default_factory=list)

    def tell(self, text: str | None = None, *, topic: str = STATE) -> None:
        said = ("true" if self.on else "false") if text is None else text
        self.link.connection.send(topic, said.encode(), qos=1, retain=self.retains)

    def press(self) -> None:
        self.on = not self.on
        self.tell()

    async def run(self) -> None:
        seen = 0
        while True:
            await self.link.until(lambda: len(self.link.got) > seen, 1e6)  # noqa: B023 - awaited
            message = self.link.got[seen]
            seen += 1
            if self.deaf:
                continue
            if message.topic == ASK:
                self.tell()
                continue
            self.heard.append(message.payload.decode())
            before, self.on = self.on, message.payload == b"true"
            if not self.quiet or self.on is not before:
                self.tell()
                self.tell(f"{self.watts if self.on else 0:g}", topic=POWER)


@contextlib.asynccontextmanager
async def player(broker: Mosquitto) -> AsyncIterator[Player]:
    async with link(endpoint(broker.port), "heater", filters=(SET, ASK)) as them:
        found = Player(them)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.run)
            yield found
            tasks.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def pump(
    broker: Mosquitto, state: Path, *, asks: bool = True, **given: Any
) -> AsyncIterator[Stand]:
    async with stand(broker, state, MqttSwitch, Settings(**QUICK | given), asks=asks) as found:
        yield found


@pytest.mark.parametrize("quiet", [False, True])
async def test_on_by_an_allowance_and_off_without(
    mosquitto: Mosquitto, tmp_path: Path, quiet: bool
) -> None:
    async with player(mosquitto) as heater:
        heater.quiet = quiet
        async with pump(mosquitto, tmp_path) as found:
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


async def test_a_retained_status_is_an_old_one(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto) as heater:
        heater.retains = True
        heater.tell("false")
        await heater.link.connection.flush(1.0)
        heater.deaf = True
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
    async with player(mosquitto) as heater:
        heater.retains, heater.on = True, True
        heater.tell()
        await heater.link.connection.flush(1.0)
        async with pump(mosquitto, tmp_path, asks=False) as found:
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
        await heater.link.until(lambda: heater.heard)
        for rubbish, words in (("\xff{", "not JSON"), ('{"state": null}', "neither on nor off")):
            heater.tell(rubbish)
            await found.until(lambda words=words: words in found.health)  # type: ignore[misc]
            assert found.asked().get("Request") in (None, 0)
        heater.tell('{"state": "OFF"}')
        await found.until(lambda: not found.health)
        await found.until(lambda: found.asked().get("Request") == 500)
        heater.tell("much", topic=POWER)
        await found.until(lambda: "a power that is not a number" in found.last(WARNING))
        heater.tell("12", topic=POWER)
        await found.until(lambda: found.last("Devices/pump/Power") == "12")
        await found.until(lambda: not found.last(WARNING))


async def test_one_that_does_not_follow(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto) as heater, pump(mosquitto, tmp_path) as found:
        await found.until(lambda: found.last("Devices/pump/Switch") == "false")
        heater.deaf = True
        await found.allow(500)
        await found.until(lambda: "told so twice and is off" in found.last(WARNING))
        await found.until(lambda: found.asked()["Request"] == 0)
        heater.deaf = False
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


async def test_it_is_asked_where_it_can_be(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with player(mosquitto) as heater:
        given: dict[str, Any] = {"ask_topic": ASK, "ask_value": "?", "interval": 5.0}
        async with pump(mosquitto, tmp_path, **given) as found:
            assert heater.heard == []
            # Somebody switched it unheard: it is asked before it is switched on.
            heater.deaf = True
            await found.allow(500)
            await found.until(lambda: "did not answer on its status topic" in found.last(WARNING))
            assert not heater.on
            for _ in range(3):
                found.clock.ahead += 16
                await anyio.sleep(0.5)
            await found.until(lambda: found.last("Devices/pump/Status") == "offline")
            heater.deaf = False
            await found.until(lambda: found.last("Devices/pump/Status") == "online")
            await found.until(lambda: found.asked()["Request"] == 500)


async def test_what_a_killed_life_left_on_is_switched_off_first(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "pump").mkdir()
    journal = tmp_path / "pump" / "switching.json"
    journal.write_text(json.dumps({"held": True, "by_hand": None}))
    async with player(mosquitto) as heater:
        heater.on = True
        async with pump(mosquitto, tmp_path) as found:
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
    async with player(mosquitto) as heater:
        heater.on, heater.quiet = True, quiet
        async with pump(mosquitto, tmp_path, asks=False) as found:
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
    async with player(mosquitto) as heater:
        heater.on = heater.quiet = True
        async with pump(mosquitto, tmp_path, asks=False, manual_hold=600.0) as found:
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
    async with player(mosquitto) as heater:
        heater.on = heater.quiet = True
        given: dict[str, Any] = {"ask_topic": ASK, "ask_value": ""}
        async with pump(mosquitto, tmp_path, asks=False, **given) as found:
            await found.until(lambda: found.last("Devices/pump/Switch") == "true")
            await found.until(lambda: found.asked().get("Consumption") == 500)
            assert (found.asked()["IsAutomatic"], heater.heard) == (False, [])


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
        (WORDS.replace("on_topic: a", "on_topic: a/+") + ", on_pattern: x", "without '#', '+'"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, given: str, sentence: str) -> None:
    text = f"actors:\n  pump: {{kind: mqtt_switch, {given}}}\n"
    with pytest.raises(ConfigError) as caught:
        load_text(text, tmp_path / "house.yaml")
    assert sentence in "\n".join(problem.sentence for problem in caught.value.problems)
