"""Timetables over days of 23, 24 and 25 hours, against a reckoning minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.tariffs.fixed_tariff.timetable import timetable
from bridge.curve.clock_rules import WallClock
from bridge.curve.days import local_day

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = WallClock.of("22:00-06:00")
WEEKEND = WallClock.of(days="Sat-Sun")
NOON = WallClock.of("11:00-15:00", months="Apr-Sep")


def span(first: date, last: date) -> tuple[datetime, datetime]:
    return local_day(first, BERLIN)[0], local_day(last, BERLIN)[1]


def seen(day: date, *zones: tuple[WallClock, float]) -> list[tuple[str, str, float]]:
    """(from, until, price) of one day by the wall clock of Berlin."""
    curve = timetable(0.31, zones, span(day, day), BERLIN)
    return [
        (
            f"{slot.start.astimezone(BERLIN):%H:%M}",
            f"{slot.end.astimezone(BERLIN):%H:%M}",
            slot.value,
        )
        for slot in curve
    ]


def test_one_price() -> None:
    assert seen(date(2026, 11, 20)) == [("00:00", "00:00", 0.31)]


def test_a_night_rate() -> None:
    assert seen(date(2026, 11, 20), (NIGHT, 0.22)) == [
        ("00:00", "06:00", 0.22),
        ("06:00", "22:00", 0.31),
        ("22:00", "00:00", 0.22),
    ]


def test_the_last_zone_counts() -> None:
    saturday = date(2026, 7, 4)
    zones = (NIGHT, 0.22), (WEEKEND, 0.25), (NOON, 0.18)
    assert seen(saturday, *zones) == [
        ("00:00", "11:00", 0.25),
        ("11:00", "15:00", 0.18),
        ("15:00", "00:00", 0.25),
    ]
    assert ("11:00", "15:00", 0.18) not in seen(date(2026, 11, 21), *zones)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 5), (date(2026, 10, 25), 7), (date(2026, 3, 28), 6)]
)
def test_the_night_of_a_change_of_clocks(day: date, hours: int) -> None:
    first = timetable(0.31, [(NIGHT, 0.22)], span(day, day), BERLIN).slots[0]
    assert first.value == 0.22
    assert first.length == timedelta(hours=hours)


def test_a_zone_that_begins_in_the_skipped_hour_begins_at_the_jump() -> None:
    day = date(2026, 3, 29)
    zone = WallClock.of("02:30-04:00")
    curve = timetable(0.31, [(zone, 0.1)], span(day, day), BERLIN)
    cheap = [slot for slot in curve if slot.value == 0.1]
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [(slot.start, slot.end) for slot in cheap] == [(jump, jump + timedelta(hours=1))]


def test_a_zone_in_the_hour_that_comes_twice_holds_twice() -> None:
    day = date(2026, 10, 25)
    curve = timetable(0.31, [(WallClock.of("02:15-02:45"), 0.1)], span(day, day), BERLIN)
    cheap = [slot for slot in curve if slot.value == 0.1]
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    assert [slot.start for slot in cheap] == [first, first + timedelta(hours=1)]
    assert {slot.length for slot in cheap} == {timedelta(minutes=30)}


texts = st.tuples(st.integers(0, 95), st.integers(0, 95)).filter(lambda pair: pair[0] != pair[1])
zones = st.lists(
    st.tuples(
        st.builds(
            lambda pair, days: WallClock.of(
                "-".join(f"{each // 4:02}:{each % 4 * 15:02}" for each in pair), days
            ),
            texts,
            st.sampled_from([None, "Mon-Fri", "Sat", "Fri-Mon"]),
        ),
        st.sampled_from([0.05, 0.1, 0.2]),
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(zones, st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 6, 5)]))
def test_it_is_what_the_wall_clock_says_at_every_quarter(
    zones: list[tuple[WallClock, float]], first: date
) -> None:
    start, end = span(first, first + timedelta(days=1))
    curve = timetable(0.31, zones, (start, end), BERLIN)
    assert curve.covers(start, end)
    assert (curve.start, curve.end) == (start, end)
    for before, after in zip(curve.slots, curve.slots[1:], strict=False):
        assert before.end == after.start
    moment = start
    while moment < end:
        local = moment.astimezone(BERLIN)
        wanted = 0.31
        for when, price in zones:
            if when.holds(local):
                wanted = price
        assert curve.at(moment) == wanted
        moment += timedelta(minutes=15)
