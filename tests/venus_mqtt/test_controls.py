"""Setting a GX: what is written, what is put back, and when it is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.venus.venus_mqtt.simulator.player import Player
from bridge.errors import DeviceError
from tests.actors.kinds import last, running
from tests.support.mosquitto import Mosquitto
from tests.venus_mqtt.rig import AC, KIND, OVERRIDE, bridged, build, gx, playing, settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link

pytestmark = pytest.mark.anyio

SETPOINT = "heliograph/Devices/dut/GridSetpoint/Set"
RESULT = "heliograph/Devices/dut/GridSetpoint/Result"
WARNING = "Actors/dut/Messages/Warning"


def command(value: float, **more: Any) -> bytes:
    return json.dumps({"value": value, "id": "x", "by": "battery_guard"} | more).encode()


async def ready(them: Link) -> None:
    await them.until(lambda: last(them, "Devices/dut/Status") == "online")


async def answer(them: Link, topic: str = RESULT, count: int = 1) -> dict[str, Any]:
    await them.until(lambda: len(them.payloads(topic)) >= count)
    found: dict[str, Any] = json.loads(them.payloads(topic)[-1])
    return found


@pytest.mark.slow
async def test_a_lease_without_a_default_is_the_setpoint(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        player.plant.settings[AC] = 75.0
        await anyio.sleep(0.2)
        them.connection.send(SETPOINT, command(3000, ttl=2), qos=1)
        found = await answer(them)
        assert (found["ok"], found["value"], "why" in found) == (True, 3000, False)
        assert player.plant.setpoint == 3000
        await them.until(lambda: last(them, "Devices/dut/GridSetpoint") == "3000")
        await them.until(lambda: last(them, "Devices/dut/GridSetpoint") == "", 5)
        assert player.plant.setpoint == 75
        # One write each way, and nothing in between.
        assert [value for _, value in player.written] == [3000, 75]


async def test_the_owners_default_is_added_and_put_back_at_a_stop(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    more: dict[str, Any] = {
        "default_setpoint": 50.0,
        "min_setpoint": -1000.0,
        "max_setpoint": 4000.0,
    }
    async with bridged(tmp_path, mosquitto.port, **more) as (player, them):
        await ready(them)
        them.connection.send(SETPOINT, command(3000), qos=1)
        found = await answer(them)
        assert (found["ok"], found["value"]) == (True, 3050)
        assert found["why"] == (
            "3050 W is in force: the 3000 W asked for and the `default_setpoint` of 50 W together"
        )
        assert player.plant.setpoint == 3050
        await them.until(lambda: last(them, "Devices/dut/GridSetpoint") == "3050")
        them.connection.send(SETPOINT, command(3951), qos=1)
        refused = await answer(them, count=2)
        assert refused["error"] == "GridSetpoint 3951 is not between -1050 and 3950 W"
        assert refused["value"] == 3050, "what stands"
        assert player.plant.setpoint == 3050
    assert player.plant.setpoint == 50


async def test_another_setpoint_than_the_owners_is_put_right_at_a_start(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """As es-ESS leaves it behind when it is killed."""
    player = Player(heartbeat=0.5)
    player.plant.settings[AC] = 2500.0
    async with bridged(tmp_path, mosquitto.port, player, default_setpoint=-10.0) as (_, them):
        await them.until(lambda: player.plant.setpoint == -10)
        said = "the GX's setpoint was 2500 W at the start: -10 W is put back"
        await them.until(
            lambda: (last(them, "Actors/dut/Messages/Operational") or "").endswith(said)
        )
        assert last(them, "Devices/dut/GridSetpoint") in (None, "")
        player.plant.settings[AC] = 30.0  # the owner, on the GX, while nothing is lent
        await anyio.sleep(0.5)
        assert player.plant.setpoint == 30


async def test_without_a_default_nothing_is_written_unasked(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        await anyio.sleep(0.3)
    assert player.written == []


@pytest.mark.slow
async def test_a_gx_that_was_away_gets_its_setpoint_back_when_it_returns(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    player = Player(heartbeat=0.5)
    async with (
        Mosquitto() as own,
        running(KIND, settings(own.port), tmp_path, mosquitto.port) as them,
        playing(own.url, player),
    ):
        await ready(them)
        them.connection.send(SETPOINT, command(3000, ttl=1.5), qos=1)
        await them.until(lambda: player.plant.setpoint == 3000)
        own.stop()
        await them.until(lambda: last(them, "Devices/dut/Status") == "offline")
        await anyio.sleep(2)
        assert player.plant.setpoint == 3000
        said = "could not be given back yet"
        await them.until(lambda: said in (last(them, WARNING) or ""), 12)
        own.start()
        await them.until(lambda: player.plant.setpoint == 50, 12)
        await them.until(lambda: last(them, WARNING) == "", 5)


async def test_what_the_last_life_left_is_put_back_at_the_next_start(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    player = Player(heartbeat=0.5)
    own = tmp_path / "dut"
    own.mkdir()
    (own / "leases.json").write_text('{"held":[["dut","GridSetpoint"]]}')
    (own / "setpoint.json").write_text('{"original":50.0,"written":[50.0,3000.0]}')
    player.plant.settings[AC] = 3000.0
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await them.until(lambda: player.plant.setpoint == 50)
        await ready(them)
    assert json.loads((own / "leases.json").read_text()) == {"held": []}
    assert json.loads((own / "setpoint.json").read_text()) == {}


@pytest.mark.parametrize("now", ["settings", "override"])
async def test_what_the_last_life_wrote_elsewhere_is_put_back_too(
    now: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """Killed, then set up to write the other one, then started."""
    player = Player(heartbeat=0.5)
    own = tmp_path / "dut"
    own.mkdir()
    (own / "leases.json").write_text('{"held":[["dut","GridSetpoint"]]}')
    if now == "settings":
        player.plant.settings[OVERRIDE] = 3000.0
        (own / "setpoint.json").write_text('{"original":null,"written":[],"override":true}')
    else:
        player.plant.settings[AC] = 3000.0
        (own / "setpoint.json").write_text('{"original":50.0,"written":[3000.0]}')
    async with bridged(tmp_path, mosquitto.port, player, setpoint=now) as (_, them):
        await them.until(lambda: player.plant.settings[OVERRIDE] is None)
        await them.until(lambda: player.plant.settings[AC] == 50)
        await them.until(lambda: json.loads((own / "setpoint.json").read_text()) == {})
        assert json.loads((own / "leases.json").read_text()) == {"held": []}


async def test_putting_back_is_never_given_up(tmp_path: Path) -> None:
    """A GX that takes nothing uses the day's writes up; its setpoint must not stay so long."""
    async with gx() as (player, port):
        actor = build(tmp_path, port, timeout=0.2, daily_writes=1)

        async def put_back() -> float | str | bool | None:
            return await actor.write_control("GridSetpoint", None, device="dut")

        async with actor.direct():
            assert await actor.write_control("GridSetpoint", 3000.0, device="dut") == 3000
            player.fault = "deaf"
            for _ in range(4):
                with pytest.raises(DeviceError, match="did not take"):
                    await put_back()
            # Four times the limit, then one each ten minutes.
            with pytest.raises(DeviceError, match="kept in flash"):
                await put_back()
            player.fault = None
            with pytest.raises(DeviceError, match="kept in flash"):
                await put_back()
            actor.flash._back_again -= 600
            await put_back()
        assert player.plant.setpoint == 50


