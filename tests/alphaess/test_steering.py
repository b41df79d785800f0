"""Writes of one account, whoever makes them: their turn, the switches of a schedule."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from actors.devices.alphaess import periods, weekly
from actors.devices.alphaess.agenda import Job
from actors.devices.alphaess.sim import Simulator
from actors.devices.alphaess.steering import Steering, with_groups
from bridge.clock import Clock
from bridge.errors import DeviceGarbled, DeviceRefused
from bridge.log import get_logger
from bridge.state import StateFolder
from tests.alphaess.rig import SN, build, client_of, running, wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from actors.devices.alphaess.client import Client
    from actors.devices.alphaess.periods import Side

LINE = "charge 01:00-05:00 90%; discharge 17:00-21:00 20%"


class Leaper(Clock):
    """Sleeps at once; `during` happens in a sleep that is longer than a second."""

    def __init__(self) -> None:
        self.moment, self.slept = 1000.0, 0.0
        self.during: Callable[[], object] = int

    def now(self) -> float:
        return self.moment

    def utc(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.moment)

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        if seconds > 0:
            self.moment += seconds
            self.slept += seconds
        if seconds > 1:
            self.during()


def steering(client: Client, folder: Path, clock: Clock, owner: str = "ess") -> Steering:
    return Steering(client, StateFolder(folder, owner, get_logger(owner)), clock, rest=60.0)


def stop_at(level: int) -> Callable[[Side], Side]:
    return lambda side: side.with_stop(level)


async def test_two_programs_write_one_endpoint_once_a_minute_and_lose_nothing(
    tmp_path: Path,
) -> None:
    clock = Leaper()
    async with (
        Simulator(clock=clock) as sim,
        client_of(tmp_path, sim, clock=clock) as client,
        client_of(tmp_path, sim, clock=clock) as other,
    ):
        # Both were there before anything was written, as a bridge and a command line may be.
        bridge = steering(client, tmp_path, clock)
        typed = steering(other, tmp_path, clock, "alphaess")
        await bridge.change(SN, periods.DISCHARGE, stop_at(20))
        assert clock.slept == 0

        def in_the_app() -> None:
            sim.account.stations[SN].discharge["timeDisf1"] = "18:00"

        clock.during = in_the_app
        found = await typed.change(SN, periods.DISCHARGE, stop_at(30))
        assert clock.slept == pytest.approx(60, abs=1)
        # What was changed while this waited is in what it wrote.
        assert (found.stop, found.periods[0][0]) == (30, 18 * 60)
        assert sim.account.writes[-1][1]["timeDisf1"] == "18:00"
        clock.during = int
        # The other side has its own turn, and so has what changes nothing.
        await typed.change(SN, periods.CHARGE, stop_at(80))
        await bridge.change(SN, periods.DISCHARGE, stop_at(30))
        assert clock.slept == pytest.approx(60, abs=1)
        bridge.patient = False
        with pytest.raises(DeviceRefused, match="set a moment ago: set this again in 60 s"):
            await bridge.change(SN, periods.DISCHARGE, stop_at(40))
        assert len(sim.account.writes) == 3
    assert clock.slept == pytest.approx(60, abs=1)


@pytest.mark.slow
async def test_another_process_keeps_the_gap_of_the_account(tmp_path: Path) -> None:
    code = (
        "import anyio, sys\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace as Sim\n"
        "from tests.alphaess.rig import client_of\n"
        "async def main():\n"
        "    sim = Sim(url=sys.argv[1])\n"
        "    async with client_of(Path(sys.argv[2]), sim, gap=0.25) as client:\n"
        "        for _ in range(5): await client.systems()\n"
        "anyio.run(main)\n"
    )
    async with Simulator(gap=0.24) as sim, client_of(tmp_path, sim, gap=0.25) as client:

        async def typed() -> None:
            words = [sys.executable, "-c", code, sim.url, str(tmp_path)]
            await anyio.run_process(words)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(typed)
            while len(sim.at) < 10:
                await client.live(SN)
                if "GET getEssList" not in sim.requests:
                    await anyio.sleep(0.05)
        assert sim.requests.count("GET getEssList") == 5
        assert sim.too_fast == 0


async def test_the_switches_of_a_schedule_show_what_was_set(tmp_path: Path) -> None:
    async with Simulator(model="scheduled") as sim, running(build(tmp_path, sim)) as rig:
        plan = sim.account.stations[SN].plan
        await wait(lambda: rig.actor.rounds.only_scheduled(SN))
        # The service tells the same of the switches, whatever they are set to.
        said = {name: plan[name] for name in ("gridChargeCycle", "ctrDisCycle")}
        assert (await rig.ask("TimedDischarge", "off")).error is None
        assert sim.account.writes[-1][1]["ctrDisCycle"] == 0
        sim.account.stations[SN].plan |= said
        await rig.actor.rounds._ask_schedule(Job("schedule", SN))
        assert rig.value("TimedDischarge") == "true"  # its word has changed since
        assert (await rig.ask("TimedDischarge", "off")).error is None


async def test_a_service_that_never_tells_the_switches_right(tmp_path: Path) -> None:
    async with Simulator(model="scheduled") as sim, client_of(tmp_path, sim) as client:
        station = sim.account.stations[SN]
        state = StateFolder(tmp_path, "ess", get_logger("ess"))
        told = {name: station.plan[name] for name in ("gridChargeCycle", "ctrDisCycle")}
        assert told["ctrDisCycle"] == 1
        set_plan = sim.account._set_plan

        def deaf(*given: object) -> None:
            set_plan(*given)  # type: ignore[arg-type]
            station.plan |= told

        sim.account._set_plan = deaf  # type: ignore[method-assign, assignment]
        first = Steering(client, state, Clock(), rest=0)
        off = await first.change_plan(SN, lambda plan: replace(plan, discharge=False))
        assert off.discharge is False
        # Over a restart too; and who sets the groups does not switch it on by that.
        again = Steering(client, state, Clock(), rest=0)
        found = await again.plan(SN)
        assert found is not None
        assert found.discharge is False
        await again.change_plan(SN, with_groups(LINE))
        assert sim.account.writes[-1][1]["ctrDisCycle"] == 0
        # In the app it is switched: the word of the service changes, and counts.
        station.plan["gridChargeCycle"] = 0
        found = await again.plan(SN)
        assert found is not None
        assert (found.charge, found.discharge) == (False, True)


@pytest.mark.parametrize("weeks", [[[1]], [{}], ["mon"], [0], [8], "1", None, []])
def test_days_that_are_none(weeks: object) -> None:
    group = {"beginTime": "01:00", "endTime": "05:00", "chargeLimit": 90, "weeks": weeks}
    with pytest.raises(DeviceGarbled, match="without days"):
        weekly.read({"executeCycleType": 1, "chargeTimeList": [group]})


def test_times_that_only_the_app_can_set_are_shown() -> None:
    group = {"beginTime": "01:07:00", "endTime": "05:00", "chargeLimit": 90}
    found = weekly.read({"executeCycleType": 0, "chargeTimeList": [group]})
    assert found is not None
    assert found.text == "charge 01:07-05:00 90%"
    with pytest.raises(DeviceGarbled, match="without times"):
        weekly.read({"executeCycleType": 0, "chargeTimeList": [group | {"endTime": "25:00"}]})


async def test_a_setting_that_was_missing_once_is_seen_again(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        station = sim.account.stations[SN]
        kept, station.scheduled = station.scheduled, True
        await wait(lambda: rig.actor.rounds.only_scheduled(SN))
        station.scheduled = kept
        for job in rig.actor.agenda.jobs():
            rig.actor.agenda.soon(job)
        await rig.until("MinSoc", "10")
        assert not rig.actor.rounds.only_scheduled(SN)
