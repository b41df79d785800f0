"""How far ahead each service is known, at any hour of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.config.kinds import find_kind
from bridge.forecast import Outlook
from tests.forecast.stand import actor_of
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("hour", [0.2, 6.5, 12.0, 22.9, 23.9])
@pytest.mark.parametrize(
    ("kind", "least"), [("open_meteo", 72), ("solcast", 72), ("forecast_solar", 24)]
)
async def test_the_horizon(tmp_path: Path, kind: str, least: float, hour: float) -> None:
    days = Days(DAY + timedelta(hours=hour))
    module = find_kind(kind).simulator()
    async with module.Simulator(clock=days) as sim:  # type: ignore[union-attr]
        actor = actor_of(kind, sim, days, tmp_path)
        assert await actor.ask_once() > 0
        assert isinstance(actor.known, Outlook)
        known = actor.known.power.horizon(days.utc())
        await actor.make_safe()
    assert known is not None
    assert known - days.utc() >= timedelta(hours=least, minutes=-30)