async def test_the_owners_newer_choice_is_left_alone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    player = Player(heartbeat=0.5)
    own = tmp_path / "dut"
    own.mkdir()
    (own / "leases.json").write_text('{"held":[["dut","GridSetpoint"]]}')
    (own / "setpoint.json").write_text('{"original":50.0,"written":[50.0,3000.0]}')
    player.plant.settings[AC] = 200.0
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await ready(them)
        await them.until(lambda: json.loads((own / "leases.json").read_text()) == {"held": []})
    assert (player.plant.setpoint, player.written) == (200, [])


@pytest.mark.slow
async def test_a_setpoint_that_does_not_stay_is_given_back(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """Dynamic ESS, or a flow, writes the same."""
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        them.connection.send(SETPOINT, command(3000, ttl=60), qos=1)
        await them.until(lambda: player.plant.setpoint == 3000)

        async def rival() -> None:
            while True:
                player.plant.settings[AC] = 777.0
                await anyio.sleep(0.02)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rival)
            await them.until(lambda: "given back" in (last(them, WARNING) or ""), 15)
            tasks.cancel_scope.cancel()
        await them.until(lambda: last(them, "Devices/dut/GridSetpoint") == "")


async def test_a_write_that_changes_nothing_is_noticed(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port, timeout=0.4) as (player, them):
        await ready(them)
        player.fault = "deaf"
        them.connection.send(SETPOINT, command(3000), qos=1)
        found = await answer(them)
        assert found["error"] == "GridSetpoint was set to 3000, but the device has 50"
        assert last(them, "Devices/dut/GridSetpoint") == ""
        assert player.plant.setpoint == 50


