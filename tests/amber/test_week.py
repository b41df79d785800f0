"""How often a week asks: far less than Amber allows, in any five minutes of it."""

from __future__ import annotations

import os
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actors.tariffs.amber.actor import Amber
from actors.tariffs.amber.interval import interval_at, of_channel, read_intervals
from actors.tariffs.amber.plan import Seen, seen, wait
from actors.tariffs.amber.settings import Settings
from actors.tariffs.amber.sim import TOKEN, Simulator
from actors.tariffs.amber.simulator.items import House
from bridge.actor import Context
from bridge.config import Config
from bridge.config.secret import Secret
from bridge.contract import load_contract
from bridge.mqtt import Endpoint
from tests.support.days import week

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

BEGIN = datetime(2026, 10, 2, 3, 0, 12, tzinfo=UTC)  # over the change of Sydney's clocks
NOWHERE = Endpoint("localhost", 1)


def amber(sim: Simulator, clock: Clock, state: Path, name: str = "power", **more: Any) -> Amber:
    """An actor without a broker: what it publishes is lost, what it asks is real."""
    settings = Settings(
        token=Secret(TOKEN),
        url=f"http://127.0.0.1:{sim.port}",
        timezone="Australia/Sydney",
        timeout=60,
        **more,
    )
    context = Context(name, settings, Config(state=state), load_contract(), NOWHERE, clock)
    return Amber(context)


def busiest(moments: list[float]) -> int:
    """The most requests in any 300 s."""
    ordered = sorted(moments)
    return max(index + 1 - bisect_left(ordered, at - 300) for index, at in enumerate(ordered))


@pytest.mark.parametrize(
    ("length", "settled", "most", "peak"),
    [(5, 45.0, 7000, 6), (5, None, 18000, 9), (30, 45.0, 3500, 6), (30, None, 12000, 9)],
)
def test_a_week_by_the_plan(length: int, settled: float | None, most: int, peak: int) -> None:
    """Every request of a week, without the network: answers as the simulator gives them.

    With `HELIOGRAPH_WEEK` all seven days; else one of them counts for each.
    """
    days = 7 if os.environ.get("HELIOGRAPH_WEEK") else 1
    house = House(length=length, settled=settled)
    now, last, asked = BEGIN, Seen(), []
    while now < BEGIN + timedelta(days=days):
        asked.append(now.timestamp())
        found = of_channel(read_intervals(house.current(now, length, 1, 1)), "general")
        last = seen(last, interval_at(found, now), now)
        now += timedelta(seconds=wait(last, now, 0.5))
    count = round(len(asked) * 7 / days)
    print(f"{count} a week, {busiest(asked)} in the busiest 300 s")
    assert 2016 <= count <= most
    assert busiest(asked) <= peak


@pytest.mark.parametrize("length", [5, 30])
def test_a_morning_over_real_http(tmp_path: Path, length: int) -> None:
    sims: list[Simulator] = []

    def simulator(clock: Clock) -> Simulator:
        sims.append(Simulator(length=length, clock=clock))
        return sims[0]

    async def asking(sim: Simulator, clock: Clock) -> None:
        actor = amber(sim, clock, tmp_path, hours=1)
        try:
            await actor.ask()
        finally:
            await actor.safe()

    count = week(simulator, asking, days=0.25, begin=BEGIN)
    assert 72 <= count <= 4 * 72
    assert busiest(sims[0].asked_at) < 25
    assert sum(each == "/sites" for each in sims[0].requests) == 1
    whole = [each for each in sims[0].requests if "previous=1&" not in each]
    assert len(whole) <= 2 + 12 + 3
