"""A grid setpoint comes back whatever became of the notes about it, and on the right GX."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.venus.venus_mqtt.heard import Heard
from actors.venus.venus_mqtt.keepalive import Keepalive
from actors.venus.venus_mqtt.simulator.player import Player
from bridge.errors import DeviceError
from tests.actors.kinds import last
from tests.support.mosquitto import Mosquitto
from tests.venus_mqtt.rig import AC, bridged, build, gx, playing
from tests.venus_mqtt.test_controls import SETPOINT, WARNING, answer, command, ready

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
LEASES = '{"held":[["dut","GridSetpoint"]]}'


def noted(tmp_path: Path, **files: str) -> Path:
    own = tmp_path / "dut"
    own.mkdir()
    for name, text in files.items():
        (own / f"{name}.json").write_text(text)
    return own


@pytest.mark.parametrize("leases", [None, "{", "[]"])
async def test_without_the_list_of_leases_the_note_of_the_setpoint_is_enough(
    leases: str | None, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    player = Player(heartbeat=0.5)
    more = {} if leases is None else {"leases": leases}
    own = noted(tmp_path, setpoint='{"original":50.0,"written":[3000.0]}', **more)
    player.plant.settings[AC] = 3000.0
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await them.until(lambda: player.plant.setpoint == 50)
        await them.until(lambda: json.loads((own / "setpoint.json").read_text()) == {})


async def test_a_crash_right_before_the_note_has_left_nothing(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    own = noted(tmp_path, leases=LEASES)
    async with bridged(tmp_path, mosquitto.port) as (player, them):
        await ready(them)
        await them.until(lambda: json.loads((own / "leases.json").read_text()) == {"held": []})
        assert last(them, WARNING) in (None, "")
    assert player.written == []


async def test_a_note_that_cannot_be_read_is_told_until_the_owner_has_set_it(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    player = Player(heartbeat=0.5)
    own = noted(tmp_path, leases=LEASES, setpoint="{")
    player.plant.settings[AC] = 3000.0
    said = "what the GX's grid setpoint was is not known: set it on the GX"
    for _ in range(2):  # also in the life after
        async with bridged(tmp_path, mosquitto.port, player) as (_, them):
            await ready(them)
            await them.until(lambda: said in (last(them, WARNING) or ""))
            them.connection.send(SETPOINT, command(1000), qos=1)
            assert said in (await answer(them))["error"], "3000 W would be taken for the owner's"
        assert player.written == []
    async with bridged(tmp_path, mosquitto.port, player) as (_, them):
        await ready(them)
        await them.until(lambda: said in (last(them, WARNING) or ""))
        player.plant.settings[AC] = 30.0
        await them.until(lambda: last(them, WARNING) == "", 20)
        assert json.loads((own / "setpoint.json").read_text()) == {}
    assert player.written == []


async def test_a_setpoint_is_put_back_on_the_gx_that_has_it(tmp_path: Path) -> None:
    """A second one comes to the same broker; after a reconnect either may be heard first."""
    one, two = Player(heartbeat=0.5), Player(portal="0123456789ab", heartbeat=0.5)
    with Mosquitto() as own:
        async with anyio.create_task_group() as tasks:
            async with playing(own.url, two):
                actor = build(tmp_path, own.port)
                async with actor.direct():
                    await actor.gx.ready()
                    portal = actor.gx.portal
                    assert portal == two.portal
                    tasks.start_soon(one.run, own.url)
                    await actor._grid.set(900.0)
                    assert two.plant.setpoint == 900
                    # Still the same session: it is known whose setpoint it was.
                    actor._grid._before.portal = one.portal
                    with pytest.raises(DeviceError, match="several GX meet"):
                        await until_two(actor)
                    assert two.plant.setpoint == 900
                    actor._grid._before.portal = two.portal
                    await actor.write_control("GridSetpoint", None, device="dut")
                    assert (two.plant.setpoint, one.written) == (50, [])
            tasks.cancel_scope.cancel()


async def until_two(actor: object) -> None:
    """Give back once the second GX was heard of."""
    with anyio.fail_after(10):
        while not actor.gx._said.others:  # type: ignore[attr-defined]  # noqa: ASYNC110 - no event
            await anyio.sleep(0.02)
    await actor.write_control("GridSetpoint", None, device="dut")  # type: ignore[attr-defined]


async def test_two_settings_are_put_back_independently(tmp_path: Path) -> None:
    """One that takes nothing must not make the other wait."""
    async with gx() as (player, port):
        actor = build(tmp_path, port, timeout=0.3, daily_writes=1)
        path = "settings/0/Settings/CGwacs/MaxDischargePower"
        async with actor.direct():
            player.plant.settings[path] = 0.0
            actor.flash._budget.counts = {f"dut/{AC}": 4, f"dut/{path}": 4}
            actor.flash._spend(AC, giving_back=True)
            with pytest.raises(DeviceError, match="kept in flash"):
                actor.flash._spend(AC, giving_back=True)
            assert await actor.put_back("MaxDischargePower", 700.0, device="dut") == 700
            assert player.plant.settings[path] == 700


async def test_of_several_gx_nothing_is_exported(tmp_path: Path, mosquitto: Mosquitto) -> None:
    exports = [{"path": "battery/*/Soc", "topic": "out/{instance}"}]
    with Mosquitto() as own:
        two = Player(portal="0123456789ab", heartbeat=0.5)
        async with playing(own.url), playing(own.url, two):
            await anyio.sleep(0.3)  # both have left their portal id
            actor = build(tmp_path, own.port, export=exports, timeout=0.5)
            told = []
            actor.gx._heard = lambda path, payload: told.append((path, payload))
            async with actor.direct():
                with pytest.raises(DeviceError, match="several GX meet"):
                    await actor.read_once()
            assert [path for path, _ in told if path.startswith("battery/")] == []


def test_an_end_of_a_publish_that_is_nested_without_end_is_nothing() -> None:
    heard = Heard(Keepalive(), "c0619ab12345")
    deep = b"[" * 60_000
    topic = "N/c0619ab12345/full_publish_completed"
    assert heard.take(topic, deep, 1.0, retained=False) is None


async def test_nothing_of_an_earlier_session_counts(tmp_path: Path) -> None:
    """A GX that starts again may be another, with other values."""
    async with gx() as (player, port):
        actor = build(tmp_path, port)
        async with actor.direct():
            assert (await actor.read_once())["BatterySoc"] == 60
            player.fault = "silence"
            await actor.gx._connected()
            assert not actor.gx.values
            with pytest.raises(DeviceError):
                await actor.read_once()
