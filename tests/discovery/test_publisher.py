"""Discovery on a real broker: published on change, repeated after a loss, cleaned up."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import anyio.lowlevel

from bridge.actor import Context
from bridge.bus import Bus
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.model import ActorConfig
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.device import Device
from bridge.discovery import House, Publisher, device_messages
from bridge.discovery.publisher import DeviceDiscovery
from bridge.discovery.sweep import sweep
from bridge.log import get_logger
from bridge.state import StateFolder
from tests.discovery.checker import check
from tests.runtime.links import Link, endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from tests.support.mosquitto import Mosquitto

CONTRACT = load_contract()
TOPIC = "homeassistant/device/heliograph_meter/config"


class Meter(Device):
    kind = "meter"
    controls: ClassVar[tuple[str, ...]] = ("Switch", "PvLimit")


def config(state: Path, *actors: str, **discovery: Any) -> Config:
    return Config(
        state=state,
        discovery=DiscoverySettings(**discovery),
        actors={name: ActorConfig(name, "external", None) for name in actors},
    )


@contextlib.asynccontextmanager
async def living(port: int, config: Config) -> AsyncIterator[Meter]:
    """A meter whose connection stands, with its controls served."""
    actor = Meter(Context("meter", None, config, CONTRACT, endpoint(port), Clock()))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.bus.run)
        with anyio.fail_after(10):
            await actor.bus.connection.connected.wait()
        tasks.start_soon(actor.desk.run)
        while len(actor.desk.offered()) < len(actor.controls):
            await anyio.lowlevel.checkpoint()
        yield actor
        await actor.bus.connection.flush()
        tasks.cancel_scope.cancel()


def payloads(them: Link, topic: str = TOPIC) -> list[dict[str, Any]]:
    return [json.loads(payload) if payload else {} for payload in them.payloads(topic)]


def keys(them: Link) -> list[list[str]]:
    return [sorted(each.get("cmps", {})) for each in payloads(them)]


@contextlib.asynccontextmanager
async def home(port: int) -> AsyncIterator[Link]:
    """Whoever listens to discovery."""
    async with link(endpoint(port), "home", filters=("homeassistant/#",)) as them:
        yield them


async def test_a_device_is_announced_with_its_first_reading(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        await actor.info("Shelly", "Pro 3EM", "a1", "1.4")
        await anyio.sleep(0.1)
        assert payloads(them) == [], "nothing is known of it yet"
        await actor.reading({"GridPower": 5.0, "GridVoltageL1": None})
        await them.until(lambda: payloads(them))
        assert keys(them) == [["GridPower", "PvLimit"]]
        assert payloads(them)[0]["dev"]["mdl"] == "Pro 3EM"
        check({TOPIC: payloads(them)[0]})
        for _ in range(3):
            await actor.reading({"GridPower": 6.0, "GridVoltageL1": None})
        await anyio.sleep(0.1)
        assert len(payloads(them)) == 1, "only what is new is published"


async def test_it_grows_with_what_a_device_turns_out_to_have(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.discovery.publisher._PAUSE", 0.0)
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0})
        await actor.reading({"GridPower": 5.0, "GridVoltageL1": 230.0})
        await actor.control_state("Switch", False)
        await actor.info("Shelly")
        await them.until(lambda: len(payloads(them)) == 4)
        assert keys(them) == [
            ["GridPower", "PvLimit"],
            ["GridPower", "GridVoltageL1", "PvLimit"],
            ["GridPower", "GridVoltageL1", "PvLimit", "Switch"],
            ["GridPower", "GridVoltageL1", "PvLimit", "Switch"],
        ]
        assert payloads(them)[-1]["dev"]["mf"] == "Shelly"


async def test_what_was_known_stays_known_over_a_restart_at_night(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0, "PvPower": 800.0})
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0, "PvPower": None})
        await them.until(lambda: len(payloads(them)) == 2)
        assert keys(them)[-1] == ["GridPower", "PvLimit", "PvPower"]


class Later(Clock):
    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


async def test_what_a_device_does_not_even_try_any_more_goes_after_ten_minutes(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0, "PvPower": 800.0, "PvEnergy": 1.0})
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        clock = Later()
        actor.discovery = DeviceDiscovery(
            actor.discovery.publisher, CONTRACT, clock, actor.control_entry
        )
        actor.discovery.reading("meter", {"GridPower": 5.0, "PvEnergy": None})
        assert "PvLimit" in actor.discovery.publisher.keys("meter")
        clock.ahead = 601
        actor.discovery.reading("meter", {"GridPower": 5.0, "PvEnergy": None})
        await them.until(lambda: len(payloads(them)) >= 4)
        reduced, last = payloads(them)[-2:]
        assert reduced["cmps"]["PvPower"] == {"p": "sensor"}
        assert reduced["cmps"]["PvLimit"] == {"p": "number"}
        assert sorted(last["cmps"]) == ["GridPower", "PvEnergy"]


async def test_it_is_repeated_when_the_broker_has_lost_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0})
        await them.until(lambda: payloads(them))
        mosquitto.restart(kill=True)
        await them.until(lambda: len(payloads(them)) == 2)
        assert payloads(them)[0] == payloads(them)[1]


async def test_what_is_announced_without_a_broker_is_caught_up_with(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    wanted = config(tmp_path)
    async with living(mosquitto.port, wanted) as actor:
        await actor.reading({"GridPower": 5.0, "PvPower": 800.0})
    actor = Meter(Context("meter", None, wanted, CONTRACT, endpoint(mosquitto.port), Clock()))
    house = actor.discovery.publisher.house
    smaller = device_messages(CONTRACT, house, "meter", quantities=["GridPower"])
    actor.discovery.publisher.show("meter", smaller)
    async with home(mosquitto.port) as them, anyio.create_task_group() as tasks:
        tasks.start_soon(actor.bus.run)
        await them.until(lambda: len(payloads(them)) == 3)
        assert payloads(them)[1]["cmps"]["PvPower"] == {"p": "sensor"}
        assert keys(them)[-1] == ["GridPower"]
        tasks.cancel_scope.cancel()


async def test_switching_the_form_leaves_only_the_new_topics(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0})
    single = "homeassistant/sensor/heliograph_meter/GridPower/config"
    async with home(mosquitto.port) as them:
        async with living(mosquitto.port, config(tmp_path, form="components")) as actor:
            await actor.reading({"GridPower": 5.0})
            await them.until(lambda: payloads(them)[-1:] == [{}])
        assert payloads(them)[1] == {"migrate_discovery": True}
        async with living(mosquitto.port, config(tmp_path)) as actor:
            await actor.reading({"GridPower": 5.0})
            await them.until(lambda: payloads(them, single)[-1:] == [{}])
    async with home(mosquitto.port) as them:
        await anyio.sleep(0.2)
        assert [message.topic for message in them.got] == [TOPIC]


async def test_with_discovery_switched_off_nothing_is_said(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    wanted = config(tmp_path, enabled=False)
    async with home(mosquitto.port) as them, living(mosquitto.port, wanted) as actor:
        await actor.reading({"GridPower": 5.0})
        await actor.bus.connection.flush()
        await anyio.sleep(0.2)
        assert them.got == []


async def test_remove(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0})
        publisher: Publisher = actor.discovery.publisher
        assert publisher.names() == ["meter"]
        publisher.remove("meter")
        publisher.remove("never announced")
        await them.until(lambda: payloads(them)[-1:] == [{}])
        assert publisher.names() == []


async def test_a_damaged_memory_is_no_reason_to_stop(mosquitto: Mosquitto, tmp_path: Path) -> None:
    StateFolder(tmp_path, "meter", get_logger()).save("discovery", {"shown": {"meter": 5}})
    async with home(mosquitto.port) as them, living(mosquitto.port, config(tmp_path)) as actor:
        await actor.reading({"GridPower": 5.0})
        await them.until(lambda: keys(them) == [["GridPower", "PvLimit"]])


async def test_the_sweep_removes_devices_without_an_actor_and_nothing_else(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    house = House("heliograph")
    old = device_messages(CONTRACT, house, "old", quantities=["Power"])
    here = device_messages(CONTRACT, house, "meter", quantities=["Power"])
    components = House("heliograph", form="components")
    single = device_messages(CONTRACT, components, "older", quantities=["Power"])
    foreign = {
        "homeassistant/sensor/heliograph_x/Power/config": {"o": {"name": "other"}, "stat_t": "x"},
        "homeassistant/sensor/zigbee/config": {"stat_t": "z"},
    }
    async with home(mosquitto.port) as them:
        for topic, payload in {**old, **here, **single, **foreign}.items():
            them.connection.send(topic, json.dumps(payload).encode(), qos=1, retain=True)
        await them.connection.flush()
        bus = Bus(
            CONTRACT,
            "heliograph",
            endpoint(mosquitto.port),
            "sweep",
            clock=Clock(),
            log=get_logger(),
        )
        with anyio.fail_after(10):
            gone = await sweep(bus, config(tmp_path, "meter"), get_logger())
        assert sorted(gone) == sorted([*old, *single])
        await them.until(lambda: all(them.payloads(topic)[-1] == b"" for topic in gone))
    async with home(mosquitto.port) as them:
        await anyio.sleep(0.2)
        assert {message.topic for message in them.got} == {*here, *foreign}
