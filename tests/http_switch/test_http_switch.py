"""A switch behind URLs: simulated relays of several makers, a real broker."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from aiohttp import web

from actors.consumers.http_switch.actor import HttpSwitch
from actors.consumers.http_switch.settings import Settings
from actors.consumers.http_switch.sim import FACES, Simulator
from bridge.config import ConfigError, load_text
from bridge.config.secret import Secret
from tests.switching.stand import AT_ONCE, SAID, WARNING, Stand, stand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

QUICK = {"interval": 0.1, "timeout": 0.6, **AT_ONCE}


@contextlib.asynccontextmanager
async def pump(
    broker: Mosquitto, state: Path, sim: Simulator, *, asks: bool = True, **given: Any
) -> AsyncIterator[Stand]:
    told = sim.settings()
    if "password" in told:
        told["password"] = Secret(told["password"])
    settings = Settings(**QUICK | told | given)
    async with stand(broker, state, HttpSwitch, settings, asks=asks) as found:
        yield found


def switchings(sim: Simulator) -> list[str]:
    words = ("turn=", "Switch.Set", "Power%20", "POST")
    return [each for each in sim.requests if any(word in each for word in words)]


@pytest.mark.parametrize("face", FACES)
async def test_on_by_an_allowance_and_off_without(
    mosquitto: Mosquitto, tmp_path: Path, face: str
) -> None:
    async with Simulator(face, watts=480) as sim, pump(mosquitto, tmp_path, sim) as found:
        asked = found.asked()
        assert (asked["Minimum"], asked["StepSize"], asked["IsAutomatic"]) == (500, 500, True)
        await found.allow(499)
        await found.until(lambda: found.last("Devices/pump/Power") == "0")
        assert not switchings(sim)
        await found.allow(500)
        await found.until(lambda: sim.on)
        await found.until(lambda: found.asked()["Consumption"] == 480)
        await found.until(lambda: found.last("Devices/pump/Switch") == "true")
        # A thermostat that opens is told as it is; the request stays.
        sim.open = True
        await found.until(lambda: found.asked()["Consumption"] == 0)
        assert found.asked()["Request"] == 500
        await found.allow(0)
        await found.until(lambda: not sim.on)
        await found.until(lambda: found.last("Devices/pump/Switch") == "false")
        assert len(switchings(sim)) == 2


@pytest.mark.parametrize("face", FACES)
async def test_a_login(mosquitto: Mosquitto, tmp_path: Path, face: str) -> None:
    async with (
        Simulator(face, password="pass-word", username="owner") as sim,
        pump(mosquitto, tmp_path, sim) as found,
    ):
        await found.allow(500)
        await found.until(lambda: sim.on)
        scheme = "Digest" if face == "gen2" else "Basic"
        assert {each.partition(" ")[0] for each in sim.logins} == {"", scheme}
        assert not sim.logins[0]


@pytest.mark.parametrize("face", ["gen1", "gen2"])
@pytest.mark.parametrize("secret", [None, Secret("wrong")])
async def test_a_login_that_is_refused_is_tried_once_a_minute(
    mosquitto: Mosquitto, tmp_path: Path, face: str, secret: Secret | None
) -> None:
    given: dict[str, Any] = {"password": secret, "username": "admin" if secret else None}
    async with (
        Simulator(face, password="right") as sim,
        pump(mosquitto, tmp_path, sim, asks=False, **given) as found,
    ):
        words = "refuses the login" if secret else "asks for a login: set `username`"
        await found.until(lambda: words in found.health)
        asked = len(sim.requests)
        assert asked <= 2
        await found.until(lambda: found.last("Devices/pump/Status") == "offline")
        assert len(sim.requests) == asked
        assert not found.asked().get("Request")
        sim.password = None
        found.clock.ahead += 61
        await found.until(lambda: found.asked().get("Request") == 500)


async def test_a_login_of_an_unknown_kind_is_told_as_that(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"password": Secret("right"), "username": "admin"}
    async with (
        Simulator("gen2", password="right") as sim,
        pump(mosquitto, tmp_path, sim, asks=False, **given) as found,
    ):
        old = {"WWW-Authenticate": 'Digest realm="x", nonce="1", qop="auth", algorithm=MD5'}
        monkeypatch.setattr(sim, "_refuse", lambda: web.Response(status=401, headers=old))
        await found.until(lambda: "a kind of login that is not known here" in found.health)
        assert set(sim.logins) == {""}


LYING = {
    "error_page": "a web page instead of its status",
    "error": "an error instead of its status",
    "empty": "nothing instead of its status",
    "redirect": "redirects to another address",
    "404": "does not know what was asked for",
    "500": "failed inside",
    "oversized": "more than 64 kB",
    "stall": "did not answer within",
    "close": "closed the connection",
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", LYING)
async def test_nothing_is_promised_to_one_that_says_nothing_of_use(
    mosquitto: Mosquitto, tmp_path: Path, fault: str
) -> None:
    timeout = 0.4
    async with (
        Simulator("gen2") as sim,
        pump(mosquitto, tmp_path, sim, timeout=timeout) as found,
    ):
        await found.allow(500)
        await found.until(lambda: sim.on)
        await found.until(lambda: found.asked()["Consumption"] == 500)
        sim.fault = fault
        await found.until(lambda: LYING[fault] in found.health)
        assert "http" not in found.health
        assert "Switch" not in found.health
        for _ in range(2):
            # (In two leaps: one of 31 s would look like a task that hangs.)
            found.clock.ahead += 16
            await anyio.sleep(2 * timeout)
        await found.until(lambda: found.asked()["Request"] == 0)
        await found.until(lambda: found.asked()["Consumption"] is None)
        await found.until(lambda: "could not be switched off" in found.last(WARNING))
        sim.fault = None
        # Off first, which is asked for until it hears; then it asks again.
        await found.until(lambda: not sim.on)
        await found.until(lambda: found.asked()["Request"] == 500)
        await found.until(lambda: not found.last(WARNING))
        assert found.asked()["IsAutomatic"] is True


async def test_one_that_does_not_follow(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Simulator("gen2") as sim, pump(mosquitto, tmp_path, sim) as found:
        sim.fault = "stubborn"
        await found.allow(500)
        await found.until(lambda: "told so twice and is off" in found.last(WARNING))
        await found.until(lambda: found.asked()["Request"] == 0)
        sim.fault = None
        found.clock.ahead += 31
        await found.allow(500)
        await found.until(lambda: sim.on)
        await found.until(lambda: not found.last(WARNING))


async def test_a_status_that_never_matches_ends_in_off(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"on_pattern": "no device says this"}
    async with Simulator("gen1") as sim, pump(mosquitto, tmp_path, sim, **given) as found:
        await found.allow(500)
        await found.until(lambda: "told so twice and is off" in found.last(WARNING))
        await found.until(lambda: found.asked()["Request"] == 0)
        await found.until(lambda: not sim.on)


async def test_a_power_that_is_a_word_is_unknown(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Simulator("gen2", watts=480) as sim, pump(mosquitto, tmp_path, sim) as found:
        await found.allow(500)
        await found.until(lambda: found.asked()["Consumption"] == 480)
        sim.fault = "text_power"
        await found.until(lambda: found.asked()["Consumption"] == 500)
        await found.until(lambda: "a power that is not a number" in found.last(WARNING))
        assert found.last("Devices/pump/Power") == ""
        sim.fault = None
        await found.until(lambda: found.asked()["Consumption"] == 480)
        await found.until(lambda: not found.last(WARNING))


async def test_a_hand_is_respected_until_it_is_given_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with Simulator("tasmota") as sim, pump(mosquitto, tmp_path, sim) as found:
        await found.allow(500)
        await found.until(lambda: found.last("Devices/pump/Switch") == "true")
        await found.until(lambda: found.asked()["Consumption"] == 500)
        await found.settled()
        sim.press()
        await found.until(lambda: found.asked()["IsAutomatic"] is False)
        assert "switched off by hand" in found.last(SAID)
        told = len(switchings(sim))
        await found.allow(500)
        await found.until(lambda: found.last("Devices/pump/Switch") == "false")
        assert len(switchings(sim)) == told
        await found.say("Requests/pump/IsAutomatic/Set", "true")
        await found.until(lambda: found.asked()["IsAutomatic"] is True)
        await found.settled()
        await found.allow(500)
        await found.until(lambda: sim.on)
        result = await found.command("true")
        assert (result["ok"], result["value"]) == (True, True)
        await found.until(lambda: found.asked()["IsAutomatic"] is False)
        await found.stop()
        # A person's: a stop leaves it as it is.
        assert sim.on


async def test_a_stop_switches_it_off(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Simulator("post") as sim, pump(mosquitto, tmp_path, sim) as found:
        await found.allow(500)
        await found.until(lambda: sim.on)
        await found.stop()
        assert not sim.on
        assert '"held":true' not in (tmp_path / "pump" / "switching.json").read_text()


async def test_what_a_killed_life_left_on_is_switched_off_first(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "pump").mkdir()
    journal = tmp_path / "pump" / "switching.json"
    journal.write_text(json.dumps({"held": True, "by_hand": None}))
    async with Simulator("gen1") as sim:
        sim.on = True
        async with pump(mosquitto, tmp_path, sim) as found:
            assert not sim.on
            assert found.asked()["IsAutomatic"] is True
            assert len(switchings(sim)) == 1


async def test_its_own_timer_is_renewed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with (
        Simulator("gen2") as sim,
        pump(mosquitto, tmp_path, sim, auto_off=60.0) as found,
    ):
        await found.allow(500)
        await found.until(lambda: sim.on)
        assert len(switchings(sim)) == 1
        found.clock.ahead += 21
        await found.until(lambda: len(switchings(sim)) == 2)
        assert switchings(sim)[-1].endswith("on=true")


URLS = "on_url: http://a/1, off_url: http://a/0, status_url: http://a/s"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (URLS, "`status_url` belongs with exactly one of `on_pattern` and `on_path`"),
        (f"{URLS}, on_pattern: x, on_path: y", "exactly one of"),
        (f"{URLS}, on_pattern: '(a+)+b'", "`on_pattern` could take for ever"),
        (f"{URLS}, on_pattern: '(a'", "`on_pattern` is not a regular expression"),
        (f"{URLS}, on_path: 'a['", "`on_path` is not a JMESPath"),
        (f"{URLS}, on_pattern: x, power_pattern: '(x)'", "`power_pattern` needs `power_url`"),
        (f"{URLS}, on_pattern: x, power_url: 'http://a/p'", "`power_url` belongs with exactly"),
        (
            f"{URLS}, on_pattern: x, power_url: 'http://a/p', power_pattern: x",
            "`power_pattern` has no group",
        ),
        (f"{URLS}, on_path: x, off_pattern: x", "`off_pattern` goes with `on_pattern`"),
        (f"{URLS}, on_pattern: x, on_body: x", "`on_body` needs `method: POST`"),
        (f"{URLS}, on_pattern: x, username: x", "`username` and `password` belong together"),
        (f"{URLS}, on_pattern: x, priority: 5", "`priority` is of a consumer"),
        (
            "on_url: 'http://u:hidden@a/', off_url: http://a, status_url: http://a, on_pattern: x",
            "`on_url` holds a login",
        ),
        ("on_url: ftp://a, off_url: http://a, status_url: http://a, on_pattern: x", "on_url"),
        ("on_url: 'http://a:99999', off_url: http://a, status_url: http://a", "on_url"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, given: str, sentence: str) -> None:
    text = f"actors:\n  pump: {{kind: http_switch, {given}}}\n"
    with pytest.raises(ConfigError) as caught:
        load_text(text, tmp_path / "house.yaml")
    told = "\n".join(problem.sentence for problem in caught.value.problems)
    assert sentence in told
    assert "hidden" not in told
