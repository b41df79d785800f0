"""The actor, a GX that keeps to its rules, and what can go wrong between them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.venus.venus_mqtt.simulator.plant import PORTAL, Plant
from actors.venus.venus_mqtt.simulator.player import Player
from bridge.errors import DeviceGarbled, DeviceRefused, DeviceTimeout
from tests.actors.kinds import last, running
from tests.runtime.links import endpoint, link
from tests.support.mosquitto import Mosquitto
from tests.venus_mqtt.rig import KIND, bridged, build, gx, playing, settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link

pytestmark = pytest.mark.anyio


def state(them: Link) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(last(them, "Devices/dut/State") or "{}")
    return found


@pytest.mark.parametrize("old", [False, True])
async def test_it_reads_either_sort_of_gx(old: bool, tmp_path: Path) -> None:
    async with gx(Player(old=old)) as (player, port):
        actor = build(tmp_path, port, timeout=4.0)
        async with actor.direct():
            found = await actor.read_once()
            assert actor.gx.portal == PORTAL
        assert (found["LoadPower"], found["PvPower"], found["BatterySoc"]) == (1200, 3000, 60)
        assert found["GridPower"] == pytest.approx(50, abs=0.3)
        assert found["BatteryPower"] == -1850
        assert player.written == []
        if old:
            assert b"" in player.keepalives
        else:
            assert all(b"echo" in each for each in player.keepalives)


@pytest.mark.slow
async def test_it_follows_changes_and_goes_on_being_told(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.venus.venus_mqtt.keepalive.EVERY", 0.4)
    player = Player(heartbeat=0.5, alive=1.0)
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await them.until(lambda: state(them).get("LoadPower") == 1200)
        await anyio.sleep(1.5)  # longer than the GX publishes without being asked
        player.plant.load = 2400.0
        await them.until(lambda: state(them).get("LoadPower") == 2400, 2)
        assert player.publishes == 1
        assert any(b"suppress" in each for each in player.keepalives)


async def test_only_what_is_used_is_subscribed_to(tmp_path: Path) -> None:
    async with gx() as (_, port):
        actor = build(tmp_path, port, timeout=10.0)
        async with actor.direct():
            await actor.read_once()
        assert not any(path.startswith(("battery/", "vebus/")) for path in actor.gx.values)
        assert "#" not in "".join(filter_ for filter_, _ in actor.gx._filters(PORTAL))


async def test_a_fourth_full_publish_within_a_second_is_not_needed(tmp_path: Path) -> None:
    """Somebody else has used up what the GX allows; the values are asked for one by one."""
    async with gx() as (player, port), link(endpoint(port), "greedy") as greedy:
        actor = build(tmp_path, port, timeout=0.9)
        for _ in range(3):
            greedy.connection.send(f"R/{PORTAL}/keepalive", b"")
        await anyio.sleep(0.05)
        player._window = anyio.current_time() + 5  # the second does not end
        player._in_window = 3
        player._window -= 5
        async with actor.direct():
            assert (await actor.read_once())["LoadPower"] == 1200


@pytest.mark.slow
async def test_silence_is_stale_then_offline_and_its_end_asks_for_everything(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port, silence=4.0) as (player, them):
        await them.until(lambda: last(them, "Devices/dut/Status") == "online")
        player.fault = "silence"
        began = anyio.current_time()
        await them.until(lambda: last(them, "Devices/dut/Status") == "offline", 8)
        assert 3.5 < anyio.current_time() - began < 6
        assert "no sign of life" in (last(them, "Actors/dut/Health") or "")
        count, published = len(them.payloads("heliograph/Devices/dut/State")), player.publishes
        player.plant.load = 600.0  # changed while nobody was told
        player._told = dict(player._shown())
        player.fault = None
        await them.until(lambda: last(them, "Devices/dut/Status") == "online", 5)
        await them.until(lambda: state(them).get("LoadPower") == 600, 3)
        assert player.publishes > published
        assert len(them.payloads("heliograph/Devices/dut/State")) > count


@pytest.mark.slow
async def test_heartbeats_alone_keep_no_value_alive(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """What sums the values up hangs; what publishes heartbeats does not."""
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: last(them, "Devices/dut/Status") == "online")
        player.asked.clear()
        await anyio.sleep(5)  # nothing changes: one value is asked for now and then
        assert 1 <= len(player.asked) <= 3
        assert last(them, "Devices/dut/Status") == "online"
        player.fault = "mute"
        began = anyio.current_time()
        await them.until(lambda: last(them, "Devices/dut/Status") == "offline", 9)
        # The last question may have been answered a moment before.
        assert 1 < anyio.current_time() - began < 7
        assert "answers no question" in (last(them, "Actors/dut/Health") or "")
        count = len(them.payloads("heliograph/Devices/dut/State"))
        await anyio.sleep(1)
        assert len(them.payloads("heliograph/Devices/dut/State")) == count
        player.fault = None
        await them.until(lambda: last(them, "Devices/dut/Status") == "online", 5)


@pytest.mark.slow
async def test_a_reboot_of_the_gx(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Its broker goes and comes back, with everything null at first."""
    with Mosquitto() as own:
        async with running(KIND, settings(own.port), tmp_path, mosquitto.port) as them:
            async with playing(own.url):
                await them.until(lambda: last(them, "Devices/dut/Status") == "online")
                own.stop()
                await them.until(lambda: last(them, "Devices/dut/Status") == "offline")
            own.start()
            booting = Player(heartbeat=0.5)
            booting.fault = "booting"
            async with playing(own.url, booting):
                health = "knows nothing of its system yet"
                await them.until(lambda: health in (last(them, "Actors/dut/Health") or ""))
                assert last(them, "Devices/dut/Status") == "offline"
                booting.fault = None
                await them.until(lambda: last(them, "Devices/dut/Status") == "online")
                assert state(them)["LoadPower"] == 1200


