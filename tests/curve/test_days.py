"""Local days and time zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bridge.curve import day_of, days, local_day, zone_of
from bridge.errors import CurveError
from tests.curve.strategies import HOUR, same_each_time, zoned_days

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Europe/Berlin", date(2026, 11, 21), datetime(2026, 11, 20, 23, tzinfo=UTC), 24),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("Europe/London", date(2026, 10, 25), datetime(2026, 10, 24, 23, tzinfo=UTC), 25),
        ("Australia/Sydney", date(2026, 10, 4), datetime(2026, 10, 3, 14, tzinfo=UTC), 23),
        ("Australia/Sydney", date(2026, 4, 5), datetime(2026, 4, 4, 13, tzinfo=UTC), 25),
        ("America/New_York", date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), 23),
        ("Australia/Brisbane", date(2026, 10, 4), datetime(2026, 10, 3, 14, tzinfo=UTC), 24),
        # midnight itself is skipped, or occurs twice
        ("Asia/Beirut", date(2026, 3, 29), datetime(2026, 3, 28, 22, tzinfo=UTC), 23),
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), 25),
        # half an hour
        ("Australia/Lord_Howe", date(2026, 4, 5), datetime(2026, 4, 4, 13, tzinfo=UTC), 24.5),
    ],
)
def test_a_local_day(zone: str, day: date, start: datetime, hours: float) -> None:
    assert local_day(day, ZoneInfo(zone)) == (start, start + hours * HOUR)


@same_each_time
@given(zoned_days)
def test_days_follow_one_another_and_hold_their_moments(day: tuple) -> None:
    zone, date_ = day
    start, end = local_day(date_, zone)
    assert local_day(date_ + timedelta(days=1), zone)[0] == end
    assert local_day(date_ - timedelta(days=1), zone)[1] == start
    for moment in (start, start + HOUR, end - timedelta(seconds=1)):
        assert day_of(moment, zone) == date_
    assert day_of(end, zone) == date_ + timedelta(days=1)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_a_zone_that_is_not_known(name: str) -> None:
    with pytest.raises(CurveError, match="is not known"):
        zone_of(name)


def test_this_computers_zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def own() -> str:
        days._own_zone.cache_clear()
        return str(zone_of(None))

    real = tmp_path / "zoneinfo" / "Asia" / "Tokyo"
    real.parent.mkdir(parents=True)
    real.touch()
    place = tmp_path / "localtime"
    place.symlink_to(real)
    monkeypatch.setattr(days, "_LOCALTIME", place)
    monkeypatch.delenv("TZ", raising=False)
    assert own() == "Asia/Tokyo"
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert own() == "Europe/Berlin"
    monkeypatch.setenv("TZ", "nonsense")
    assert own() == "Asia/Tokyo"
    monkeypatch.setattr(days, "_LOCALTIME", tmp_path / "none")
    monkeypatch.setattr(days, "_TIMEZONE", tmp_path / "none")
    assert own() == "UTC"
    days._own_zone.cache_clear()
