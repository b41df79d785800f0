"""Commands, results, leases and the safe state, on a real broker under a real runner."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import pytest

from bridge.daily import Journal
from bridge.log import get_logger
from bridge.state import StateFolder
from tests.runtime.desk import Battery, battery, serve
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

GUARD = {"value": 1000, "ttl": 40, "id": "g1", "by": "battery_guard"}


async def test_a_plain_value_is_lent_and_an_empty_payload_gives_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        result = await person.ask("BatterySetpoint", "-1500")
        assert result == {"id": None, "ok": True, "value": -1500, "error": None}
        assert person.states("BatterySetpoint")[-1] == b"-1500"
        lease = person.runner.actor.desk.lease("BatterySetpoint")  # type: ignore[union-attr]
        assert lease.owner == "manual"
        result = await person.ask("BatterySetpoint", "")
        assert result == {"id": None, "ok": True, "value": None, "error": None}
        assert person.states("BatterySetpoint")[-1] == b""
        assert person.written("BatterySetpoint") == [-1500, None]


async def test_zero_is_zero_watts(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        assert (await person.ask("BatterySetpoint", "0"))["value"] == 0
        assert person.states("BatterySetpoint")[-1] == b"0"
        assert person.written("BatterySetpoint") == [0]


async def test_a_lapsed_lease_is_given_back(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        await person.ask("BatterySetpoint", {"value": 700, "ttl": 0.3})
        await person.link.until(lambda: person.written("BatterySetpoint") == [700, None])
        await person.link.until(lambda: person.states("BatterySetpoint")[-1] == b"")


async def test_owners(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        assert (await person.ask("BatterySetpoint", GUARD))["ok"]
        other = {"value": 5, "id": "c1", "by": "grid_charge"}
        refused = await person.ask("BatterySetpoint", other)
        assert refused["id"] == "c1"
        assert not refused["ok"]
        assert refused["error"].startswith("held by battery_guard for ")
        assert refused["value"] == 1000
        person.send("BatterySetpoint", "250")
        await person.link.until(lambda: len(person.results("BatterySetpoint")) == 4)
        ousted, taken = person.results("BatterySetpoint")[2:]
        assert (ousted["id"], ousted["ok"], ousted["error"]) == ("g1", False, "manual took over")
        assert (taken["ok"], taken["value"]) == (True, 250)
        assert person.written("BatterySetpoint") == [1000, 250]


async def test_a_renewal_writes_nothing_and_has_its_result(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        for _ in range(3):
            assert (await person.ask("BatterySetpoint", GUARD))["ok"]
        assert person.written("BatterySetpoint") == [1000]


async def test_auto_needs_no_lease(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        assert (await person.ask("BatteryMode", "hold"))["value"] == "hold"
        assert (await person.ask("BatteryMode", "auto"))["ok"]
        assert person.written("BatteryMode") == ["hold", None]
        assert person.states("BatteryMode")[-1] == b""


async def test_the_devices_watchdog_is_fed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path, watchdog={"BatterySetpoint": 0.2}) as person:
        await person.ask("BatterySetpoint", GUARD)
        await person.link.until(lambda: len(person.written("BatterySetpoint")) >= 4)
        assert set(person.written("BatterySetpoint")) == {1000}


@pytest.mark.parametrize(
    ("control", "payload", "part"),
    [
        ("BatterySetpoint", "much", "BatterySetpoint"),
        ("BatterySetpoint", "6000", "BatterySetpoint 6000 is not between -5000 and 5000 W"),
        ("BatterySetpoint", "NaN", "BatterySetpoint"),
        ("BatterySetpoint", "true", "BatterySetpoint"),
        ("BatterySetpoint", "5" * 9000, "bytes"),
        ("BatterySetpoint", '{"value": 5, "ttl": 4000}', "ttl"),
        ("BatterySetpoint", '{"value": 5, "ttl": 0}', "ttl"),
        ("BatterySetpoint", '{"ttl": 5}', "value"),
        ("BatterySetpoint", '{"value": 5', "JSON"),
        ("BatterySetpoint", '{"value": 5, "by": "not an id"}', "by"),
        ("Switch", '{"value": true, "ttl": 60}', "ttl"),
        ("Switch", "", "cannot be given back"),
        ("GridSetpoint", "5", "ess has no control GridSetpoint"),
    ],
)
async def test_what_cannot_be_followed_is_answered_in_one_sentence(
    mosquitto: Mosquitto, tmp_path: Path, control: str, payload: str, part: str
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        result = await person.ask(control, payload)
        assert not result["ok"]
        assert part in result["error"]
        assert "\n" not in result["error"]
        assert person.battery.writes_seen == []
        assert (await person.ask("BatterySetpoint", "5"))["ok"], "it goes on"


async def test_a_refused_command_is_answered_under_its_id(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        result = await person.ask("BatterySetpoint", {"value": "much", "id": "x7"})
        assert (result["id"], result["ok"]) == ("x7", False)


async def test_a_control_that_nobody_knows_gets_a_warning(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        person.send("Teleport", "5")
        await person.link.until(person.warnings)
        assert "ess has no control Teleport" in person.warnings()[-1]
        await person.ask("Switch", "true")
        await person.link.until(lambda: person.warnings()[-1] == "")


async def test_a_retained_command_is_refused_with_a_warning(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with link(endpoint(mosquitto.port), "forgetful") as them:
        topic = "heliograph/Devices/ess/BatterySetpoint/Set"
        them.connection.send(topic, b"3000", qos=1, retain=True)
        await them.connection.flush()
    async with battery(mosquitto.port, tmp_path) as person:
        await person.link.until(person.warnings)
        assert "retained message on Devices/ess/BatterySetpoint/Set" in person.warnings()[-1]
        assert person.battery.writes_seen == []
        assert person.results("BatterySetpoint") == []
        await person.ask("BatterySetpoint", "5")
        await person.link.until(lambda: person.warnings()[-1] == "")


async def test_commands_are_followed_in_order_and_each_has_its_result(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path, slow=0.005) as person:
        for number in range(30):
            person.send("BatterySetpoint", {"value": number, "id": str(number)})
        await person.link.until(lambda: len(person.results("BatterySetpoint")) == 30)
        wanted = [str(number) for number in range(30)]
        assert [result["id"] for result in person.results("BatterySetpoint")] == wanted
        assert person.written("BatterySetpoint") == list(range(30))


async def test_a_flood_is_refused_and_not_kept(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path, slow=0.5) as person:
        for number in range(150):
            person.send("BatterySetpoint", {"value": number, "id": str(number)})
        await person.link.until(lambda: len(person.results("BatterySetpoint")) >= 40)
        refused = [each for each in person.results("BatterySetpoint") if not each["ok"]]
        assert refused
        assert all("commands wait already" in each["error"] for each in refused)


async def test_a_device_that_differs_once_is_written_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path, deaf=1) as person:
        assert (await person.ask("BatterySetpoint", "900"))["ok"]
        assert person.written("BatterySetpoint") == [900, 900]


async def test_a_device_that_differs_twice_is_given_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path, deaf=2) as person:
        result = await person.ask("BatterySetpoint", "900")
        assert result["error"] == "BatterySetpoint was set to 900, but the device has 1"
        assert person.written("BatterySetpoint") == [900, 900, None]
        assert "it was given back" in person.warnings()[-1]
        assert (await person.ask("BatterySetpoint", "800"))["ok"]
        await person.link.until(lambda: person.warnings()[-1] == "")


async def test_a_refresh_that_is_not_kept_ends_the_lease_and_its_owner_hears_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path, watchdog={"BatterySetpoint": 0.4}) as person:
        await person.ask("BatterySetpoint", GUARD)
        person.battery.deaf = 2
        await person.link.until(lambda: len(person.results("BatterySetpoint")) == 2)
        told = person.results("BatterySetpoint")[-1]
        assert (told["id"], told["ok"], told["value"]) == ("g1", False, None)
        assert person.written("BatterySetpoint")[-1] is None


async def test_a_device_that_is_away_is_given_back_when_it_returns(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        await person.ask("BatterySetpoint", {"value": 700, "ttl": 0.2})
        person.battery.away = True
        await person.link.until(person.warnings)
        assert "could not be given back yet: ess does not answer" in person.warnings()[-1]
        person.battery.away = False
        await person.link.until(lambda: person.written("BatterySetpoint")[-1] is None)
        await person.link.until(lambda: person.warnings()[-1] == "")


async def test_a_write_that_fails_is_answered_and_given_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path, away=True) as person:
        result = await person.ask("BatterySetpoint", "700")
        assert result["error"] == "ess does not answer"
        person.battery.away = False
        await person.link.until(lambda: person.written("BatterySetpoint") == [None])


async def test_a_stop_gives_everything_back(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        await person.ask("BatterySetpoint", "700")
        await person.ask("BatteryMode", "hold")
        await person.ask("Switch", "true")
    assert person.written("BatterySetpoint") == [700, None]
    assert person.written("BatteryMode") == ["hold", None]
    assert person.written("Switch") == [True], "a relay stays as its owner switched it"
    assert person.states("BatterySetpoint")[-1] == b""
    assert person.states("Switch")[-1] == b"true"


async def test_a_crash_gives_everything_back_and_the_next_life_serves_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        await person.ask("BatterySetpoint", "700")
        person.battery.crash = True
        await person.link.until(lambda: person.written("BatterySetpoint") == [700, None])
        await anyio.sleep(0.5)
        assert (await person.ask("BatterySetpoint", "800"))["ok"]


async def test_what_was_lent_when_the_bridge_was_killed_is_given_back_at_the_start(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    Journal(StateFolder(tmp_path, "ess", get_logger("ess"))).lent("ess", "BatterySetpoint")
    async with battery(mosquitto.port, tmp_path) as person:
        await person.link.until(lambda: person.written("BatterySetpoint") == [None])
        assert person.written("BatteryMode") == []
        held = json.loads((tmp_path / "ess" / "leases.json").read_text())
        assert held == {"held": []}


async def test_a_state_that_an_earlier_life_left_is_cleared(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with link(endpoint(mosquitto.port), "past") as them:
        topic = "heliograph/Devices/ess/BatterySetpoint"
        them.connection.send(topic, b"3000", qos=1, retain=True)
        await them.connection.flush()
    async with battery(mosquitto.port, tmp_path) as person:
        await person.link.until(lambda: person.states("BatterySetpoint") == [b"3000", b""])


async def test_what_is_lent_is_on_disk_before_the_device_is_written(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path, slow=0.5) as person:
        person.send("BatterySetpoint", "700")
        await person.link.until((tmp_path / "ess" / "leases.json").exists)
        assert person.written("BatterySetpoint") == []


async def test_a_control_that_keeps_its_value_is_written_on_change_only(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        for value in ("true", "on", "1", "false"):
            assert (await person.ask("Switch", value))["ok"]
        assert person.written("Switch") == [True, False]
        assert person.states("Switch") == [b"true", b"false"]


async def test_flash_is_spared(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        for value in ("10", "10", "20", "30"):
            assert (await person.ask("MinSoc", value))["ok"]
        assert person.written("MinSoc") == [10, 20, 30]
        result = await person.ask("MinSoc", "40")
        assert result["error"] == "MinSoc was written 3 times today, which is its limit"
        kind = person.battery
    async with serve(kind, mosquitto.port, tmp_path) as person:
        assert not (await person.ask("MinSoc", "50"))["ok"], "a restart does not forget"


async def test_a_reading_shows_what_was_changed_at_the_device(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        device = person.runner.actor
        assert isinstance(device, Battery)
        await device.control_state("Switch", True)
        await device.control_state("Switch", True)
        await device.control_state("Switch", False)
        await person.link.until(lambda: person.states("Switch") == [b"true", b"false"])


async def test_states_come_back_after_the_broker_has_lost_them(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        await person.ask("BatterySetpoint", "700")
        person.link.got.clear()
        mosquitto.restart(kill=True)
        await person.link.until(lambda: person.states("BatterySetpoint")[-1:] == [b"700"])
        assert (await person.ask("BatterySetpoint", "800"))["ok"]


# ----------------------------------------------------------------------------- when a life ends


@pytest.mark.parametrize("limit", [8.5, 0.3])
async def test_whoever_waits_when_the_actor_crashes_has_a_result(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    monkeypatch.setattr("bridge.runner.SAFE_LIMIT", limit)
    async with battery(mosquitto.port, tmp_path, slow=0.6) as person:
        for number in (1, 2):
            person.send("BatterySetpoint", {"value": number, "id": f"s{number}"})
        person.send("Switch", "true")
        desk = person.runner.actor.desk  # type: ignore[union-attr]
        await person.link.until(lambda: desk._doing is not None and len(desk._queue) == 2)
        person.battery.crash = True
        await person.link.until(lambda: len(person.results("BatterySetpoint")) == 2)
        await person.link.until(lambda: person.results("Switch"))
        found = person.results("BatterySetpoint")
        assert [(each["id"], each["ok"], each["value"]) for each in found] == [
            ("s1", False, None),
            ("s2", False, None),
        ]
        assert "cut short" in found[0]["error"]
        assert "not done" in found[1]["error"]
        assert not person.results("Switch")[0]["ok"]


async def test_what_an_earlier_life_warned_of_is_cleared(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    topic = "heliograph/Actors/ess/Messages/Warning"
    async with link(endpoint(mosquitto.port), "past") as them:
        them.connection.send(topic, b"2026-11-21T12:00:00Z not given back yet", qos=1, retain=True)
        await them.connection.flush()
    async with battery(mosquitto.port, tmp_path) as person:
        await person.link.until(lambda: person.link.payloads(topic)[1:] == [b""])


async def test_a_device_that_answers_again_is_given_back_at_once(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with battery(mosquitto.port, tmp_path) as person:
        await person.ask("BatterySetpoint", {"value": 700, "ttl": 0.2})
        person.battery.away = True
        await person.link.until(person.warnings)
        desk = person.runner.actor.desk  # type: ignore[union-attr]
        desk._entries["ess", "BatterySetpoint"].slot._retry_at += 30
        person.battery.away = False
        desk.device_back("ess")
        await person.link.until(lambda: person.written("BatterySetpoint")[-1] is None, 1)
        assert not desk.owed("BatterySetpoint")