async def test_mode_3_follows_no_setpoint(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        player.plant.settings["settings/0/Settings/CGwacs/Hub4Mode"] = 3
        them.connection.send(SETPOINT, command(3000), qos=1)
        assert "ESS mode 3" in (await answer(them))["error"]
        assert player.written == []


async def test_the_flash_is_spared_and_giving_back_is_not_counted(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with bridged(tmp_path, mosquitto.port, daily_writes=2) as (player, them):
        await ready(them)
        for number, value in enumerate((1000, 2000), 1):
            them.connection.send(SETPOINT, command(value), qos=1)
            assert (await answer(them, count=number))["ok"]
        # The same again is no write.
        them.connection.send(SETPOINT, command(2000), qos=1)
        assert (await answer(them, count=3))["ok"]
        them.connection.send(SETPOINT, command(3000), qos=1)
        assert "written 2 times today" in (await answer(them, count=4))["error"]
        await them.until(lambda: player.plant.setpoint == 50)
        assert [value for _, value in player.written] == [1000, 2000, 50]


async def test_an_override_is_repeated_and_released(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KIND.load(), "watchdog", {"GridSetpoint": 0.6})
    async with bridged(tmp_path, mosquitto.port, setpoint="override") as (player, them):
        await ready(them)
        them.connection.send(SETPOINT, command(2000), qos=1)
        await them.until(lambda: player.plant.settings[OVERRIDE] == 2000)
        player.plant.settings[OVERRIDE] = None  # it ran out
        await them.until(lambda: player.plant.settings[OVERRIDE] == 2000, 3)
        them.connection.send(SETPOINT, b"", qos=1)
        await them.until(lambda: player.plant.settings[OVERRIDE] is None)
        assert player.plant.settings[AC] == 50
        assert {path for path, _ in player.written} == {OVERRIDE}
    assert player.written[-1] == (OVERRIDE, None)


@pytest.mark.parametrize(
    ("control", "path", "value", "sent"),
    [
        ("MinSoc", "settings/0/Settings/CGwacs/BatteryLife/MinimumSocLimit", 25, 25.0),
        ("MaxChargeCurrent", "settings/0/Settings/SystemSetup/MaxChargeCurrent", 40, 40),
        ("MaxDischargePower", "settings/0/Settings/CGwacs/MaxDischargePower", 0, 0.0),
        ("ExportLimit", "settings/0/Settings/CGwacs/MaxFeedInPower", 600, 600.0),
    ],
)
async def test_limits_are_kept(
    control: str, path: str, value: float, sent: float, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    topic = f"heliograph/Devices/dut/{control}"
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        before = {"MinSoc": "10"}.get(control)
        assert last(them, f"Devices/dut/{control}") == before or before is None
        them.connection.send(f"{topic}/Set", f"{value}".encode(), qos=1)
        found = await answer(them, f"{topic}/Result")
        assert (found["ok"], found["value"]) == (True, value)
        assert player.written == [(path, sent)]
        # An integer and a float arrive as different types on the D-Bus.
        assert type(player.written[0][1]) is type(sent)
        assert last(them, f"Devices/dut/{control}") == str(value)
        them.connection.send(f"{topic}/Set", f"{value}".encode(), qos=1)
        await answer(them, f"{topic}/Result", 2)
        assert len(player.written) == 1
    # A limit is no lease: it stays.
    assert player.plant.settings[path] == value


async def test_a_restart_of_the_actor_in_the_middle_of_a_lease(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with gx() as (player, port):
        for _ in range(2):
            async with running(KIND, settings(port), tmp_path, mosquitto.port) as them:
                await ready(them)
                them.connection.send(SETPOINT, command(1500), qos=1)
                await them.until(lambda: player.plant.setpoint == 1500)
            assert player.plant.setpoint == 50
