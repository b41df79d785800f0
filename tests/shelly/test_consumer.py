"""A relay as a consumer of surplus power: simulated Shellys, a real broker, a real distributor."""

from __future__ import annotations

import contextlib
import json
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.shelly.actor import Shelly
from actors.devices.shelly.settings import Settings
from actors.devices.shelly.sim import Simulator
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config, load_text
from bridge.contract import load_contract
from bridge.direct import Command, in_hand
from bridge.errors import ConfigError
from bridge.runner import Runner
from tests.e2e.house import house
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

MODELS = ["shelly1", "plug_s", "plus1", "plus1pm"]
METERED = {"plug_s", "plus1pm"}
QUICK: dict[str, Any] = {
    "interval": 0.1, "timeout": 1.0, "request": 500.0, "min_on": 0.0, "min_off": 0.0,
    "start_delay": 0.0, "stop_delay": 0.0,
}  # fmt: skip
WARNING = "Actors/pump/Messages/Warning"
SAID = "Actors/pump/Messages/Operational"


class Leap(Clock):
    """A clock that a test can put forward."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


class Stand:
    """A Shelly's actor on a broker, and who looks on and plays the distributor."""

    def __init__(self, sim: Simulator, them: Link) -> None:
        self.sim, self.them, self.clock = sim, them, Leap()
        self.runner: Any = None

    def last(self, address: str) -> str | None:
        found = self.them.payloads(f"heliograph/{address}")
        return found[-1].decode() if found else None

    def asked(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for payload in self.them.payloads("heliograph/Requests/pump"):
            merged |= json.loads(payload)
        return merged

    async def until(self, check: Callable[[], object], limit: float = 25) -> None:
        await self.them.until(check, limit)

    async def say(self, address: str, payload: str, *, retain: bool = False) -> None:
        self.them.connection.send(f"heliograph/{address}", payload.encode(), qos=1, retain=retain)

    async def allow(self, watts: float, *, retain: bool = False) -> None:
        await self.say("Requests/pump/Allowance", f"{watts:g}", retain=retain)

    async def command(self, payload: str) -> dict[str, Any]:
        topic = "heliograph/Devices/pump/Switch/Result"
        known = len(self.them.payloads(topic))
        await self.say("Devices/pump/Switch/Set", payload)
        await self.until(lambda: len(self.them.payloads(topic)) > known)
        result: dict[str, Any] = json.loads(self.them.payloads(topic)[-1])
        return result

    async def settled(self) -> None:
        """Let what was told last be old enough for a reading to be believed against it."""
        self.clock.ahead += 6


@contextlib.asynccontextmanager
async def stand(
    broker: Mosquitto, state: Path, model: str = "plus1pm", **given: Any
) -> AsyncIterator[Stand]:
    place = endpoint(broker.port)
    async with (
        Simulator(model, power=[480.0]) as sim,
        link(place, "eyes", filters=("heliograph/#",)) as them,
    ):
        sim.output[0] = False
        found = Stand(sim, them)

        def build(restarts: int) -> Context:
            settings = Settings(host=sim.host, port=sim.port, **QUICK | given)
            config = Config(state=state)
            return Context("pump", settings, config, load_contract(), place, found.clock, restarts)

        async def report(*_: object) -> None:
            return

        found.runner = Runner(build, Shelly, name="pump", stops_first=False, report=report)
        await found.say("Actors/distributor/Status", "online", retain=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.runner.run)
            await found.until(lambda: found.asked().get("Request") == 500)
            yield found
            found.runner.stop()
            await found.runner.finished.wait()
        assert found.runner.restarts == 0


@pytest.mark.parametrize("model", MODELS)
async def test_on_by_an_allowance_and_off_without(
    mosquitto: Mosquitto, tmp_path: Path, model: str
) -> None:
    async with stand(mosquitto, tmp_path, model) as pump:
        asked = pump.asked()
        assert (asked["Minimum"], asked["StepSize"], asked["IsAutomatic"]) == (500, 500, True)
        assert (asked["CustomName"], asked["Consumption"]) == ("pump", 0)
        await pump.allow(499)
        await anyio.sleep(0.3)
        assert pump.sim.output == [False]
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])
        # Its own timer is what ends it when nobody is left to do so.
        assert pump.sim.plant.timers[0][1:] == (60.0, False)
        drawn = 480 if model in METERED else 500
        await pump.until(lambda: pump.asked()["Consumption"] == drawn)
        await pump.until(lambda: pump.last("Devices/pump/Switch") == "true")
        await pump.allow(0)
        await pump.until(lambda: pump.sim.output == [False])
        assert not pump.sim.plant.timers
        await pump.until(lambda: pump.last("Devices/pump/Switch") == "false")
        journal = json.loads((tmp_path / "pump" / "switching.json").read_text())
        assert (journal["held"], journal["by_hand"]) == (False, None)


