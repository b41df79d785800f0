"""The way to Solcast: a quota that restarts do not burn, and two sorts of 429."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from actors.forecasts.solcast.plan import wait
from actors.forecasts.solcast.sim import SITE, TOKEN, Simulator
from bridge.cloud import BudgetSpent, HttpRefused
from bridge.curve import Curve
from tests.forecast.service import hours
from tests.forecast.stand import actor_of
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOUR = 3600.0


async def test_a_gone_quota_stops_everybody_until_midnight_of_utc(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        actor = actor_of("solcast", sim, days, tmp_path)
        sim.fault = "quota"
        with pytest.raises(HttpRefused, match="used up") as caught:
            await actor.fetch(BEGIN)
        assert caught.value.retry_after == pytest.approx(15 * HOUR)
        sim.fault = None
        again = actor_of("solcast", sim, days, tmp_path)
        await days.advance(14.9 * HOUR)
        with pytest.raises(BudgetSpent):
            await again.fetch(days.utc())
        await days.advance(0.2 * HOUR)
        assert await again.fetch(days.utc())
        assert len(sim.requests) == 2
        for each in (actor, again):
            await each.make_safe()


async def test_a_busy_server_is_asked_again_soon(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        actor = actor_of("solcast", sim, days, tmp_path)
        sim.fault = "busy"
        with pytest.raises(HttpRefused, match="busy") as caught:
            await actor.fetch(BEGIN)
        assert 10 <= (caught.value.retry_after or 0) <= 120
        await actor.make_safe()


async def test_calls_are_counted_over_restarts(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days, calls=100) as sim:
        for _ in range(10):
            actor = actor_of("solcast", sim, days, tmp_path)
            await actor.fetch(days.utc())
            await actor.make_safe()
            await days.advance(1800)
        actor = actor_of("solcast", sim, days, tmp_path)
        with pytest.raises(BudgetSpent):
            await actor.fetch(days.utc())
        await actor.make_safe()
        assert len(sim.requests) == 10


async def test_a_restart_soon_after_asks_nothing(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        for _ in range(3):
            actor = actor_of("solcast", sim, days, tmp_path)
            await actor.fetch(days.utc())
            await actor.make_safe()
        assert len(sim.requests) == 1
        assert TOKEN not in sim.requests[0]


async def test_sites_add_up(tmp_path: Path) -> None:
    days = Days(BEGIN)
    other = "abcd-0123-4567-89f0"
    async with Simulator(clock=days) as sim:
        found = []
        for sites in ((SITE,), (other,), (SITE, other)):
            actor = actor_of("solcast", sim, days, tmp_path, site=sites)
            found.append(await actor.fetch(BEGIN))
            await actor.make_safe()
        one, two, both = found
        moment = BEGIN + timedelta(hours=2)
        for name in ("power", "low", "high"):
            parts = [getattr(each, name).at(moment) for each in (one, two)]
            assert getattr(both, name).at(moment) == pytest.approx(sum(parts))


def sunny(day: datetime) -> Curve:
    """Two days, each with sun from 8:00 to 16:00 UTC."""
    return hours(day, *([0.0] * 8 + [1000.0] * 8 + [0.0] * 8) * 2)


@pytest.mark.parametrize(
    ("hour", "rounds", "until"),
    [
        (8, 9, 8.8),  # eight hours of sun in ten parts
        (12, 3, 13),
        (15.9, 5, 32),  # the rest of the light is too short: the next dawn
        (2, 9, 8),
        (12, 0, 32),
        (20, 4, 32),
    ],
)
def test_calls_are_spread_over_the_sun(hour: float, rounds: int, until: float) -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    found = wait(sunny(day), day + timedelta(hours=hour), rounds, share=0.0)
    assert hour + found / HOUR == pytest.approx(until)


def test_without_a_forecast_it_is_never_at_once_and_never_later_than_a_day() -> None:
    day = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for power in (None, Curve(), hours(day, *[0.0] * 72)):
        for rounds in (0, 5):
            assert 1800 <= wait(power, day, rounds, share=0.9) <= 86400
