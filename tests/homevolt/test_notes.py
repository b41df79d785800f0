"""What the device had before is noted, and given back: after a lease, a crash, or half a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.devices.homevolt import steering
from actors.devices.homevolt.sim import Simulator
from tests.homevolt.rig import ID, build, running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "_LOOKS", (0.0, 0.01))


async def test_the_owners_own_schedule_comes_back(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.console.local_mode = True
        sim.console.run("sched_set 7")
        async with running(build(tmp_path, sim)) as rig:
            assert (await rig.order("BatteryMode", "hold")).error is None
            assert sim.console.entries[0]["type"] == 0
            assert (await rig.order("BatteryMode", "")).error is None
            assert sim.console.local_mode
            assert [each["type"] for each in sim.console.entries] == [7]


async def test_a_lend_that_wrote_nothing_takes_nothing_away(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.console.local_mode = True
        sim.console.run("sched_set 7")
        async with running(build(tmp_path, sim)) as rig:
            await rig.until(lambda: "BatterySetpoint" in rig.actor.desk.offered())
            sim.failing.add("/schedule.json")
            outcome = await rig.order("BatterySetpoint", "-1000")
            assert "failed inside (HTTP 500)" in (outcome.error or "")
            sim.failing.clear()
            assert (await rig.order("BatterySetpoint", "")).error is None
        assert sim.console.local_mode
        assert sim.console.lines == ["sched_set 7"]
        assert not any("POST" in each for each in sim.requests)


def held(folder: Path) -> Path:
    """A state folder as a bridge leaves it that was killed while it lent a set-point out."""
    state = folder / ID
    state.mkdir()
    (state / "leases.json").write_text(f'{{"held": [["{ID}", "BatterySetpoint"]]}}')
    return state


async def test_killed_before_its_first_write_nothing_is_taken_away(tmp_path: Path) -> None:
    state = held(tmp_path)
    async with Simulator() as sim:
        sim.console.local_mode = True
        sim.console.run("sched_set 7")
        async with running(build(tmp_path, sim)) as rig:
            await rig.until(lambda: "BatterySetpoint" in rig.actor.desk.offered())
            await rig.until(lambda: '"held":[]' in (state / "leases.json").read_text())
        assert sim.console.local_mode
        assert sim.console.lines == ["sched_set 7"]


@pytest.mark.parametrize("note", ['{"control": "Batt', '{"control": "BatterySetpoint"}', "[]"])
async def test_with_a_damaged_note_the_maker_gets_it_back(tmp_path: Path, note: str) -> None:
    (held(tmp_path) / "schedule.json").write_text(note)
    async with Simulator() as sim:
        sim.console.local_mode = True
        sim.console.run("sched_set 1 -s 3000")
        async with running(build(tmp_path, sim)) as rig:
            await rig.until(lambda: not sim.console.local_mode)
        assert sim.console.entries == []


async def test_a_note_that_the_disk_refuses_is_kept_in_mind(tmp_path: Path) -> None:
    (tmp_path / ID).write_text("no folder")
    async with Simulator() as sim:
        sim.console.local_mode = True
        sim.console.run("sched_set 7")
        async with running(build(tmp_path, sim)) as rig:
            assert (await rig.order("BatterySetpoint", "-1000")).error is None
            assert sim.power == -1000
        assert sim.console.local_mode
        assert [each["type"] for each in sim.console.entries] == [7]


async def test_what_is_over_is_not_put_back(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        assert (await rig.order("BatterySetpoint", "100")).error is None
        sim.forward(1000)
        await rig.until(lambda: rig.actor._ahead > 900)
        assert (await rig.order("BatterySetpoint", "")).error is None
        assert [each["type"] for each in sim.console.entries] == [7]


async def test_what_the_console_cannot_say_is_cleared_with_a_warning(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        sim.console.entries[1]["params"] = {"import_energy_limit_to": 1_795_136_400}
        assert (await rig.order("BatterySetpoint", "100")).error is None
        assert (await rig.order("BatterySetpoint", "")).error is None
        assert sim.console.entries == []
        assert not sim.console.local_mode
        assert "its maker has to send it again" in rig.warning


async def test_what_the_firmware_does_not_take_back_is_cleared(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        sim.console.entries[0]["type"] = 3
        assert (await rig.order("BatterySetpoint", "100")).error is None
        assert (await rig.order("BatterySetpoint", "")).error is None
        assert sim.console.entries == []
        assert "has not taken its former schedule back" in rig.warning


async def test_a_schedule_that_the_maker_sent_meanwhile_stays(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        assert (await rig.order("BatterySetpoint", "100")).error is None
        await rig.actor.steering.set_local(on=False)
        sim.partner()
        sim.console.entries[0]["params"]["setpoint"] = 777
        lines = len(sim.console.lines)
        assert await rig.actor.steering.give_back("BatterySetpoint", sim.now()) is None
        assert sim.console.entries[0]["params"]["setpoint"] == 777
        assert not any("sched_clear" in line for line in sim.console.lines[lines:])
