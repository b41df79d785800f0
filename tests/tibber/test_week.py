"""How often a week asks: a few times a day, and politely when something is wrong."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actors.tariffs.tibber.sim import Simulator
from tests.support.days import week
from tests.tibber.rig import tibber

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

BEGIN = datetime(2026, 10, 22, 7, 3, tzinfo=UTC)  # over the end of summer time
WEEK = [date(2026, 10, 22) + timedelta(days=number) for number in range(9)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "fault", "least", "most"),
    [
        ({}, None, 8, 24),
        ({"late": 6 * 3600.0}, None, 150, 280),
        ({"missing": WEEK[3]}, None, 50, 130),
        ({"missing": WEEK}, None, 300, 640),
        ({}, "login", 140, 190),
        ({}, "busy_plain", 100, 190),
    ],
    ids=["usual", "six hours late", "a day is missing", "no prices at all", "login", "429"],
)
def test_a_week_of_requests(
    tmp_path: Path, options: dict[str, Any], fault: str | None, least: int, most: int
) -> None:
    busiest: Counter[date] = Counter()
    ended: list[datetime | None] = []

    def simulator(clock: Clock) -> Simulator:
        sim = Simulator(clock=clock, **options)
        sim.fault = fault
        inner = sim._serve

        async def serve(request: Any) -> Any:
            busiest[clock.utc().date()] += 1
            return await inner(request)

        sim._serve = serve  # type: ignore[method-assign]
        return sim

    async def asking(sim: Simulator, clock: Clock) -> None:
        actor = tibber(tmp_path)(sim, clock)
        actor._share = 0.0  # the house that asks first and most often
        try:
            await actor.ask()
        finally:
            ended.append(None if actor.known is None else actor.known.end)
            await actor.safe()

    count = week(simulator, asking, begin=BEGIN)
    assert sum(busiest.values()) == count
    print(f"{count} in a week, {max(busiest.values())} on the busiest day")
    assert least <= count <= most
    assert max(busiest.values()) <= 150
    if not options and fault is None:
        assert ended == [datetime(2026, 10, 29, 23, tzinfo=UTC)]
