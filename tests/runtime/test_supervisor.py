"""Several actors under one supervisor on a real broker: what one does, the others do not feel."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from bridge import supervisor as module
from bridge.actor import Actor
from bridge.config import Config
from bridge.config.model import ActorConfig
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.supervisor import Supervisor
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto


class Steady(Actor):
    """Ticks ten times a second and notes when."""

    kind = "steady"
    ticks: ClassVar[list[float]] = []

    async def run(self) -> None:
        async for _ in self.every(0.1):
            self.ticks.append(anyio.current_time())


class Shaky(Steady):
    """Crashes when it is told to; blocks its own handler when it is told to."""

    kind = "shaky"
    fault: ClassVar[str | None] = None
    lives: ClassVar[int] = 0

    async def run(self) -> None:
        type(self).lives += 1
        async for _ in self.every(0.05):
            fault, type(self).fault = type(self).fault, None
            if fault == "crash":
                raise ZeroDivisionError("a fault in the code")


class Deciding(Steady):
    """Must stop before the others."""

    kind = "deciding"
    stops_first = True
    stuck: ClassVar[float] = 0.0

    async def safe(self) -> None:
        await anyio.sleep(self.stuck)


@dataclass
class _Kind:
    kinds: dict[str, type[Actor]]
    name: str

    def load(self) -> type[Actor]:
        return self.kinds[self.name]


@dataclass
class Bridge:
    """A running supervisor and what it says."""

    supervisor: Supervisor
    link: Link
    kinds: dict[str, type[Any]] = field(default_factory=dict)

    def statuses(self, name: str) -> list[bytes]:
        return self.link.payloads(f"heliograph/Actors/{name}/Status")

    def states(self, name: str) -> list[str]:
        topic = f"heliograph/Actors/{name}/Health"
        return [json.loads(payload)["state"] for payload in self.link.payloads(topic)]

    def say(self, address: str, payload: bytes, *, retain: bool = True) -> None:
        self.link.connection.send(f"heliograph/{address}", payload, qos=1, retain=retain)


@pytest.fixture
async def bridge(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bridge]:
    kinds: dict[str, type[Actor]] = {
        "steady": type("Steady", (Steady,), {"ticks": []}),
        "shaky": type("Shaky", (Shaky,), {"ticks": []}),
        "deciding": Deciding,
    }
    monkeypatch.setattr(module, "find_kind", lambda name: _Kind(kinds, name))
    actors = {name: ActorConfig(name, name, None) for name in kinds}
    config = Config(state=tmp_path, discovery=DiscoverySettings(enabled=False), actors=actors)
    place = endpoint(mosquitto.port)
    supervisor = Supervisor(config, place, load_contract())
    async with link(place, "eyes", filters=("heliograph/#",)) as them:
        async with running(supervisor):
            found = Bridge(supervisor, them, kinds)
            await them.until(lambda: all(found.statuses(name) == [b"online"] for name in kinds))
            yield found
        assert not supervisor.runners


@contextlib.asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        yield
        supervisor.stop()


async def test_a_crash_is_shown_and_nobody_else_notices(bridge: Bridge) -> None:
    bridge.kinds["shaky"].fault = "crash"
    them = bridge.link
    await them.until(
        lambda: bridge.statuses("shaky")[-1:] == [b"online"] and bridge.kinds["shaky"].lives == 2
    )
    assert b"offline" in bridge.statuses("shaky")
    assert "crashed" in bridge.states("shaky")
    crashed = next(
        json.loads(payload)
        for payload in them.payloads("heliograph/Actors/shaky/Health")
        if b"crashed" in payload
    )
    assert crashed["restarts"] == 1
    assert crashed["error"] == "ZeroDivisionError: a fault in the code"
    await them.until(lambda: bridge.states("shaky")[-1] == "ok")
    for name in ("steady", "deciding"):
        assert bridge.statuses(name) == [b"online"]
        assert bridge.states(name) == ["ok"]
    ticks = bridge.kinds["steady"].ticks
    await anyio.sleep(0.3)
    assert max(later - earlier for earlier, later in pairwise(ticks)) < 1
    assert them.payloads("heliograph/Bridge/Status") == [b"online"]


async def test_crash_after_crash_ends_with_the_truth(bridge: Bridge) -> None:
    shaky = bridge.kinds["shaky"]
    for lives in (2, 3):
        shaky.fault = "crash"
        await bridge.link.until(lambda: shaky.lives == lives)  # noqa: B023 - awaited in its turn
    await bridge.link.until(lambda: bridge.statuses("shaky")[-1] == b"online")
    await bridge.link.until(lambda: bridge.states("shaky")[-1] == "ok")
    health = bridge.link.payloads("heliograph/Actors/shaky/Health")[-1]
    assert json.loads(health)["restarts"] == 2


@pytest.mark.parametrize("retain", [True, False])
async def test_an_offline_that_is_not_true_is_answered(bridge: Bridge, *, retain: bool) -> None:
    bridge.say("Actors/steady/Status", b"offline", retain=retain)
    await bridge.link.until(lambda: bridge.statuses("steady") == [b"online", b"offline", b"online"])


async def test_whatever_is_said_in_its_name_the_truth_stands_in_the_end(bridge: Bridge) -> None:
    for payload in (b"offline", b"offline", b"rubbish", b"", b"offline"):
        bridge.say("Actors/steady/Status", payload)
        await anyio.sleep(0.05)
    await bridge.link.until(lambda: bridge.statuses("steady")[-1] == b"online", 4)
    await anyio.sleep(1.2)
    assert bridge.statuses("steady")[-1] == b"online"
    async with link(bridge.supervisor.endpoint, "late", filters=("heliograph/Actors/#",)) as late:
        await late.until(lambda: late.payloads("heliograph/Actors/steady/Status") == [b"online"])


async def test_a_device_does_not_wait_for_who_cannot_end_deciding(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deciding, "stuck", 2.0)
    monkeypatch.setattr(module, "_DECIDERS_LIMIT", 0.2)
    bridge.supervisor.stop()
    await bridge.link.until(lambda: bridge.statuses("steady")[-1] == b"offline", 3)
    assert bridge.statuses("deciding")[-1] == b"online"
    await bridge.link.until(lambda: bridge.states("deciding")[-1] == "stopped", 8)


async def test_who_decides_stops_first_and_everybody_says_goodbye(bridge: Bridge) -> None:
    bridge.supervisor.stop()
    ends = ("deciding", "steady", "shaky")
    await bridge.link.until(
        lambda: bridge.link.payloads("heliograph/Bridge/Status")[-1] == b"offline"
    )
    for name in ends:
        assert bridge.statuses(name)[-1] == b"offline"
        assert bridge.states(name)[-1] == "stopped"
    order = [
        message.topic.split("/")[2]
        for message in bridge.link.got
        if message.topic.startswith("heliograph/Actors/") and message.payload == b"offline"
    ]
    assert order[0] == "deciding"
    topics = [message.topic for message in bridge.link.got if message.payload == b"offline"]
    assert topics[-1] == "heliograph/Bridge/Status"
