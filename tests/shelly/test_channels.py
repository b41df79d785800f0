"""A Shelly with several relays, and how one is recognised on the network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from actors.devices.shelly.discover import SERVICES, service
from actors.devices.shelly.sim import Simulator
from bridge.discover import Service
from bridge.errors import DeviceError
from tests.shelly.test_actor import build, running

if TYPE_CHECKING:
    from pathlib import Path

OWN, ANY = SERVICES


async def test_each_relay_is_a_switch_of_its_own(tmp_path: Path) -> None:
    async with (
        Simulator("plus2pm", power=[500.0, 700.0]) as sim,
        running(build(tmp_path, sim)) as rig,
    ):
        sim.advance(3600)
        assert await rig.until("Devices/meter/Switch") == "true"
        assert await rig.until("Devices/meter-1/Switch") == "true"
        await rig.until("Devices/meter/Power", "500")
        await rig.until("Devices/meter-1/Power", "700")
        await rig.until("Devices/meter-1/Energy", "0.7")
        assert rig.last("Devices/meter-1/Status") == "online"
        info = json.loads(rig.last("Devices/meter-1/Info") or "")
        assert info["model"] == "SNSW-102P16EU"
        actor = rig.actor
        assert actor.desk.offered("meter-1") == ("Switch",)
        outcome = await actor.desk.submit("Switch", b"off", device="meter-1")
        assert (outcome.error, outcome.value) == (None, False)
        assert sim.output == [True, False]
        await rig.until("Devices/meter-1/Power", "0")
        assert rig.last("Devices/meter/Power") == "500"
        sim.fault = "500"
        await rig.until("Devices/meter-1/Status", "offline")
        with pytest.raises(DeviceError, match="offline: nothing was switched"):
            await actor.write_control("Switch", True, device="meter-1")


async def test_a_chosen_channel_is_the_only_one(tmp_path: Path) -> None:
    async with Simulator("plus2pm", power=[500.0, 700.0]) as sim:
        actor = build(tmp_path, sim, channel=1)
        async with actor.direct():
            assert set(await actor.read_all()) == {"meter"}
            assert (await actor.read_once())["Power"] == 700.0
            assert await actor.write_control("Switch", False, device="meter") is False
        assert sim.output == [True, False]


async def test_clamps_and_single_relays_have_no_further_devices(tmp_path: Path) -> None:
    for model, channel in (("proem50", 0), ("pro3em", None), ("plus1pm", None), ("3em", None)):
        async with Simulator(model, power=[1.0, 2.0, 3.0]) as sim:
            actor = build(tmp_path, sim, channel=channel)
            async with actor.direct():
                assert set(await actor.read_all()) == {"meter"}


@pytest.mark.parametrize("phase", [1, 2, 3])
async def test_a_pv_meter_is_on_its_phase(tmp_path: Path, phase: int) -> None:
    async with Simulator("pmmini_g3", power=[-640.0]) as sim:
        actor = build(tmp_path, sim, role="pv", phase=phase)
        async with actor.direct():
            found = await actor.read_once()
    assert found["PvPower"] == 640.0
    assert {name for name in found if name.startswith("PvPowerL")} == {f"PvPowerL{phase}"}
    assert found[f"PvPowerL{phase}"] == 640.0


# -------------------------------------------------------------------------------- discovery


def announced(kind: str, name: str, **text: str) -> Service:
    return Service(kind, name, "192.168.1.8", 80, text)


@pytest.mark.parametrize(
    ("found", "what", "serial"),
    [
        (
            announced(OWN, "shellypro3em-aabbccddee01", gen="2", app="Pro3EM", ver="1.7.1"),
            "Shelly Pro3EM (generation 2)",
            "AABBCCDDEE01",
        ),
        (announced(OWN, "shellyplus1-aabbccddee01"), "Shelly shellyplus1", "AABBCCDDEE01"),
        (
            announced(ANY, "shellyem3-AABBCCDDEE01", id="shellyem3-AABBCCDDEE01"),
            "Shelly shellyem3 (generation 1)",
            "AABBCCDDEE01",
        ),
        (
            announced(OWN, "ShellyPlus1PM-AABBCCDDEE01", gen="2", app="Plus1PM"),
            "Shelly Plus1PM (generation 2)",
            "AABBCCDDEE01",
        ),
        (announced(ANY, "shellyplug-s-DDEE01"), "Shelly shellyplug-s (generation 1)", "DDEE01"),
    ],
)
def test_it_is_recognised(found: Service, what: str, serial: str) -> None:
    device = service(found)
    assert device is not None
    assert (device.what, device.serial) == (what, serial)


@pytest.mark.parametrize(
    "other",
    [
        announced(ANY, "shellypro3em-aabbccddee01", gen="2"),
        announced(ANY, "ShellyPlus1PM-AABBCCDDEE01", gen="2"),
        announced(ANY, "shellypro3em-123456789012", gen="3"),
        announced(ANY, "printer"),
        announced(OWN, "something else"),
        announced(ANY, "homevolt-68b6b3aabb94"),
    ],
)
def test_what_is_none_or_is_announced_twice(other: Service) -> None:
    assert service(other) is None
