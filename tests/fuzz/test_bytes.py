"""Any bytes on any topic: the bridge stays up and a well-behaved consumer keeps its power."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.devices.shelly.sim import Simulator
from bridge.contract import load_contract
from tests.e2e.house import house
from tests.fuzz.rubbish import MAIN, NASTY, PAYLOADS, concrete, filters_of, harmless
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from tests.e2e.house import Eyes, House

ACTORS = ("site", "distributor", "meter", "roof", "es_ess")
BODY = """\
compat: {{es_ess: true}}
site: {{grid: meter}}
actors:
  meter: {{kind: shelly, host: 127.0.0.1, port: {port}, interval: 0.5}}
  roof: {{kind: external}}
"""
ADDRESSES = tuple(
    f"heliograph/{topic.pattern}" for topic in load_contract().topics.values()
) + tuple(f"es-ESS/SolarOverheadDistributor/Requests/pool/{name}" for name in ("Request", "Nope"))
NAMES = {
    "actor": (*ACTORS, "nobody"),
    "device": ("meter", "roof", "nobody"),
    "consumer": ("pool", "car", MAIN),
    "tariff": ("t",),
    "carbon": ("c",),
    "forecast": ("f",),
    "venus": ("gx",),
    "Quantity": ("GridPower", "PvPower", "InverterState", "State"),
    "Control": ("Switch", "BatterySetpoint"),
    "Value": ("GridPower", "Surplus", "State"),
    "Window": ("3h",),
    "Field": ("Request", "IsAutomatic", "Consumption", "CustomName", "VRMInstanceID"),
    "Level": ("Warning", "Error"),
}


class Besieged:
    """A running bridge, its eyes, and what it costs it."""

    def __init__(self, bridge: House, eyes: Eyes, broker: Mosquitto) -> None:
        self.bridge, self.eyes, self.broker = bridge, eyes, broker
        self.sent = 0
        self.rounds = 0

    async def settle(self) -> None:
        """The good consumer asks, and gets what it asked for."""
        await self.eyes.request(MAIN, IsAutomatic="true", Request=900, Consumption=0, Priority=0)
        await self.eyes.until(f"Requests/{MAIN}/Allowance", "900", 15)

    async def throw(self, batch: list[tuple[str, bytes, bool]]) -> None:
        """Send a batch, then prove that everything still works."""
        link = self.eyes._link
        for topic, payload, retain in batch:
            link.connection.send(topic, payload, qos=1, retain=retain)
        assert await link.connection.flush(10)
        self.sent += len(batch)
        await self.prove()

    async def prove(self) -> None:
        """A change of the good request is followed within 3 s, and nothing has fallen over."""
        self.rounds += 1
        wanted = 900 - self.rounds % 2
        await self.eyes.publish(f"Requests/{MAIN}/Request", wanted)
        await self.eyes.until(f"Requests/{MAIN}/Allowance", str(wanted), 3)
        assert self.bridge.process is not None
        assert self.bridge.process.poll() is None, "\n".join(self.bridge.lines[-20:])

    async def all_well(self) -> None:
        """Every actor is online as it was from the start."""
        for name in ACTORS:
            await self.eyes.until(f"Actors/{name}/Status", "online", 5)
        said = "\n".join(self.bridge.lines)
        assert "crashed" not in said
        assert "Traceback" not in said
        # A line a minute for each consumer at most, and few for everything else.
        assert len(self.bridge.lines) < 150, "\n".join(self.bridge.lines)

    async def restarts(self) -> dict[str, int]:
        """How often each actor was restarted, by the health it publishes after a fresh connect."""
        await anyio.lowlevel.checkpoint()
        return {name: self.eyes.json(f"Actors/{name}/Health")["restarts"] for name in ACTORS}


@contextlib.asynccontextmanager
async def besieged(folder: Path, seed: Any = None) -> AsyncIterator[Besieged]:
    with Mosquitto(extra="max_packet_size 1000000") as broker:
        async with (
            Simulator(power=[-2000.0, 0, 0]) as meter,
            house(broker.port, folder, BODY.format(port=meter.port), start=False) as (bridge, eyes),
        ):
            if seed is not None:
                await seed(eyes)
            bridge.start()
            await eyes.until("Actors/distributor/Status", "online", 20)
            found = Besieged(bridge, eyes, broker)
            await found.settle()
            yield found


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with anyio.from_thread.start_blocking_portal() as found:
        yield found


@pytest.fixture(scope="module")
def target(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    folder = tmp_path_factory.mktemp("fuzz")
    with portal.wrap_async_context_manager(besieged(folder)) as found:
        yield found


_SETTINGS = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_it_is_known_what_the_actors_hear(target: Besieged) -> None:
    filters = filters_of(target.broker.log)
    wanted = {
        "heliograph/Requests/+",
        "heliograph/Requests/+/+",
        "heliograph/Site/Pause/Set",
        "heliograph/Devices/roof/+",
        "heliograph/Devices/meter/State",
        "heliograph/Actors/meter/Status",
        "heliograph/Bridge/Ping",
        "es-ESS/SolarOverheadDistributor/Requests/+/+",
    }
    assert wanted <= set(filters)


@_SETTINGS
@given(data=st.data())
def test_any_bytes_on_any_topic(target: Besieged, portal: BlockingPortal, data: Any) -> None:
    filters = filters_of(target.broker.log)
    message = st.tuples(concrete(filters), PAYLOADS, st.booleans())
    batch = data.draw(st.lists(message.filter(lambda m: harmless(m[0], m[1])), max_size=25))
    portal.call(target.throw, batch)


@_SETTINGS
@given(data=st.data())
def test_any_text_as_a_topic(target: Besieged, portal: BlockingPortal, data: Any) -> None:
    text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Cs")), max_size=30)
    level = text.map(lambda found: found.replace("+", "").replace("#", ""))
    topic = st.lists(level, min_size=1, max_size=8).map(
        lambda found: "heliograph/" + "/".join(found)
    )
    message = st.tuples(topic, PAYLOADS, st.booleans()).filter(lambda m: harmless(m[0], m[1]))
    portal.call(target.throw, data.draw(st.lists(message, max_size=15)))


def test_topics_as_long_as_mqtt_allows(target: Besieged, portal: BlockingPortal) -> None:
    patterns = ("Requests/{}", "Requests/{}/Request", "Requests/pool/{}", "Devices/roof/{}", "{}")
    names = ("x" * 65_000, "/" * 150, "\U0001f31e" * 16_000, "a/" * 90)
    topics = [f"heliograph/{pattern.format(name)}" for pattern in patterns for name in names]
    batch = [(topic, b"5", False) for topic in topics]
    portal.call(target.throw, batch)


def test_every_nasty_payload_on_every_declared_topic(
    target: Besieged, portal: BlockingPortal
) -> None:
    for payload in NASTY:
        portal.call(target.throw, [(t, payload, False) for t in named() if harmless(t, payload)])


def test_after_all_that_nothing_was_restarted(target: Besieged, portal: BlockingPortal) -> None:
    portal.call(target.all_well)
    # What the actors themselves say once they connect anew, whatever was thrown on these topics.
    target.broker.restart(kill=True)
    portal.call(target.eyes.forget)
    portal.call(target.all_well)
    portal.call(target.eyes.until, "Devices/meter/State", True, 5)
    assert portal.call(target.restarts) == dict.fromkeys(ACTORS, 0)


def named() -> list[str]:
    """Every declared topic with every name of NAMES."""
    found = [""]
    for topic in ADDRESSES:
        made = [""]
        for part in topic.split("/"):
            names = NAMES[part[1:-1]] if part.startswith("{") else (part,)
            made = [f"{left}/{name}" if left else name for left in made for name in names]
        found += made
    return found[1:]


async def test_retained_rubbish_everywhere_does_not_stop_the_start(tmp_path: Path) -> None:
    async def seed(eyes: Eyes) -> None:
        link = eyes._link
        topics = named()
        for count, topic in enumerate(topics):
            link.connection.send(topic, NASTY[1:][count % (len(NASTY) - 1)], qos=1, retain=True)
            if count % 200 == 0:
                assert await link.connection.flush(10)
        for payload, name in ((b"\xff", "IsAutomatic"), (b"lots", "Request"), (b"[", "Priority")):
            link.connection.send(f"heliograph/Requests/{MAIN}/{name}", payload, retain=True)
        assert await link.connection.flush(10)
        eyes.forget()

    async with besieged(tmp_path, seed) as found:
        await found.prove()
        await found.all_well()
        assert await found.restarts() == dict.fromkeys(ACTORS, 0)
        assert await found.bridge.end() == 0
