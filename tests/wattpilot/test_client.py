"""The client against the simulator over a real WebSocket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.chargers.wattpilot.client import LOGIN_PAUSE, Client
from actors.chargers.wattpilot.sim import PASSWORD, Simulator
from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout

if TYPE_CHECKING:
    from collections.abc import Mapping


class Later(Clock):
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.monotonic() + self.ahead


def client(sim: Simulator, password: str | None = PASSWORD, **more: Any) -> Client:
    return Client(sim.host, sim.port, password=password, **{"timeout": 1.0, **more})


async def status(sim: Simulator, **more: Any) -> Mapping[str, Any]:
    async with client(sim, **more) as made:
        return await made.status()


# ---------------------------------------------------------------------------------- logging in


@pytest.mark.parametrize("announce", [False, True])
@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("model", ["home_11", "flex"])
async def test_every_login_reads_and_sets(model: str, secured: bool, announce: bool) -> None:
    async with Simulator(model, secured=secured, announce=announce) as sim:
        async with client(sim) as made:
            assert (await made.status())["sse"] == "32154321"
            await made.set("amp", 11)
            assert sim.box.keys["amp"] == 11
            assert (await made.status())["amp"] == 11
        assert sim.logins == 1


async def test_a_charger_without_a_password_needs_no_login() -> None:
    async with Simulator(password=None, secured=False) as sim:
        assert (await status(sim, password=None))["amp"] == 16
        assert sim.logins == 0


async def test_the_charger_says_who_it_is() -> None:
    simulator = Simulator("flex", serial="41000123", firmware="60.1")
    async with simulator as sim, client(sim) as made:
        await made.connect()
        assert made.hello["serial"] == "41000123"
        assert made.hello["devicetype"] == "wattpilot_flex"


async def test_a_wrong_password_is_tried_once_a_minute() -> None:
    later = Later()
    async with Simulator() as sim, client(sim, "wrong", clock=later) as made:
        for _ in range(3):
            with pytest.raises(DeviceRefused, match="refuses the password"):
                await made.status()
        assert sim.refused == 1
        later.ahead = LOGIN_PAUSE - 1
        with pytest.raises(DeviceRefused, match="refuses the password"):
            await made.set("amp", 8)
        assert sim.refused == 1
        later.ahead = LOGIN_PAUSE + 1
        with pytest.raises(DeviceRefused):
            await made.status()
        assert sim.refused == 2


async def test_a_missing_password_is_asked_for() -> None:
    async with Simulator() as sim:
        with pytest.raises(DeviceRefused, match="set `password`"):
            await status(sim, password=None)
        assert sim.logins == 0


async def test_no_password_shows_in_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async with Simulator() as sim:
        with pytest.raises(DeviceError) as caught:
            await status(sim, password="hunter2")
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caplog.text}"


# ---------------------------------------------------------------------------------- status


@pytest.mark.parametrize("parts", [1, 2, 7, 50])
async def test_the_whole_status_comes_in_any_number_of_parts(parts: int) -> None:
    async with Simulator(parts=parts) as sim:
        found = await status(sim)
        assert set(sim.status()) <= set(found)


async def test_a_firmware_that_gives_numbers_as_text_is_set_all_the_same() -> None:
    simulator = Simulator(period=0.05)
    simulator.shows = False
    async with simulator as sim, client(sim) as made:
        sim.fault = "strings"
        await made.set("amp", 11)
        assert sim.box.keys["amp"] == 11
        assert (await made.status())["amp"] == "11"


async def test_deltas_are_merged_as_they_come() -> None:
    async with Simulator(period=0.05) as sim, client(sim) as made:
        before = await made.status()
        assert before["frc"] == 0
        assert before["err"] == 0
        sim.box.fail(9)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.listen)
            seen = made.changes
            while made.keys["err"] != 9:
                seen = await made.news(seen)
            tasks.cancel_scope.cancel()
        assert made.keys["frc"] == 0
        assert (await made.status())["modelStatus"] == 26


async def test_one_connection_serves_many_readings() -> None:
    async with Simulator(period=0.05) as sim, client(sim) as made:
        for _ in range(5):
            await made.status()
        assert sim.requests == ["/ws"]


async def test_a_charger_that_falls_silent_is_noticed() -> None:
    later = Later()
    async with Simulator(period=0.05) as sim, client(sim, timeout=0.3, clock=later) as made:
        await made.status()
        sim.fault = "silent"
        sentence = ""
        while not sentence:
            # What had been sent before may still be on the way.
            later.ahead += 10.0
            try:
                await made.status()
            except DeviceTimeout as error:
                sentence = str(error)
        assert sentence.endswith("has said nothing for 0.3 s")
        assert not made.connected
        sim.fault = None
        assert (await made.status())["amp"] == 16


async def test_a_lost_connection_is_made_again() -> None:
    async with Simulator() as sim, client(sim) as made:
        await made.status()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.listen)
            await sim.stop()
            while made.connected:  # noqa: ASYNC110 - as in the actor, nobody tells
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        with pytest.raises(DeviceTimeout, match="refuses the connection"):
            await made.status()
        await sim.start()
        assert (await made.status())["amp"] == 16


# ---------------------------------------------------------------------------------- commands


@pytest.mark.parametrize("answer_ids", ["sm", "text", "number"])
async def test_an_answer_is_matched_however_it_is_named(answer_ids: str) -> None:
    async with Simulator() as sim, client(sim) as made:
        sim.answer_ids = answer_ids
        await made.set("psm", 1)
        await made.set("frc", 2)
        assert sim.commands == [("psm", 1), ("frc", 2)]


async def test_commands_that_cross_get_their_own_answers() -> None:
    async with Simulator(period=0.02) as sim, client(sim) as made:
        await made.status()
        sim.answer_delay = 0.02
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.listen)
            async with anyio.create_task_group() as setting:
                for amps in (6, 9, 12):
                    setting.start_soon(made.set, "amp", amps)
                    setting.start_soon(made.status)
            tasks.cancel_scope.cancel()
        assert sorted(sim.commands) == [("amp", 6), ("amp", 9), ("amp", 12)]


async def test_an_answer_without_the_value_waits_for_the_status() -> None:
    async with Simulator(period=0.05) as sim, client(sim) as made:
        await made.status()
        sim.shows = False
        await made.set("amp", 9)
        assert made.keys["amp"] == 9


async def test_a_refused_command_is_told_in_the_chargers_words() -> None:
    async with Simulator() as sim, client(sim) as made:
        with pytest.raises(DeviceRefused, match=r"refuses to set amp to 40 \(value out of range"):
            await made.set("amp", 40)
        with pytest.raises(DeviceRefused, match=r"refuses to set nope to 1 \(unknown key\)"):
            await made.set("nope", 1)
        assert made.connected


async def test_a_command_that_is_confirmed_and_not_followed_is_refused() -> None:
    async with Simulator() as sim, client(sim) as made:
        sim.fault = "forgetful"
        with pytest.raises(DeviceRefused, match="keeps amp at 16 although 9 was set"):
            await made.set("amp", 9)


async def test_a_command_without_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.chargers.wattpilot.client.ANSWER_LIMIT", 0.2)
    async with Simulator() as sim, client(sim) as made:
        sim.fault = "deaf"
        with pytest.raises(DeviceTimeout, match=r"did not answer a command within 0\.2 s"):
            await made.set("amp", 9)
        assert not made.connected


async def test_a_command_can_be_sent_with_nobody_listening_after_a_cancelled_reading() -> None:
    """As on a stop: the readings are cancelled, then the charger is given back."""
    async with Simulator(period=5.0) as sim, client(sim, timeout=5.0) as made:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.listen)
            await made.status()
            tasks.start_soon(made.news, made.changes + 1)
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        await made.set("frc", 1)
        assert sim.box.keys["frc"] == 1
        assert sim.requests == ["/ws"]


async def test_unsigned_and_wrongly_signed_commands_are_refused_by_the_simulator() -> None:
    async with Simulator() as sim, client(sim) as made:
        await made.status()
        secret, made._secret = made._secret, None
        with pytest.raises(DeviceRefused, match="must be secured"):
            await made.set("amp", 9)
        made._secret = f"{secret}x"
        with pytest.raises(DeviceRefused, match="invalid hmac"):
            await made.set("amp", 9)
        assert sim.box.written == {}


# ---------------------------------------------------------------------------------- faults

REFUSED = {
    "silent": (DeviceTimeout, "has said nothing"),
    "drop": (DeviceTimeout, "closed the connection"),
    "reset": (DeviceTimeout, "closed the connection|cannot be reached"),
    "html": (DeviceGarbled, "web page instead of a WebSocket"),
    "html_frames": (DeviceGarbled, "sends a web page"),
    "truncated": (DeviceGarbled, "cannot be read"),
    "half_status": (DeviceTimeout, "did not tell all|has said nothing"),
    "half_login": (DeviceTimeout, "has said nothing"),
    "half_login_2": (DeviceGarbled, "lacks its serial or its tokens"),
    "unknown_login": (DeviceRefused, "not known"),
    "login": (DeviceRefused, "refuses the password"),
    "oversized": (DeviceGarbled, "frames that cannot be read"),
    "list": (DeviceGarbled, "something else"),
    "404": (DeviceGarbled, "HTTP 404"),
    "500": (DeviceGarbled, "HTTP 500"),
    "redirect": (DeviceGarbled, "which is not followed"),
}


@pytest.mark.parametrize("fault", REFUSED)
async def test_a_fault_is_one_sentence_and_gone_with_its_cause(fault: str) -> None:
    kind, words = REFUSED[fault]
    async with Simulator(period=0.1) as sim:
        sim.fault = fault
        async with client(sim, timeout=0.5) as made:
            with pytest.raises(kind, match=words) as caught:
                await made.status()
            assert str(caught.value).startswith("the Wattpilot at 127.0.0.1:")
            assert "\n" not in str(caught.value)
        sim.fault = None
        assert (await status(sim))["amp"] == 16


async def test_a_slow_charger_is_waited_for() -> None:
    async with Simulator() as sim:
        sim.fault, sim.delay = "slow", 0.1
        assert (await status(sim, timeout=2.0))["amp"] == 16


async def test_nobody_there_is_told() -> None:
    async with Simulator() as sim:
        pass
    with pytest.raises(DeviceTimeout, match="refuses the connection"):
        await status(sim)