async def test_a_lease_is_renewed_and_ends(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with stand(mosquitto, tmp_path) as pump:
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])
        first = pump.sim.plant.timers[0][0]
        pump.clock.ahead += 21
        await pump.until(lambda: pump.sim.plant.timers[0][0] > first)
        pump.clock.ahead += 10
        await pump.until(lambda: pump.sim.output == [False])
        await pump.until(lambda: "no allowance was heard" in (pump.last(SAID) or ""))


async def test_off_when_the_distributor_goes(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with stand(mosquitto, tmp_path) as pump:
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])
        await pump.say("Actors/distributor/Status", "offline", retain=True)
        await pump.until(lambda: pump.sim.output == [False])


async def test_a_retained_allowance_is_no_lease(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with link(endpoint(mosquitto.port), "before") as before:
        topic = "heliograph/Requests/pump/Allowance"
        before.connection.send(topic, b"500", qos=1, retain=True)
        await before.connection.flush(1.0)
    async with stand(mosquitto, tmp_path) as pump:
        await anyio.sleep(0.5)
        assert pump.sim.output == [False]


@pytest.mark.parametrize("way", [{}, {"push": "websocket", "interval": 5.0}])
async def test_a_button_is_respected_until_it_is_given_back(
    mosquitto: Mosquitto, tmp_path: Path, way: dict[str, Any]
) -> None:
    async with stand(mosquitto, tmp_path, **way) as pump:
        await pump.until(lambda: pump.last("Devices/pump/Status") == "online")
        await pump.allow(500)
        # Read back, too: what differs in between is told again, for nobody presses that fast.
        await pump.until(lambda: pump.last("Devices/pump/Switch") == "true")
        await pump.until(lambda: pump.asked()["Consumption"] == 480)
        await pump.settled()
        pump.sim.press()
        await pump.until(lambda: pump.asked()["IsAutomatic"] is False)
        assert "switched off by hand" in (pump.last(SAID) or "")
        assert (pump.asked()["Request"], pump.asked()["Consumption"]) == (0, 0)
        await pump.allow(500)
        await anyio.sleep(0.5)
        assert pump.sim.output == [False]
        await pump.say("Requests/pump/IsAutomatic/Set", "true")
        await pump.until(lambda: pump.asked()["IsAutomatic"] is True)
        pump.clock.ahead += 10
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])


async def test_the_control_is_a_persons_word(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with stand(mosquitto, tmp_path) as pump:
        assert await pump.command("true") == {"id": None, "ok": True, "value": True, "error": None}
        await pump.until(lambda: pump.asked()["IsAutomatic"] is False)
        # What a person switches on has no timer.
        assert not pump.sim.plant.timers
        await pump.until(lambda: pump.asked()["Consumption"] == 480)
        refused = await pump.command('{"value": true, "ttl": 60}')
        assert not refused["ok"]
        assert "keeps its value" in refused["error"]
        assert (await pump.command(""))["ok"]
        await pump.until(lambda: pump.asked()["IsAutomatic"] is True)
        assert "given back" in (pump.last(SAID) or "")
        pump.clock.ahead += 31
        await pump.until(lambda: pump.sim.output == [False])


async def test_one_that_does_not_follow_is_told_of(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with stand(mosquitto, tmp_path) as pump:
        pump.sim.plant.stubborn = True
        await pump.allow(500)
        await pump.until(lambda: "told so twice and is off" in (pump.last(WARNING) or ""))
        await pump.until(lambda: pump.asked()["Request"] == 0)
        pump.sim.plant.stubborn = False
        pump.clock.ahead += 31
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])
        await pump.until(lambda: not pump.last(WARNING))


async def test_nothing_is_promised_to_one_that_is_away(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto, tmp_path) as pump:
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])
        pump.sim.fault = "reset"
        pump.clock.ahead += 31
        await pump.until(lambda: pump.asked()["Request"] == 0)
        assert pump.asked()["Consumption"] is None
        pump.sim.plant.ahead += 61
        assert pump.sim.output == [False]
        pump.sim.fault = None
        await pump.until(lambda: pump.asked()["Request"] == 500, 60)
        assert pump.asked()["IsAutomatic"] is True


