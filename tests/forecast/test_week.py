"""How often a week asks each service: within what it allows, in any stretch of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.forecast import Plane
from tests.forecast.stand import busiest, week_of

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 10, 21, 3, 0, 12, tzinfo=UTC)  # over the change of Berlin's clocks
ROOFS = tuple(Plane(tilt=30, azimuth=azimuth, kwp=3) for azimuth in (90, 180, 270))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_forecast_solar(tmp_path: Path) -> None:
    count, moments = week_of("forecast_solar", tmp_path, begin=BEGIN, planes=ROOFS)
    assert 3 * 160 <= count <= 3 * 170
    assert busiest(moments, 3600) <= 12
    print(f"forecast_solar, 3 planes: {count} in a week, {busiest(moments, 3600)} in an hour")


def test_open_meteo(tmp_path: Path) -> None:
    count, moments = week_of("open_meteo", tmp_path, begin=BEGIN, planes=ROOFS)
    assert 3 * 160 <= count <= 3 * 170
    assert busiest(moments, 86400) <= 80
    print(f"open_meteo, 3 planes: {count} in a week, {busiest(moments, 86400)} in a day")


@pytest.mark.parametrize(
    ("place", "sites"),
    [((50.1, 8.7), 1), ((50.1, 8.7), 2), ((-33.9, 151.2), 1)],
    ids=["Frankfurt", "Frankfurt, two sites", "Sydney"],
)
def test_solcast(tmp_path: Path, place: tuple[float, float], sites: int) -> None:
    names = ("abcd-0123-4567-89ef", "abcd-0123-4567-89f0")[:sites]
    latitude, longitude = place
    sim = {"latitude": latitude, "longitude": longitude, "days": ("clear", "mixed", "dull")}
    count, moments = week_of("solcast", tmp_path, sim=sim, begin=BEGIN, site=names)
    days = Counter(moment.date() for moment in moments)
    assert max(days.values()) <= 10
    whole = sorted(days)[1:-1]
    assert min(days[day] for day in whole) >= 8, days
    hours = {(moment.hour + round(longitude / 15)) % 24 for moment in moments[sites:]}
    assert hours <= set(range(4, 20)), "the calls are made while the sun is up"
    print(f"solcast at {place}, {sites} sites: {count} in a week, {dict(sorted(days.items()))}")
