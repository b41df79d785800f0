"""Every simulated device on the broker of a house: read, each fault, and there again."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.sim import snippet
from bridge.config.kinds import Kind, find_kind
from bridge.config.load import load_text
from bridge.errors import BrokerError
from bridge.mqtt import Endpoint
from tests.actors.kinds import ON_BROKER, last, running
from tests.runtime.links import endpoint, link
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

WAYS = [(name, style) for name in ON_BROKER for style in find_kind(name).simulator().STYLES]  # type: ignore[union-attr]
QUICK = {"stale": 5.0, "interval": 1.0, "timeout": 0.5}
# What an owner reads of a fault; of the others nothing (they are tried by commands, or change
# nothing), or that it is not `online` any more.
SAID = {
    ("mqtt_pv", "text"): "not a number",
    ("mqtt_pv", "half"): "not JSON",
    ("mqtt_sensor", "text"): "not a number",
    ("mqtt_sensor", "comma"): "not a number",
    ("mqtt_sensor", "half"): "not JSON",
    ("mqtt_switch", "text_power"): "not a number",
    ("mqtt_switch", "garbled"): "not JSON",
    ("mqtt_switch", "half"): "not JSON",
}
AWAY = {("mqtt_pv", "silent"), ("mqtt_sensor", "offline"), ("mqtt_switch", "silent")}
JSON = {"mqtt_pv": "tasmota", "mqtt_sensor": "zigbee2mqtt", "mqtt_switch": "zigbee2mqtt"}
every_way = pytest.mark.parametrize(("name", "style"), WAYS)


def simulate(kind: Kind, broker: Mosquitto, style: str, **more: Any) -> Any:
    module: Any = kind.simulator()
    return module.Simulator(broker=broker.url, style=style, **({"period": 0.3} | more))


@contextlib.asynccontextmanager
async def read(kind: Kind, sim: Any, state: Path, port: int) -> AsyncIterator[Link]:
    """The actor with the line that `heliograph sim` prints, hurried."""
    line = json.loads(json.dumps({"kind": kind.name, **sim.settings()}))
    line |= {key: value for key, value in QUICK.items() if key in kind.settings().__struct_fields__}
    settings = load_text(f"actors:\n  dut: {json.dumps(line)}\n").actors["dut"].settings
    async with running(kind, settings, state, port) as them:
        await them.until(lambda: last(them, "Devices/dut/Status") == "online", 20)
        yield them


def reading(them: Link) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last(them, "Devices/dut/State") or "{}")
    return found


def test_there_are_some() -> None:
    assert {"mqtt_switch", "mqtt_pv", "mqtt_sensor"} <= set(ON_BROKER)


@every_way
async def test_it_is_read(name: str, style: str, mosquitto: Mosquitto, tmp_path: Path) -> None:
    kind = find_kind(name)
    async with (
        simulate(kind, mosquitto, style) as sim,
        read(kind, sim, tmp_path, mosquitto.port) as them,
    ):
        await them.until(lambda: reading(them))
        await them.until(lambda: '"ok"' in (last(them, "Actors/dut/Health") or ""))


def health(them: Link) -> str:
    """Of the actor, with what stands as a Warning."""
    return f"{last(them, 'Actors/dut/Health')} {last(them, 'Actors/dut/Messages/Warning')}"


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ON_BROKER)
async def test_it_gets_over_every_fault(name: str, mosquitto: Mosquitto, tmp_path: Path) -> None:
    kind = find_kind(name)
    module: Any = kind.simulator()
    assert {fault for each, fault in SAID.keys() | AWAY if each == name} <= module.FAULTS.keys()
    async with (
        simulate(kind, mosquitto, JSON[name]) as sim,
        read(kind, sim, tmp_path, mosquitto.port) as them,
    ):

        def online() -> bool:
            return last(them, "Devices/dut/Status") == "online"

        for fault in module.FAULTS:
            await them.until(lambda: online() and '"ok"' in health(them), 30)
            sim.fault = fault
            words = SAID.get((name, fault))
            if words is not None:
                await them.until(lambda words=words: words in health(them), 30)  # type: ignore[misc]
            elif (name, fault) in AWAY:
                await them.until(lambda: not online(), 30)
            sim.fault = None
            await them.until(lambda: online() and '"ok"' in health(them), 30)
            assert '"restarts":0' in health(them), fault


@every_way
async def test_its_last_will_is_told(name: str, style: str, mosquitto: Mosquitto) -> None:
    kind = find_kind(name)
    async with (
        link(endpoint(mosquitto.port), "eyes", filters=("#",)) as them,
        simulate(kind, mosquitto, style) as sim,
    ):
        will = sim.will
        await them.until(lambda: will.online in them.payloads(will.topic))
        sim.fault = "offline"
        await them.until(lambda: them.payloads(will.topic)[-1] == will.offline)
        sim.fault = None
        await them.until(lambda: them.payloads(will.topic)[-1] == will.online)


@pytest.mark.parametrize("name", ON_BROKER)
async def test_it_brings_a_broker_of_its_own(name: str, tmp_path: Path) -> None:
    kind = find_kind(name)
    module: Any = kind.simulator()
    async with module.Simulator(password="no: sun", period=0.3) as sim:
        line = snippet(kind, module, sim)
        text = f"broker: {json.dumps(sim.broker())}\nactors:\n  {line}\n"
        config = load_text(text)
        assert config.broker.url == f"mqtt://127.0.0.1:{sim.port}"
        place = Endpoint.from_url(config.broker.url, username="heliograph", password="no: sun")
        port = sim.port
        async with link(place, "eyes", filters=("#",)) as them:
            await them.until(lambda: them.got)
        await sim.stop()
        await sim.start()
        assert sim.port == port


async def test_a_broker_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.simulators.on_broker._PATIENCE", 0.5)
    module: Any = find_kind("mqtt_switch").simulator()
    port = free_port()
    with pytest.raises(BrokerError, match=f"the broker mqtt://127.0.0.1:{port} cannot be reached"):
        await module.Simulator(broker=f"mqtt://127.0.0.1:{port}").start()