async def test_a_stop_switches_off_what_is_on_by_an_allowance(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with stand(mosquitto, tmp_path) as pump:
        await pump.allow(500)
        await pump.until(lambda: pump.sim.output == [True])
        pump.runner.stop()
        await pump.runner.finished.wait()
        assert pump.sim.output == [False]
        await pump.until(lambda: pump.asked()["IsAutomatic"] is False)
        assert (pump.asked()["Request"], pump.asked()["Consumption"]) == (0, 0)


async def test_a_relay_without_a_request_is_no_consumer(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with Simulator("plus1") as sim, link(endpoint(mosquitto.port), filters=("#",)) as eyes:
        settings = Settings(host=sim.host, port=sim.port, interval=0.1)
        place, config = endpoint(mosquitto.port), Config(state=tmp_path)
        actor = Shelly(Context("pump", settings, config, load_contract(), place, Clock()))
        assert actor.consumer is None
        assert not actor.may_return("Switch", "pump")
        assert not eyes.payloads("heliograph/Requests/pump")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("priority: 5", "`priority` is of a consumer: it needs `request`"),
        ("request: 0", "request"),
        ("request: 5, manual: overrule, manual_hold: 60", "`manual_hold` goes with"),
        ("request: 5, manual: ignore", "manual"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, setting: str, sentence: str) -> None:
    text = f"actors:\n  pump: {{kind: shelly, host: pump, {setting}}}\n"
    with pytest.raises(ConfigError, match=sentence):
        load_text(text, tmp_path / "house.yaml")


# ------------------------------------------------------------------------------- a whole house

HOUSE = """\
site: {{grid: meter}}
actors:
  meter: {{kind: external}}
  pump: {{kind: shelly, host: 127.0.0.1, port: {port}, interval: 0.2, request: 500, min_on: 2,
         min_off: 0, start_delay: 1, stop_delay: 1}}
  distributor: {{kind: distributor, strategy: surplus, reservation: 0, interval: 1}}
"""


async def shine(eyes: Any, sim: Simulator, sun: list[float]) -> None:
    """A meter that sees the sun and what the relay lets through."""
    while True:
        await eyes.publish("Devices/meter/GridPower", sum(sim.power) - sun[0])
        await anyio.sleep(0.2)


@pytest.mark.timeout(120)
async def test_sun_cloud_and_a_killed_bridge(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Simulator("plus1pm", power=[500.0]) as sim:
        sim.output[0] = False
        sun = [0.0]
        async with (
            house(mosquitto.port, tmp_path, HOUSE.format(port=sim.port)) as (bridge, eyes),
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(shine, eyes, sim, sun)
            await eyes.until("Requests/pump/Reason", lambda text: "waiting for" in text)
            sun[0] = 800.0
            await eyes.until("Devices/pump/Switch", "true", 30)
            assert sim.output == [True]
            sun[0] = 0.0
            await eyes.until("Devices/pump/Switch", "false", 30)
            sun[0] = 800.0
            await eyes.until("Devices/pump/Switch", "true", 30)
            await bridge.end(signal.SIGKILL)
            # Nobody is left to switch it off: its own timer does, a minute after it was told.
            assert sim.output == [True]
            assert 0 < sim.plant.timers[0][0] - sim.plant.now() <= 60
            tasks.cancel_scope.cancel()
        sim.requests.clear()
        switched = partial(filter, lambda path: path.endswith("Switch.Set"))
        async with house(mosquitto.port, tmp_path, HOUSE.format(port=sim.port)) as (again, eyes):
            with anyio.fail_after(30):
                while sim.output == [True]:  # noqa: ASYNC110 - it has no event to wait for
                    await anyio.sleep(0.05)
            # No sun is metered now: the only word to it was to be off.
            assert len(list(switched(sim.requests))) == 1
            await again.end()


async def test_set_without_a_bridge_is_a_hand_and_gives_it_back(tmp_path: Path) -> None:
    def noted() -> Any:
        return json.loads((tmp_path / "pump" / "switching.json").read_text())

    async with Simulator("plus1") as sim:
        sim.output[0] = False
        for payload, on, by_hand in ((b"true", True, "on"), (b"", False, None)):
            settings = Settings(host=sim.host, port=sim.port, **QUICK)
            nobody, config = endpoint(1), Config(state=tmp_path)
            actor = Shelly(Context("pump", settings, config, load_contract(), nobody, Clock()))
            async with in_hand(actor):
                command = Command(actor, "Switch", None)
                await command.ready()
                outcome = await command.follow(payload)
                assert (outcome.error, outcome.value) == (None, on)
            # Left as it is when the command ends: it is a person's.
            assert sim.output == [on]
            assert (noted()["held"], noted()["by_hand"]) == (False, by_hand)
