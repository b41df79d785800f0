"""What a Shelly tells by itself: over a WebSocket in either direction, and over MQTT."""

from __future__ import annotations

import json
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.shelly import push
from actors.devices.shelly.settings import Settings
from actors.devices.shelly.sim import Simulator
from actors.devices.shelly.simulator.outward import call_home, publish
from bridge.config.secret import Secret
from bridge.errors import DeviceGarbled
from tests.actors.kinds import running as on_a_broker
from tests.runtime.links import endpoint
from tests.shelly.test_actor import build, running, wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

POWERS = [1200.0, -2500.0, 80.0]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long silences that what is seen quickly was pushed."""
    monkeypatch.setattr(push, "LEAST_CHECK", 60.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "LEAST_CHECK", 0.2)


def asked(sim: Simulator) -> int:
    return len([each for each in sim.requests if each in {"/status", "/rpc/Shelly.GetStatus"}])


# ------------------------------------------------------------------------------------ WebSocket


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("password", [None, "shpw"])
async def test_changes_come_over_the_websocket_and_nobody_asks(
    tmp_path: Path, password: str | None
) -> None:
    secret = Secret(password) if password else None
    async with Simulator(power=POWERS, password=password) as sim:
        actor = build(tmp_path, sim, push="websocket", password=secret)
        async with running(actor) as rig:
            await rig.until("Devices/meter/GridPower", "-1220")
            await wait(lambda: bool(sim.sockets) and actor.pushed.fresh(actor.clock.now()))
            before = asked(sim)
            for power in (-100.0, 300.0, 500.0):
                sim.power = [power, 0.0, 0.0]
                await rig.until("Devices/meter/GridPower", f"{power:g}")
            await anyio.sleep(0.3)
            assert asked(sim) == before <= 2
            sim.advance(3600)
            await rig.until("Devices/meter/GridImportEnergy", "0.5")
    assert sim.logins_refused == 0


@pytest.mark.usefixtures("patient")
async def test_a_button_is_seen_at_once(tmp_path: Path) -> None:
    async with Simulator("plus1pm", power=[500.0]) as sim:
        actor = build(tmp_path, sim, push="websocket")
        async with running(actor) as rig:
            await wait(lambda: actor.pushed.fresh(actor.clock.now()))
            await rig.until("Devices/meter/Switch", "true")
            sim.output[0] = False
            sim.changed()
            await rig.until("Devices/meter/Switch", "false")
            await rig.until("Devices/meter/Power", "0")


@pytest.mark.usefixtures("impatient")
async def test_silence_is_checked_by_asking(tmp_path: Path) -> None:
    async with Simulator(power=POWERS) as sim:
        actor = build(tmp_path, sim, push="websocket")
        async with running(actor) as rig:
            await wait(lambda: bool(sim.sockets))
            sim.plant.source = [7.0, 0.0, 0.0]  # and nobody is told
            await rig.until("Devices/meter/GridPower", "7")


@pytest.mark.usefixtures("impatient")
async def test_without_the_websocket_it_is_asked_until_it_is_back(tmp_path: Path) -> None:
    async with Simulator(power=POWERS) as sim:
        sim.fault, sim.fault_on = "404", "/rpc"
        actor = build(tmp_path, sim, push="websocket")
        actor.client.identity = None
        async with running(actor) as rig:
            await rig.until("Devices/meter/Status", "offline")
            sim.fault = None
            await rig.until("Devices/meter/Status", "online")
            await wait(lambda: bool(sim.sockets))
            await sim.hang_up()
            before = asked(sim)
            await wait(lambda: asked(sim) > before + 2)
            await wait(lambda: bool(sim.sockets))
            assert rig.last("Devices/meter/Status") == "online"


@pytest.mark.usefixtures("impatient")
async def test_rubbish_on_the_websocket_costs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator(power=POWERS) as sim:
        actor = build(tmp_path, sim, push="websocket")
        async with running(actor) as rig:
            await wait(lambda: bool(sim.sockets))
            sim.mutters = '{"method": "NotifySta'
            sim.power = [5.0, 0.0, 0.0]
            await rig.until("Devices/meter/GridPower", "5")
            sim.mutters = None
            assert "offline" not in [t for a, t in rig.sent if a == "Devices/meter/Status"]
    printed = "".join(capsys.readouterr())
    assert "the WebSocket of the device is lost: the Shelly at 127.0.0.1" in printed


async def test_a_wrong_password_is_tried_once_on_the_websocket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator(password="other") as sim:
        actor = build(tmp_path, sim, push="websocket", password=Secret("hunter2-secret"))
        async with running(actor) as rig:
            await rig.until("Devices/meter/Status", "offline")
            await anyio.sleep(0.2)
        assert sim.logins_refused <= 2  # one over HTTP, one over the WebSocket
        assert "hunter2" not in repr(rig.sent)
    printed = "".join(capsys.readouterr())
    lost = "the WebSocket of the device is lost: the Shelly at 127.0.0.1"
    assert f"{lost}:{sim.port} refuses the password" in printed
    assert "hunter2" not in printed


@pytest.mark.usefixtures("impatient")
async def test_a_talking_device_that_cannot_be_asked_is_not_offline(tmp_path: Path) -> None:
    async with Simulator(power=POWERS) as sim:
        actor = build(tmp_path, sim, push="websocket")
        actor.pushed.check = 60.0
        async with running(actor) as rig:
            await wait(lambda: actor.pushed.fresh(actor.clock.now()))

            async def silent(*_: object) -> Any:
                raise DeviceGarbled("the Shelly says nonsense")

            def overdue_and_told() -> bool:
                actor.pushed._full = -math.inf
                return rig.last("Actors/meter/Messages/Warning") is not None

            actor.client.status = silent  # type: ignore[method-assign]
            await wait(overdue_and_told)
            assert "says nonsense" in (rig.last("Actors/meter/Messages/Warning") or "")
            sim.power = [77.0, 0.0, 0.0]
            await rig.until("Devices/meter/GridPower", "77")
            assert rig.last("Devices/meter/Status") == "online"


# ------------------------------------------------------------------------------------ outbound


@asynccontextmanager
async def calling(sim: Simulator, url: str) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call_home, sim, url)
        yield
        tasks.cancel_scope.cancel()


@pytest.mark.usefixtures("patient")
async def test_the_device_calls_us(tmp_path: Path) -> None:
    async with Simulator(power=POWERS) as sim:
        actor = build(tmp_path, sim, push="outbound", listen="127.0.0.1:0")
        feed: Any = actor.feed
        async with running(actor) as rig:
            await rig.until("Devices/meter/GridPower", "-1220")
            await wait(lambda: feed.port != 0)
            async with calling(sim, f"ws://127.0.0.1:{feed.port}/shelly"):
                await wait(lambda: actor.pushed.fresh(actor.clock.now()))
                before = asked(sim)
                sim.power = [42.0, 0.0, 0.0]
                await rig.until("Devices/meter/GridPower", "42")
                assert asked(sim) == before
            await wait(lambda: not actor.pushed.fresh(actor.clock.now()))


@pytest.mark.usefixtures("patient")
async def test_a_stranger_who_calls_is_not_believed(tmp_path: Path) -> None:
    async with Simulator(power=POWERS) as sim, Simulator(mac="AABBCCDDEE99") as stranger:
        actor = build(tmp_path, sim, push="outbound", listen="127.0.0.1:0")
        feed: Any = actor.feed
        async with running(actor) as rig:
            await rig.until("Devices/meter/GridPower", "-1220")
            await wait(lambda: feed.port != 0)
            async with calling(stranger, f"ws://127.0.0.1:{feed.port}/"):
                stranger.power = [9999.0, 0.0, 0.0]
                await anyio.sleep(0.3)
            assert not actor.pushed.fresh(actor.clock.now())
            assert rig.last("Devices/meter/GridPower") == "-1220"


# ------------------------------------------------------------------------------------ MQTT


@asynccontextmanager
async def by_mqtt(
    tmp_path: Path, mosquitto: Mosquitto, sim: Simulator, *, status: bool = False
) -> AsyncIterator[Callable[[str], str | None]]:
    """The actor on a real broker, where the device publishes too; gives the last of a topic."""
    from bridge.config.kinds import find_kind

    prefix = "house/shelly-1"
    settings = Settings(host=sim.host, port=sim.port, interval=0.1, timeout=0.5, mqtt=prefix)
    async with (
        on_a_broker(find_kind("shelly"), settings, tmp_path, mosquitto.port) as them,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: publish(sim, endpoint(mosquitto.port), prefix, status=status))

        def last(address: str) -> str | None:
            found = them.payloads(f"heliograph/Devices/dut/{address}")
            return found[-1].decode() if found else None

        await wait(lambda: last("Status") == "online")
        await anyio.sleep(0.2)
        yield last
        tasks.cancel_scope.cancel()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("status", [False, True])
async def test_the_later_generations_over_mqtt(
    tmp_path: Path, mosquitto: Mosquitto, *, status: bool
) -> None:
    async with (
        Simulator("plus1pm", power=[10.0]) as sim,
        by_mqtt(tmp_path, mosquitto, sim, status=status) as last,
    ):
        sim.power = [20.0]
        await wait(lambda: last("Power") == "20")
        before = asked(sim)
        sim.power = [30.0]
        await wait(lambda: last("Power") == "30")
        sim.output[0] = False
        sim.changed()
        await wait(lambda: last("Switch") == "false")
        await wait(lambda: last("Power") == "0")
        assert asked(sim) == before


@pytest.mark.usefixtures("patient")
async def test_the_first_generation_over_mqtt(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        Simulator("3em", power=POWERS) as sim,
        by_mqtt(tmp_path, mosquitto, sim) as last,
    ):
        assert last("GridPower") == "-1220"
        sim.power = [100.0, 200.0, -50.0]
        await wait(lambda: last("GridPower") == "250")
        assert last("GridPowerL3") == "-50"
        sim.advance(3600)
        await wait(lambda: last("GridImportEnergy") == "0.3")
        state = json.loads(last("State") or "{}")
        assert sum(state[f"GridPowerL{n}"] for n in (1, 2, 3)) == state["GridPower"]


@pytest.mark.usefixtures("patient")
async def test_rubbish_over_mqtt_is_passed_over(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        Simulator("plus1pm", power=[10.0]) as sim,
        by_mqtt(tmp_path, mosquitto, sim) as last,
    ):
        for rubbish in ("{", "[1]", '{"method": "NotifyStatus", "params": 3}', "\x00"):
            sim.mutters = rubbish
            sim.changed()
            await anyio.sleep(0.05)
        sim.mutters = None
        sim.power = [20.0]
        await wait(lambda: last("Power") == "20")
