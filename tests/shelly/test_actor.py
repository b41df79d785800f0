"""The actor against the simulator: what it publishes, in every role, through every trouble."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from actors.devices.shelly.actor import Shelly
from actors.devices.shelly.settings import Settings
from actors.devices.shelly.sim import Simulator
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config.model import Config
from bridge.config.secret import Secret
from bridge.config.settings import SiteSettings
from bridge.contract import load_contract
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused
from bridge.mqtt import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

POWERS = [1200.0, -2500.0, 80.0]


async def wait(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while True:
            if condition():
                return
            await anyio.sleep(0.01)


class Rig:
    """One actor whose messages are kept instead of sent: topic under the base to payloads."""

    def __init__(self, actor: Shelly) -> None:
        self.actor = actor
        self.sent: list[tuple[str, str]] = []
        actor.bus.connection.send = self._send  # type: ignore[method-assign]

    def _send(self, topic: str, payload: bytes, **_: Any) -> bool:
        self.sent.append((topic.removeprefix("heliograph/"), payload.decode()))
        return True

    def last(self, address: str) -> str | None:
        return next((text for topic, text in reversed(self.sent) if topic == address), None)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.last("Devices/meter/State") or "{}")
        return found

    async def until(self, address: str, wanted: str | None = None) -> str:
        await wait(lambda: (found := self.last(address)) is not None and wanted in (None, found))
        return self.last(address) or ""


def build(tmp_path: Path, sim: Simulator, site: SiteSettings | None = None, **given: Any) -> Shelly:
    defaults: dict[str, Any] = {"interval": 0.05, "timeout": 0.5}
    settings = Settings(host=sim.host, port=sim.port, **{**defaults, **given})
    config = Config(state=tmp_path, site=site)
    endpoint = Endpoint("127.0.0.1", 1)
    return Shelly(Context("meter", settings, config, load_contract(), endpoint, Clock()))


@asynccontextmanager
async def running(actor: Shelly) -> AsyncIterator[Rig]:
    rig = Rig(actor)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.live)
        try:
            yield rig
        finally:
            tasks.cancel_scope.cancel()
    await actor.make_safe()


async def test_a_grid_meter_is_published(tmp_path: Path) -> None:
    async with (
        Simulator(power=POWERS) as sim,
        running(build(tmp_path, sim)) as rig,
    ):
        sim.advance(3600)
        assert await rig.until("Devices/meter/GridImportEnergy", "1.28")
        assert rig.last("Devices/meter/Status") == "online"
        assert rig.last("Devices/meter/GridPower") == "-1220"
        assert rig.last("Devices/meter/GridPowerL2") == "-2500"
        assert rig.last("Devices/meter/GridExportEnergy") == "2.5"
        info = json.loads(rig.last("Devices/meter/Info") or "")
        assert info == {
            "manufacturer": "Shelly",
            "model": "SPEM-003CEBEU",
            "serial": "AABBCCDDEE01",
            "firmware": "1.7.1",
        }
        assert rig.state()["GridPower"] == -1220
        topics = {topic for topic, _ in rig.sent}
        assert not any("Switch" in topic for topic in topics)
        assert "Devices/meter/Power" not in topics
        assert "Devices/meter/Temperature" not in topics


async def test_every_quantity_is_declared(tmp_path: Path) -> None:
    contract = load_contract()
    families = {
        contract.quantity(name.format(phase=1)).family or name for name in Shelly.quantities
    }
    assert families == set(Shelly.quantities)
    for model in ("3em", "em", "plug_s", "pro3em", "proem50", "plus1pm", "pmmini_g3"):
        for role in ("grid", "pv", "load", "device"):
            for phase in (None, 2):
                async with Simulator(model, power=[50.0, 50.0, 50.0]) as sim:
                    channel = 0 if model in {"em", "proem50"} else None
                    actor = build(tmp_path, sim, role=role, channel=channel, phase=phase)
                    async with actor.direct():
                        found = await actor.read_once()
                for name in found:
                    family = contract.quantity(name).family or name
                    assert family in Shelly.quantities, (model, role, name)


@pytest.mark.parametrize(
    ("site", "role", "main"),
    [
        (None, None, "GridPower"),
        (None, "pv", "PvPower"),
        (None, "device", "Power"),
        (SiteSettings(grid="meter"), None, "GridPower"),
        (SiteSettings(grid="other", pv=("meter",)), None, "PvPower"),
        (SiteSettings(grid="other", load="meter"), None, "LoadPower"),
        (SiteSettings(grid="other", pv=("meter",)), "device", "Power"),
        (SiteSettings(grid="other"), None, "GridPower"),
    ],
)
async def test_the_role_decides_the_names(
    tmp_path: Path, site: SiteSettings | None, role: Any, main: str
) -> None:
    async with Simulator("3em", power=[10.0]) as sim:
        actor = build(tmp_path, sim, site=site, role=role)
        async with actor.direct():
            assert main in await actor.read_once()


async def test_a_lost_phase_is_null_and_empty(tmp_path: Path) -> None:
    async with (
        Simulator("3em", power=POWERS) as sim,
        running(build(tmp_path, sim)) as rig,
    ):
        await rig.until("Devices/meter/GridPower", "-1220")
        sim.plant.valid[1] = False
        await rig.until("Devices/meter/GridPower", "")
        await rig.until("Devices/meter/Status", "online")
        await anyio.sleep(0.1)
        state = rig.state()
        assert state["GridPower"] is None
        assert state["GridPowerL2"] is None
        assert state["GridPowerL1"] == 1200


TROUBLE = ["stall", "reset", "close", "cut", "html", "truncated", "nan", "404", "500", "login"]


@pytest.mark.parametrize("trouble", [*TROUBLE, "empty", "gone"])
async def test_offline_after_three_failures_and_back(tmp_path: Path, trouble: str) -> None:
    async with Simulator(power=POWERS) as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Devices/meter/Status", "online")
        if trouble == "gone":
            await sim.stop()
        sim.fault = trouble
        await rig.until("Devices/meter/Status", "offline")
        health = json.loads(rig.last("Actors/meter/Health") or "")
        assert health["state"] == "degraded"
        assert health["error"].startswith(f"the Shelly at 127.0.0.1:{sim.port} ")
        before = len([topic for topic, _ in rig.sent if topic.endswith("/GridPower")])
        sim.fault = None
        if trouble == "gone":
            await sim.start()
        if trouble == "login":
            rig.actor.client._refused_at = None
        await rig.until("Devices/meter/Status", "online")
        after = len([topic for topic, _ in rig.sent if topic.endswith("/GridPower")])
        assert after >= before
        assert json.loads(rig.last("Actors/meter/Health") or "")["state"] == "ok"


async def test_two_failures_are_not_offline(tmp_path: Path) -> None:
    async with Simulator(power=POWERS) as sim:
        actor = build(tmp_path, sim)
        good = actor.read_all
        reads = 0

        async def twice_bad() -> Any:
            nonlocal reads
            reads += 1
            if reads % 3:
                raise DeviceGarbled("no")
            return await good()

        actor.read_all = twice_bad  # type: ignore[method-assign]
        async with running(actor) as rig:
            await rig.until("Devices/meter/Status", "online")
            await wait(lambda: reads >= 12)
            statuses = [text for topic, text in rig.sent if topic == "Devices/meter/Status"]
    assert "offline" not in statuses


async def test_memory_rubbish_is_unknown_not_believed(tmp_path: Path) -> None:
    async with (
        Simulator(power=POWERS) as sim,
        running(build(tmp_path, sim, metering="net")) as rig,
    ):
        await rig.until("Devices/meter/GridPower", "-1220")
        sim.fault = "memory"
        await wait(lambda: rig.state()["GridPower"] is None)
        assert "GridPower" in (rig.last("Actors/meter/Messages/Warning") or "")
        sim.fault = None
        await wait(lambda: rig.state()["GridPower"] is not None)
        rig.actor._net.save()
        saved = rig.actor.state.load("net_meter")
    assert saved is not None
    assert saved["imported"] < 1
    assert saved["exported"] < 1


async def test_a_relay_without_a_meter_publishes_no_power(tmp_path: Path) -> None:
    async with Simulator("plus1") as sim, running(build(tmp_path, sim)) as rig:
        assert await rig.until("Devices/meter/Switch") == "true"
        assert rig.last("Devices/meter/Temperature") == "41.5"
        assert "Power" not in rig.state()
        assert rig.last("Devices/meter/Power") is None


async def test_a_relay_as_grid_meter_is_refused(tmp_path: Path) -> None:
    async with Simulator("plus1") as sim:
        actor = build(tmp_path, sim, role="grid")
        async with actor.direct():
            with pytest.raises(DeviceGarbled, match="no meter that could be read"):
                await actor.read_once()


async def test_separate_clamps_want_to_be_named(tmp_path: Path) -> None:
    async with Simulator("proem50", power=[100.0, 200.0]) as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            with pytest.raises(DeviceRefused, match=r"the Shelly at .* set `channel`"):
                await actor.read_once()
        actor = build(tmp_path, sim, channel=1)
        async with actor.direct():
            assert (await actor.read_once())["GridPower"] == 200.0


@pytest.mark.parametrize("model", ["plug_s", "plus1pm", "3em"])
async def test_the_switch(tmp_path: Path, model: str) -> None:
    async with Simulator(model, power=[500.0]) as sim, running(build(tmp_path, sim)) as rig:
        assert await rig.until("Devices/meter/Switch") == "true"
        assert await rig.actor.write_control("Switch", False, device="meter") is False
        assert sim.output == [False]
        await rig.until("Devices/meter/Switch", "false")
        # Somebody presses the button on the device.
        sim.output[0] = True
        await rig.until("Devices/meter/Switch", "true")


async def test_no_switching_while_it_is_offline(tmp_path: Path) -> None:
    async with Simulator("plus1pm") as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Devices/meter/Switch")
        sim.fault = "500"
        await rig.until("Devices/meter/Status", "offline")
        sim.fault = None
        with pytest.raises(DeviceRefused, match="offline: nothing was switched"):
            await rig.actor.write_control("Switch", False, device="meter")
        assert sim.output == [True]


async def test_what_cannot_be_switched_is_refused(tmp_path: Path) -> None:
    async with Simulator("pmmini_g3") as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            with pytest.raises(DeviceRefused, match="has no relay"):
                await actor.write_control("Switch", True, device="meter")
            with pytest.raises(DeviceError):
                await actor.write_control("Switch", None, device="meter")
            with pytest.raises(DeviceError):
                await actor.write_control("MinSoc", 5.0, device="meter")


async def test_net_metering_survives_a_restart(tmp_path: Path) -> None:
    """On one phase in, on another out: gross counters both rise, the net ones by the sum."""
    async with Simulator(power=[3000.0, -3000.0, 7200.0]) as sim:
        sim.advance(3600)
        async with running(build(tmp_path, sim, metering="net")) as rig:
            await rig.until("Devices/meter/GridImportEnergy", "10.2")
            assert rig.last("Devices/meter/GridExportEnergy") == "3"
            await anyio.sleep(0.5)
        saved = rig.actor.state.load("net_meter")
        assert saved is not None
        assert saved["imported"] > 10.2
        assert saved["exported"] == 3.0
        sim.power = [0.0, 0.0, -1000.0]
        sim.advance(3600)
        async with running(build(tmp_path, sim, metering="net")) as again:
            assert await again.until("Devices/meter/GridExportEnergy", "4")
            assert float(again.last("Devices/meter/GridImportEnergy") or 0) >= 10.2


async def test_gross_metering_shows_the_devices_counters(tmp_path: Path) -> None:
    async with Simulator(power=[3000.0, -3000.0, 0.0]) as sim:
        sim.advance(3600)
        async with running(build(tmp_path, sim)) as rig:
            await rig.until("Devices/meter/GridImportEnergy", "3")
            assert rig.last("Devices/meter/GridExportEnergy") == "3"
        assert rig.actor.state.load("net_meter") is None


async def test_the_password_is_in_nothing_that_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Simulator(password="other") as sim:
        actor = build(tmp_path, sim, password=Secret("hunter2-secret"))
        async with running(actor) as rig:
            await rig.until("Devices/meter/Status", "offline")
    everything = repr(rig.sent) + repr(actor.settings) + "".join(capsys.readouterr())
    assert "refuses the password" in everything
    assert "hunter2" not in everything


def settings(**given: Any) -> Settings:
    return msgspec.convert({"host": "192.0.2.20", **given}, Settings)


def test_settings_defaults() -> None:
    found = settings()
    assert (found.port, found.interval, found.timeout, found.metering) == (80, 1.0, 3.0, "gross")
    assert (found.role, found.channel, found.phase, found.password) == (None, None, None, None)


@pytest.mark.parametrize(
    ("given", "patience"),
    [
        ({}, 3.0),
        ({"interval": 0.2}, pytest.approx(0.6)),
        ({"interval": 0.05}, 0.5),
        ({"interval": 10}, 3.0),
        ({"interval": 10, "timeout": 20}, 20.0),
    ],
)
def test_patience(given: dict[str, Any], patience: float) -> None:
    assert settings(**given).patience == patience


@pytest.mark.parametrize(
    "given",
    [
        *({"role": "battery"}, {"channel": -1}, {"channel": "both"}, {"phase": 4}),
        *({"metering": "sum"}, {"invert": "perhaps"}, {"profile": "triphase"}, {"interval": 0}),
    ],
)
def test_settings_that_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings(**given)


@pytest.mark.parametrize(
    "given", [{"channel": 3}, {"channel": "all"}, {"phase": 2}, {"role": "pv", "invert": True}]
)
def test_settings_that_are_taken(given: dict[str, Any]) -> None:
    found = settings(**given)
    assert {name: getattr(found, name) for name in given} == given


async def test_what_a_device_never_had_is_left_out_and_what_is_gone_is_unknown(
    tmp_path: Path,
) -> None:
    async with Simulator("3em", power=POWERS) as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            first = await actor.read_once()
            sim.plant.valid[0] = False
            second = await actor.read_once()
    assert "GridFrequency" not in first
    assert set(second) == set(first)
    assert second["GridVoltageL1"] is None