async def test_a_lost_phase_and_its_warning(tmp_path: Path, mosquitto: Mosquitto) -> None:
    warning = "Actors/dut/Messages/Warning"
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: state(them).get("GridPower") is not None)
        player.fault = "null_phase"
        await them.until(lambda: state(them)["GridPower"] is None)
        assert state(them)["GridPowerL1"] is not None
        assert "grid phase L2" in (last(them, warning) or "")
        player.fault = None
        await them.until(lambda: state(them)["GridPower"] is not None)
        await them.until(lambda: last(them, warning) == "")


@pytest.mark.parametrize(("fault", "unknown"), [("no_soc", "BatterySoc"), ("no_grid", "GridPower")])
async def test_one_unknown_value_is_that_one(
    fault: str, unknown: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: state(them).get(unknown) is not None)
        player.fault = fault
        await them.until(lambda: state(them)[unknown] is None)
        assert state(them)["LoadPower"] == 1200
        assert last(them, "Devices/dut/Status") == "online"


async def test_a_rival_is_told_and_taken_back(tmp_path: Path, mosquitto: Mosquitto) -> None:
    warning = "Actors/dut/Messages/Warning"
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        player.fault = "dynamic_ess"
        await them.until(lambda: "Dynamic ESS is active" in (last(them, warning) or ""))
        player.fault = None
        await them.until(lambda: last(them, warning) == "")


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("garbage", DeviceGarbled, "what no GX sends"),
        ("texts", DeviceGarbled, "texts where numbers"),
        ("gone", DeviceTimeout, "publishes no values of its system"),
        ("mute", DeviceTimeout, "publishes no values"),
        ("silence", DeviceTimeout, "no sign of life"),
    ],
)
async def test_a_fault_is_one_sentence(
    fault: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    async with gx() as (player, port):
        # Only then is the serial number on the broker.
        await anyio.sleep(0.2)
        player.fault = fault
        actor = build(tmp_path, port, timeout=0.6)
        with pytest.raises(error, match=words):
            async with actor.direct():
                await actor.read_once()


async def test_a_broker_that_is_no_gx(tmp_path: Path, mosquitto: Mosquitto) -> None:
    actor = build(tmp_path, mosquitto.port, timeout=0.4)
    with pytest.raises(DeviceTimeout, match="shows no portal id"):
        async with actor.direct():
            await actor.read_once()


async def test_two_gx_on_one_broker_are_told_apart(tmp_path: Path) -> None:
    other = Player(Plant(), portal="0123456789ab", heartbeat=0.5)
    other.plant.load = 999.0
    async with gx() as (_, port), playing(f"mqtt://127.0.0.1:{port}", other):
        actor = build(tmp_path, port, portal_id="0123456789ab")
        async with actor.direct():
            assert (await actor.read_once())["LoadPower"] == 999


async def test_a_portal_id_that_is_not_its_own(tmp_path: Path, mosquitto: Mosquitto) -> None:
    actor = build(tmp_path, mosquitto.port, portal_id="0123456789ab", timeout=0.4)
    with pytest.raises(DeviceTimeout, match="about the portal id 0123456789ab: is it"):
        async with actor.direct():
            await actor.read_once()
    async with gx() as (_, port):
        actor = build(tmp_path, port, portal_id="0123456789ab", timeout=2)
        sentence = f"about the portal id 0123456789ab; its broker shows {PORTAL} instead"
        with pytest.raises(DeviceTimeout, match=sentence):
            async with actor.direct():
                await actor.read_once()


async def test_which_of_two_gx_must_be_said(tmp_path: Path) -> None:
    other = Player(Plant(), portal="0123456789ab", heartbeat=0.5)
    async with gx() as (player, port), playing(f"mqtt://127.0.0.1:{port}", other):
        await anyio.sleep(0.2)
        actor = build(tmp_path, port)
        async with actor.direct():
            with pytest.raises(DeviceRefused, match=f"0123456789ab, {PORTAL}"):
                await actor.read_once()
            with pytest.raises(DeviceRefused, match="portal_id"):
                await actor.write_control("GridSetpoint", 3000.0, device="dut")
        assert player.written == other.written == []


async def test_one_text_among_numbers_is_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    warning = "Actors/dut/Messages/Warning"
    path = "system/0/Ac/Grid/L2/Power"
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await them.until(lambda: state(them).get("GridPower") is not None)
        player.plant.extra[path] = "abc"
        await them.until(lambda: state(them)["GridPower"] is None)
        await them.until(lambda: f"{path} of the GX is not a number" in (last(them, warning) or ""))
        del player.plant.extra[path]
        await them.until(lambda: state(them)["GridPower"] is not None)
        await them.until(lambda: last(them, warning) == "")


@pytest.mark.slow
async def test_values_are_exported_cleared_and_taken_up_again(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    rules = [
        {"path": "battery/*/Soc", "topic": "mine/{instance}/soc"},
        {"path": "vebus/276/Ac/Out/L1/P", "topic": "Energy/Multiplus*"},
        {"path": "system/0/Dc/Battery/TimeToGo", "topic": "mine/ttg"},
    ]
    async with link(endpoint(mosquitto.port), "flow", filters=("mine/#", "Energy/#")) as flow:

        def newest(topic: str) -> bytes | None:
            found = flow.payloads(topic)
            return found[-1] if found else None

        async with bridged(tmp_path, mosquitto.port, export=rules) as (player, them):
            await flow.until(lambda: newest("mine/512/soc") == b"60.0")
            await flow.until(lambda: newest("mine/lynx_a/soc") == b"59")
            await flow.until(lambda: newest("Energy/Multiplus/Ac/Out/L1/P") == b"400")
            player.plant.soc = 61.0
            await flow.until(lambda: newest("mine/512/soc") == b"61.0", 2)
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            async with link(endpoint(mosquitto.port), "late", filters=("mine/#",)) as late:
                await late.until(lambda: late.payloads("mine/512/soc") == [b"61.0"])
            assert flow.payloads("mine/ttg") == []
            player.fault = "silence"
            await flow.until(lambda: newest("mine/512/soc") == b"", 9)
            player.fault = None
            await flow.until(lambda: newest("mine/512/soc") == b"61.0")
        await flow.until(lambda: newest("mine/512/soc") == b"")
        named = {"mine/512/soc", "mine/lynx_a/soc", "Energy/Multiplus/Ac/Out/L1/P"}
        assert {message.topic for message in flow.got} <= named
