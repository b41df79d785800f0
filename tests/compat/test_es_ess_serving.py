"""What es-ESS's flows read besides allowances, and what they may write about consumers of ours."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.compat.es_ess.actor import EsEss, Settings
from actors.compat.es_ess.core import ROOT
from bridge.actor import Context
from bridge.config import ActorConfig, Config, SiteSettings
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.mqtt import Endpoint, Incoming
from tests.compat.test_es_ess_actor import Tree
from tests.runtime.virtual import VIRTUAL, LoopClock, Wire, alive, hear

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
REQUESTS = f"{ROOT}/Requests"


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    return VIRTUAL


def made(state: Path) -> tuple[Wire, EsEss, Tree]:
    actors = {
        id_: ActorConfig(id_, kind, None)
        for id_, kind in (
            *(("pool", "http_switch"), ("car", "wattpilot"), ("ttg", "time_to_go")),
            *(("distributor", "distributor"), ("roof", "sun2000")),
        )
    }
    config = Config(
        state=state,
        discovery=DiscoverySettings(enabled=False),
        actors=actors,
        site=SiteSettings(grid="meter", battery=("ess",)),
    )
    nowhere = Endpoint("localhost", 1)
    actor = EsEss(Context("es_ess", Settings(), config, load_contract(), nowhere, LoopClock(), 0))
    tree = Tree(actor)
    return Wire(), actor, tree


def request(actor: EsEss, consumer: str, **fields: Any) -> None:
    hear(actor, f"Requests/{consumer}", json.dumps(fields).encode())


def echo(actor: EsEss, tree: Tree) -> None:
    """What we publish on a tree that we have subscribed to comes back."""
    for topic, payload in list(tree.sent):
        if topic.startswith(f"{ROOT}/"):
            actor._hear(Incoming(topic, payload, retained=False))


async def test_a_switch_of_ours_is_seen_on_the_es_ess_tree(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        request(actor, "pool", IsAutomatic=True, Request=120, Consumption=118.5, CustomName="Pool")
        hear(actor, "Requests/pool/Allowance", b"120")
        await anyio.sleep(0.01)
        assert tree.of(f"{REQUESTS}/pool/IsAutomatic") == [b"true"]
        assert tree.of(f"{REQUESTS}/pool/Consumption") == [b"118.5"]
        assert tree.of(f"{REQUESTS}/pool/CustomName") == [b"Pool"]
        assert tree.of(f"{REQUESTS}/pool/Allowance") == [b"120"]
        assert len(tree.of(f"{REQUESTS}/pool")) == 1
        sent = len(wire.sent)
        echo(actor, tree)
        await anyio.sleep(0.1)
        assert [where for _, where, _ in wire.sent[sent:] if where.startswith("Requests/")] == []
        assert actor.ledger.consumers == {}


async def test_its_owner_may_take_it_over_there_and_nothing_else(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        request(actor, "pool", IsAutomatic=True, Request=120)
        await anyio.sleep(0.01)
        tree.hear(f"{REQUESTS}/pool/IsAutomatic", b"false")
        tree.hear(f"{REQUESTS}/pool/Request", b"5000")
        await anyio.sleep(0.01)
        assert wire.of("Requests/pool/IsAutomatic/Set") == [b"false"]
        assert wire.of("Requests/pool") == []
        (sentence,) = tree.of(f"{REQUESTS}/pool/Error")
        assert sentence == b"Request of pool is set in the configuration, not by a topic"


async def test_who_has_left_may_come_back_as_a_consumer_of_its_own(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        for payload in (b"500", b""):
            tree.hear(f"{REQUESTS}/EV/Request", payload)
        await anyio.sleep(0.01)
        for _, where, payload in list(wire.sent):
            if where == "Requests/EV":  # our own words come back to us, late
                hear(actor, where, payload)
        await anyio.sleep(0.01)
        tree.hear(f"{REQUESTS}/EV/Request", b"700")
        await anyio.sleep(0.01)
        assert wire.json("Requests/EV") == {"Request": 700.0}


async def test_our_own_time_stamp_is_no_other_es_ess(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        for _ in range(4):
            hear(actor, "Site/State", b'{"GridPower": -100, "Surplus": 100}')
            await anyio.sleep(6)
            echo(actor, tree)
        await anyio.sleep(1)
        times = tree.of(f"{ROOT}/LastUpdateTime")
        assert len(times) >= 3
        assert times == sorted(set(times))
        assert len(tree.of(f"{ROOT}/LastUpdateDateTime")) == len(times)
        assert wire.of("Site/Hold") == []


async def test_nothing_is_said_while_a_real_es_ess_speaks(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        for moment in (b"1", b"2"):
            tree.hear(f"{ROOT}/LastUpdateTime", moment)
        await anyio.sleep(0.01)
        before = len(tree.sent)
        request(actor, "pool", IsAutomatic=True, Request=120)
        hear(actor, "Requests/pool/Allowance", b"120")
        hear(actor, "Devices/ttg/State", b'{"BatteryTimeToGo": 5}')
        await anyio.sleep(100)
        assert tree.sent[before:] == []


async def test_energy_and_running_time(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, "Requests/pool/Energy", b"5")
        request(actor, "pool", IsAutomatic=True, Request=120, Consumption=120)
        tree.hear(f"{REQUESTS}/EV/Consumption", b"2000")
        await anyio.sleep(30)
        hear(actor, "Requests/pool/Energy", b"5.2")
        request(actor, "pool", Consumption=0)
        await anyio.sleep(60)
        energy = f"{REQUESTS}/pool/Energy"
        assert tree.of(f"{energy}/energyTotal")[-1] == b"5200.0"
        assert tree.of(f"{energy}/energyToday")[-1] == b"200.0"
        assert 29 <= float(tree.of(f"{energy}/runtimeToday")[-1]) <= 31
        assert float(tree.of(f"{REQUESTS}/EV/Energy/runtimeTotal")[-1]) >= 50
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(61)
        assert tree.of(f"{REQUESTS}/pool/Energy/energyTotal")[-1] == b"5200.0"


async def test_it_introduces_itself_after_each_connect(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        actor.tree.sessions = 1
        await anyio.sleep(2)
        assert tree.of("es-ESS/$SYS/Version")[0].startswith(b"Heliograph ")
        assert float(tree.of("es-ESS/$SYS/ConnectionTime")[0]) > 1e9
        since = tree.of("es-ESS/$SYS/ConnectionDateTime")[0].decode()
        assert datetime.fromisoformat(since).year == 2026
        assert tree.of("es-ESS/FroniusWattpilot") == [b"Enabled"]
        assert tree.of("es-ESS/Shelly3EMGrid") == [b"Disabled"]
        assert tree.of("es-ESS/$SYS/MqttThrottle/Status")[0] == b"Disabled"
        assert all(float(tree.of(f"es-ESS/$SYS/Load/{n}")[0]) >= 0 for n in (1, 5, 15))
        actor.tree.sessions = 2
        await anyio.sleep(2)
        assert len(tree.of("es-ESS/$SYS/Version")) == 2


async def test_messages_become_service_messages(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        for payload in (b"2026-11-21T21:14:03Z the car is full", b"", b"2026-11-21T21:15:03Z gone"):
            hear(actor, "Actors/car/Messages/Warning", payload)
            await anyio.sleep(0.01)
        hear(actor, "Actors/roof/Messages/Warning", b"2026-11-21T21:15:03Z dark")
        await anyio.sleep(0.01)
        place = "es-ESS/FroniusWattpilot/ServiceMessages/ServiceMessageType.Warning/Message"
        assert tree.of(f"{place}01")[0].endswith(b" | the car is full")
        assert tree.of(f"{place}02")[0].endswith(b" | gone")
        assert not any(payload.endswith(b"dark") for _, payload in tree.sent)


async def test_the_car_and_the_time_to_go(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        hear(actor, "Devices/car/ChargeMode", b"eco")
        await anyio.sleep(0.01)
        for watts in (1400, 1500):
            hear(actor, "Devices/car/State", json.dumps({"Power": watts}).encode())
            await anyio.sleep(0.01)
        hear(actor, "Devices/ttg/State", b'{"BatteryTimeToGo": 3600}')
        hear(actor, "Devices/ess/State", b'{"BatteryTimeToGo": 1}')
        await anyio.sleep(0.01)
        assert tree.of("es-ESS/FroniusWattpilot/Ac/Power") == [b"1400"]
        assert tree.of("es-ESS/FroniusWattpilot/Mode") == [b"1"]
        assert tree.of("es-ESS/TimeToGoCalculator/TimeToGo") == [b"3600"]
        charging = b'{"BatteryTimeToGo": null, "BatteryTimeToFull": 7200}'
        hear(actor, "Devices/ttg/State", charging)
        await anyio.sleep(0.01)
        hear(actor, "Devices/ttg/State", b'{"BatteryTimeToGo": null, "BatteryTimeToFull": null}')
        await anyio.sleep(0.01)
        assert tree.of("es-ESS/TimeToGoCalculator/TimeToGo") == [b"3600", b"7200"]


async def test_an_owner_may_change_his_mind_as_often_as_he_likes(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        request(actor, "pool", IsAutomatic=True, Request=120)
        await anyio.sleep(0.01)
        echo(actor, tree)
        for word in (b"false", b"true", b"false"):
            await anyio.sleep(1)
            tree.hear(f"{REQUESTS}/pool/IsAutomatic", word)
            await anyio.sleep(0.01)
            tree.sent.clear()
            request(actor, "pool", IsAutomatic=word == b"true")
            await anyio.sleep(0.01)
            echo(actor, tree)
            await anyio.sleep(0.01)
        assert wire.of("Requests/pool/IsAutomatic/Set") == [b"false", b"true", b"false"]


async def test_a_word_that_crosses_our_own_is_heard_once(tmp_path: Path) -> None:
    wire, actor, tree = made(tmp_path)
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        request(actor, "pool", IsAutomatic=True, Request=120)
        await anyio.sleep(0.01)
        tree.hear(f"{REQUESTS}/pool/IsAutomatic", b"false")
        await anyio.sleep(0.01)
        echo(actor, tree)
        await anyio.sleep(0.01)
        assert wire.of("Requests/pool/IsAutomatic/Set") == [b"false"]
