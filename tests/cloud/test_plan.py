"""When a service is asked next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cloud.budget import BudgetSpent
from bridge.cloud.plan import backoff, day_ahead, every, missing
from bridge.curve.days import local_day
from bridge.http import HttpRefused

BERLIN = ZoneInfo("Europe/Berlin")
shares = st.floats(0, 1, exclude_max=True)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


TODAY = local_day(date(2026, 11, 21), BERLIN)[1]
TOMORROW = local_day(date(2026, 11, 22), BERLIN)[1]


def next_at(now: str, known: datetime | None, share: float = 0.0) -> datetime:
    moment = local(now).astimezone(UTC)
    wait = day_ahead(known, moment, zone=BERLIN, share=share)
    return (moment + timedelta(seconds=wait)).astimezone(BERLIN)


def test_the_morning_waits_for_the_publication() -> None:
    assert next_at("2026-11-21T08:00", TODAY) == local("2026-11-21T12:40")
    assert next_at("2026-11-21T08:00", TODAY, 0.5) == local("2026-11-21T12:45")


def test_from_then_on_it_asks_until_tomorrow_is_complete() -> None:
    assert next_at("2026-11-21T12:40", TODAY) == local("2026-11-21T12:50")
    assert next_at("2026-11-21T16:00", TODAY, 0.5) == local("2026-11-21T16:12:30")
    assert next_at("2026-11-21T16:00", TOMORROW - timedelta(hours=1)) == local("2026-11-21T16:10")
    assert next_at("2026-11-21T16:00", TOMORROW) == local("2026-11-22T12:40")


def test_midnight_alone_asks_nothing() -> None:
    assert next_at("2026-11-21T23:59:30", TOMORROW) == local("2026-11-22T12:40")
    assert next_at("2026-11-22T00:00:30", TOMORROW) == local("2026-11-22T12:40")


def test_what_is_missing_of_today_is_asked_for_once_an_hour() -> None:
    assert next_at("2026-11-22T00:10", TODAY) == local("2026-11-22T01:10")
    assert next_at("2026-11-22T08:00", None) == local("2026-11-22T09:00")
    assert next_at("2026-11-22T12:30", None) == local("2026-11-22T12:40")


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 23), ("2026-10-24", 25), ("2026-11-21", 24)]
)
def test_days_of_23_and_25_hours(day: str, hours: int) -> None:
    begin = local(f"{day}T13:00").astimezone(UTC)
    tomorrow = local_day(begin.date() + timedelta(days=1), BERLIN)
    assert tomorrow[1] - tomorrow[0] == timedelta(hours=hours)
    assert day_ahead(tomorrow[1] - timedelta(hours=1), begin, zone=BERLIN, share=0) == 600
    wait = day_ahead(tomorrow[1], begin, zone=BERLIN, share=0)
    # The day's switch comes between now and tomorrow's publication by the wall clock.
    assert wait == (hours * 60 - 20) * 60


def test_a_publication_that_ends_before_midnight() -> None:
    london = ZoneInfo("Europe/London")
    now = datetime(2026, 11, 21, 17, tzinfo=UTC)
    known = datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert (
        day_ahead(known, now, zone=london, published="16:00", covers="23:00", share=0)
        == (23 * 60 - 5) * 60
    )
    assert day_ahead(known, now, zone=london, published="16:00", share=0) == 600


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - put into UTC below
    st.none() | st.floats(-100, 60),
    shares,
)
def test_no_plan_runs_hot_or_sleeps_for_days(
    naive: datetime, hours: float | None, share: float
) -> None:
    now = naive.replace(tzinfo=UTC)
    known = None if hours is None else now + timedelta(hours=hours)
    assert 60 <= day_ahead(known, now, zone=BERLIN, share=share) <= 38 * 3600


@pytest.mark.parametrize(
    ("now", "known", "expected"),
    [
        ("2026-11-21T08:00", None, True),
        ("2026-11-21T08:00", TODAY, False),
        ("2026-11-21T08:00", TODAY - timedelta(hours=2), True),
        ("2026-11-21T12:39", TODAY, False),
        ("2026-11-21T12:41", TODAY, True),
        ("2026-11-21T12:41", TOMORROW, False),
        ("2026-11-22T00:01", TOMORROW, False),
    ],
)
def test_a_start_asks_only_for_what_can_be_had(
    now: str, known: datetime | None, expected: bool
) -> None:
    assert missing(known, local(now), zone=BERLIN, share=0.0) is expected


def test_houses_do_not_ask_together() -> None:
    begins = {next_at("2026-11-21T08:00", TODAY, share / 100) for share in range(100)}
    assert len(begins) == 100
    assert max(begins) - min(begins) > timedelta(minutes=9)


@given(
    st.floats(60, 86400),
    st.floats(1.7e9, 1.9e9).map(lambda s: datetime.fromtimestamp(s, UTC)),
    shares,
)
def test_a_beat_keeps_its_phase(seconds: float, now: datetime, share: float) -> None:
    wait = every(seconds, now, share=share)
    assert seconds / 2 - 1e-3 <= wait <= 1.5 * seconds + 1e-3
    phase = ((now.timestamp() + wait) - share * seconds) % seconds
    assert min(phase, seconds - phase) < 1e-2


def test_backoff_doubles_to_an_end() -> None:
    waits = [backoff(number, first=60, most=3600, share=0.3) for number in range(1, 2000)]
    for number, base in enumerate([60, 120, 240, 480, 960, 1920, 3600, 3600]):
        assert base <= waits[number] <= 1.25 * base
    assert max(waits) <= 4500
    assert len({round(wait, 6) for wait in waits[10:40]}) == 30


def test_backoff_obeys_what_the_service_says() -> None:
    spent = BudgetSpent("spent", 9000.0)
    refused = HttpRefused("busy", 429, retry_after=7200.0)
    assert backoff(1, share=0.0, error=spent) == 9000.0
    assert backoff(1, share=0.0, error=refused) == 7200.0
    assert backoff(1, share=0.0, error=BudgetSpent("spent", 1e12)) == 86400.0
    assert backoff(9, share=0.0, error=HttpRefused("busy", 429, retry_after=1.0)) >= 3600.0
    assert 60 <= backoff(0, error=HttpRefused("busy", 429)) <= 75
