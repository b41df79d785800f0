"""The actor against the simulator: readings, set-points, giving back, and every trouble between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from actors.devices.homevolt import client, steering
from actors.devices.homevolt.schedule import MODES
from actors.devices.homevolt.sim import Simulator
from bridge.config.secret import Secret
from bridge.errors import DeviceError, DeviceRefused
from tests.homevolt.rig import ID, MovedClock, build, running

if TYPE_CHECKING:
    from pathlib import Path


FOLLOWED = ("idle", "charge", "discharge", "frequency_reserve", "solar_charge")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "_LOOKS", (0.0, 0.01))


async def test_the_house_and_its_battery_are_published(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until(lambda: rig.last(f"Devices/{ID}/GridPower"))
        state = rig.state()
        total = state["PvPower"] + state["GridPower"] + state["BatteryPower"]
        assert total == pytest.approx(state["LoadPower"], rel=0.01)
        assert state["BatterySoc"] == pytest.approx(68.0, abs=0.1)
        info = json.loads(rig.last(f"Devices/{ID}/Info") or "")
        assert info == {
            "manufacturer": "Homevolt",
            "model": "B6",
            "serial": "68b6b3aabb94",
            "firmware": "v31.4, 3056-1a3446ed",
        }
        assert state["SignalStrength"] == -43
        assert not any("-68b6" in topic for topic, _ in rig.sent)


async def test_several_units_are_devices_of_their_own(tmp_path: Path) -> None:
    async with Simulator(units=2) as sim, running(build(tmp_path, sim)) as rig:
        await rig.until(lambda: rig.last(f"Devices/{ID}-68b6b3aabb95/State"))
        await rig.until(lambda: rig.last(f"Devices/{ID}/State"))
        one, whole = rig.state(f"{ID}-68b6b3aabb94"), rig.state()
        assert whole["BatteryPower"] == pytest.approx(2 * one["BatteryPower"], abs=1)
        assert "GridPower" in whole
        assert "GridPower" not in one
        outcome = await rig.order("BatterySetpoint", "-10000")
        assert outcome.error is None
        assert sim.power == -10_000


async def test_a_lost_sensor_is_unknown(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until(lambda: rig.state().get("PvPower"))
        sim.unavailable.add("solar")
        await rig.until(lambda: rig.state()["PvPower"] is None)
        assert rig.state()["GridPower"] is not None
        assert rig.state()["PvEnergy"] is None


async def test_an_alarm_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        actor: Any = rig.actor
        good = actor.client.ems

        async def bad() -> Any:
            found = await good()
            found["ems"][0]["ems_data"]["alarm_str"] = ["EMS_ALARM_HOT"]
            return found

        monkeypatch.setattr(actor.client, "ems", bad)
        await rig.until(lambda: "ess reports EMS_ALARM_HOT" in rig.warning)
        await rig.until(lambda: rig.state().get("BatteryState") == "fault")


# -------------------------------------------------------------------------------- set-points


@pytest.mark.parametrize(("watts", "line"), [(-1500, "1 -s 1500"), (2500, "2 -s 2500"), (0, "0")])
async def test_a_setpoint_is_lent_and_all_is_given_back(
    tmp_path: Path, watts: int, line: str
) -> None:
    async with Simulator() as sim:
        before = sim.console.page()
        async with running(build(tmp_path, sim)) as rig:
            outcome = await rig.order("BatterySetpoint", str(watts))
            assert (outcome.error, outcome.value) == (None, watts)
            assert sim.console.local_mode
            assert sim.power == watts
            assert sim.console.lines[0].startswith(f"sched_set {line} --to ")
            assert rig.actor.steering.noted is not None
            await rig.until(lambda: rig.state()["BatteryPower"] == watts)
        assert not sim.console.local_mode
        assert [(each["type"], each["params"]) for each in sim.console.entries] == [
            (each["type"], each["params"]) for each in before["schedule"]
        ]
        assert [each["to"] for each in sim.console.entries] == [
            each["to"] for each in before["schedule"]
        ]
        assert rig.actor.steering.noted is None
        assert sim.stored == []


async def test_beyond_the_rated_power_is_refused(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        outcome = await rig.order("BatterySetpoint", "6001")
        assert "not between -6000 and 6000 W" in str(outcome.error)
        assert sim.console.lines == []


async def test_the_two_leases_exclude_each_other(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        assert (await rig.order("BatterySetpoint", "100")).error is None
        outcome = await rig.order("BatteryMode", "charge")
        assert outcome.error == "BatterySetpoint holds the battery: give that back first"
        assert sim.power == 100


async def test_a_killed_bridge_leaves_an_end_and_the_next_one_gives_back(tmp_path: Path) -> None:
    async with Simulator() as sim:
        async with running(build(tmp_path, sim, end_after=60), politely=False) as rig:
            assert (await rig.order("BatterySetpoint", "2000")).error is None
        assert sim.power == 2000
        left = sim.console.entries[0]["to"] - sim.now()
        assert 55 < left < 65
        sim.forward(70)
        assert sim.power == 0
        async with running(build(tmp_path, sim)) as again:
            await again.until(lambda: not sim.console.local_mode)
            await again.until(lambda: again.actor.steering.noted is None)
        assert [each["type"] for each in sim.console.entries] == [1, 7]


async def test_a_setpoint_is_renewed_before_it_ends(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = build(tmp_path, sim)
        actor.watchdog = {"BatterySetpoint": 0.4}  # type: ignore[misc] # quicker than a test waits
        async with running(actor) as rig:
            assert (await rig.order("BatterySetpoint", "2000")).error is None
            await rig.until(lambda: len(sim.console.lines) >= 3)
            assert len({line.partition(" --to")[0] for line in sim.console.lines}) == 1


async def test_a_clock_that_is_ahead_is_allowed_for(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.ahead = 5000.0
        async with running(build(tmp_path, sim)) as rig:
            assert (await rig.order("BatterySetpoint", "2000")).error is None
            assert 290 < sim.console.entries[0]["to"] - sim.now() < 310


async def test_another_time_zone_is_noticed_and_can_be_set(tmp_path: Path) -> None:
    async with Simulator(zone=ZoneInfo("Asia/Tokyo")) as sim:
        async with running(build(tmp_path / "a", sim, timezone="Asia/Dubai")) as rig:
            outcome = await rig.order("BatterySetpoint", "2000")
            assert "its end is 5 h early; is `timezone` right?" in str(outcome.error)
            await rig.until(lambda: not sim.console.local_mode)
        async with running(build(tmp_path / "b", sim, timezone="Asia/Tokyo")) as rig:
            assert (await rig.order("BatterySetpoint", "2000")).error is None


async def test_a_firmware_that_keeps_no_end_is_followed_with_a_warning(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        sim.console.keeps_end = False
        assert (await rig.order("BatterySetpoint", "2000")).error is None
        assert "should this bridge die" in rig.warning
        assert (await rig.order("BatterySetpoint", "")).error is None
        await rig.until(lambda: "should this bridge die" not in rig.warning)


# -------------------------------------------------------------------------------- modes


@pytest.mark.parametrize("mode", MODES.values())
async def test_the_ten_modes(tmp_path: Path, mode: str) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        outcome = await rig.order("BatteryMode", mode)
        if mode in FOLLOWED:
            assert (outcome.error, outcome.value) == (None, mode)
            assert MODES[sim.console.entries[0]["type"]] == mode
            assert (await rig.order("BatteryMode", "auto")).error is None
        else:
            assert "does not confirm 'sched_set" in str(outcome.error)
        await rig.until(lambda: not sim.console.local_mode)
        assert [each["type"] for each in sim.console.entries] == [1, 7]


@pytest.mark.parametrize("mode", MODES.values())
async def test_a_firmware_that_follows_all_modes(tmp_path: Path, mode: str) -> None:
    async with Simulator(ignored=()) as sim, running(build(tmp_path, sim)) as rig:
        outcome = await rig.order("BatteryMode", mode)
        assert (outcome.error, outcome.value) == (None, mode)


async def test_somebody_else_at_the_schedule_is_overruled_once_then_obeyed(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        assert (await rig.order("BatteryMode", "charge")).error is None
        rig.actor.desk._entries[ID, "BatteryMode"].slot._written_at -= 10
        sim.console.run("sched_set 7")
        await rig.until(lambda: sim.console.entries[0]["type"] == 1)


# -------------------------------------------------------------------------------- limits


async def test_limits_are_kept_and_read_back(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until(lambda: rig.last(f"Devices/{ID}/MinSoc") == "10")
        assert rig.last(f"Devices/{ID}/MaxSoc") == "100"
        outcome = await rig.order("MinSoc", "25")
        assert (outcome.error, outcome.value) == (None, 25)
        assert sim.parameters["battery_min_soc"][1] == 25
        assert sim.stored == ["battery_min_soc"]
        assert rig.actor.desk.writes.counts == {"MinSoc": 1}


async def test_no_limits_without_their_parameters(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.parameters.clear()
        async with running(build(tmp_path, sim)) as rig:
            await rig.until(lambda: "GET /params.json" in sim.requests)
            await rig.until(lambda: "BatteryMode" in rig.actor.desk.offered())
            await anyio.sleep(0.1)
            assert set(rig.actor.desk.offered()) == {"BatterySetpoint", "BatteryMode"}


# -------------------------------------------------------------------------------- trouble


async def test_a_command_without_an_answer_is_looked_up_not_repeated(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = build(tmp_path, sim, timeout=0.2)
        async with running(actor) as rig:
            await rig.until(lambda: "BatterySetpoint" in actor.desk.offered())
            sim.silent_after_writing = True
            outcome = await rig.order("BatterySetpoint", "1000")
            assert (outcome.error, outcome.value) == (None, 1000)
            assert len(sim.console.lines) == 1
            assert len([each for each in sim.requests if each == "POST /params.json"]) == 1
            sim.silent_after_writing = False


async def test_a_command_that_is_rejected_is_a_plain_sentence(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = build(tmp_path, sim)
        async with actor.direct():
            with pytest.raises(DeviceRefused, match="rejects 'sched_sett 1': Unknown command"):
                await actor.client.console("sched_sett 1")
            with pytest.raises(DeviceRefused, match="rejects 'sched_set': Invalid arguments"):
                await actor.client.console("sched_set")
            with pytest.raises(DeviceRefused, match="no such schedule entry"):
                await actor.client.console("sched_del 77")


async def test_offline_gives_a_sentence_and_comes_back(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until(lambda: rig.last(f"Devices/{ID}/Status") == "online")
        sim.fault = "503"
        await rig.until(lambda: rig.last(f"Devices/{ID}/Status") == "offline")
        health = json.loads(rig.last(f"Actors/{ID}/Health") or "")
        assert "is starting or updating itself (HTTP 503)" in health["error"]
        sim.fault = None
        await rig.until(lambda: rig.last(f"Devices/{ID}/Status") == "online")


async def test_a_password_is_sent(tmp_path: Path) -> None:
    async with Simulator(password="s3cret-word") as sim:
        right = build(tmp_path, sim, password=Secret("s3cret-word"))
        async with right.direct():
            assert (await right.read_once())["GridPower"] == 400


@pytest.mark.parametrize(
    ("given", "words"), [(Secret("0ther-w0rd"), "refuses the password"), (None, "set `password`")]
)
async def test_a_refused_password_is_tried_once_a_minute(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    given: Secret | None,
    words: str,
) -> None:
    async with Simulator(password="s3cret-word") as sim:
        wrong = build(tmp_path, sim, password=given)
        async with running(wrong) as rig:
            await rig.until(lambda: rig.last(f"Devices/{ID}/Status") == "offline")
            assert words in (rig.last(f"Actors/{ID}/Health") or "")
        assert "0ther" not in repr(rig.sent) + "".join(capsys.readouterr())
        assert len(sim.requests) == 1
        monkeypatch.setattr(client, "LOGIN_PAUSE", 0.0)
        async with wrong.direct():
            with pytest.raises(DeviceError):
                await wrong.read_once()
        assert len(sim.requests) == 2


async def test_a_schedule_that_cannot_be_read_costs_no_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until(lambda: rig.state().get("GridPower"))
        monkeypatch.setattr(sim.console, "page", list)
        await rig.until(lambda: "something else than its schedule" in rig.warning)
        count = len(rig.sent)
        await rig.until(lambda: len(rig.sent) > count + 3)
        assert rig.last(f"Devices/{ID}/Status") == "online"


async def test_how_it_is_itself_costs_no_reading(tmp_path: Path) -> None:
    clock = MovedClock()
    async with Simulator() as sim:
        actor = build(tmp_path, sim, clock)
        async with actor.direct():
            assert (await actor.read_once())["SignalStrength"] == -43
            sim.failing.add("/status.json")
            assert (await actor.read_once())["SignalStrength"] == -43
            assert sim.requests.count("GET /status.json") == 1
            clock.moved += 300
            values = await actor.read_once()
            assert (values["SignalStrength"], values["GridPower"]) == (None, 400)
            sim.failing.clear()
            clock.moved += 300
            assert (await actor.read_once())["SignalStrength"] == -43


def test_settings_say_what_is_wrong() -> None:
    from actors.devices.homevolt.settings import Settings

    wrong = list(Settings(host="h", timezone="Mars/Olympus").check())
    assert [name for name, _ in wrong] == ["timezone"]
    assert not list(Settings(host="h", timezone="Europe/Vienna").check())
