"""Times of the wall clock: hours that wrap, days, months, and the days when clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import local_day
from bridge.curve.clock_rules import Hours, WallClock, borders, read_hours
from bridge.errors import CurveError
from tests.curve.strategies import LONG, SHORT, ZONES, same_each_time, zoned_days

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("07:00-09:30", ((420, 570),)),
        ("7-9", ((420, 540),)),
        ("22:00-06:00", ((0, 360), (1320, 1440))),
        ("22:00-24:00", ((1320, 1440),)),
        ("22:00-00:00", ((1320, 1440),)),
        ("7-9, 17 - 19:15", ((420, 540), (1020, 1155))),
        ("0-24", ((0, 1440),)),
    ],
)
def test_hours_are_read(text: str | None, wanted: tuple | None) -> None:
    assert read_hours(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "7", "7-", "25-26", "7:60-8", "24:00-06:00", "0-24:01", "8-8", "7 to 9", "a-b", "7-8-9"],
)
def test_hours_that_cannot_be_read(text: str) -> None:
    with pytest.raises(CurveError):
        read_hours(text)


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        ("Mon-Fri", {1, 2, 3, 4, 5}),
        ("sat, Sunday", {6, 7}),
        ("Fri-Mon", {5, 6, 7, 1}),
        ("Wed", {3}),
        ("Mon-Wed,Sat", {1, 2, 3, 6}),
    ],
)
def test_weekdays_are_read(days: str, wanted: set[int]) -> None:
    assert WallClock.of(days=days).weekdays == frozenset(wanted)


def test_months_are_read() -> None:
    assert WallClock.of(months="Nov-Mar").months == frozenset({11, 12, 1, 2, 3})
    assert WallClock.of(months="July").months == frozenset({7})


@pytest.mark.parametrize(
    ("field", "text"), [("days", "Mo-Fr"), ("days", ""), ("days", "Mon-Tue-Wed"), ("months", "13")]
)
def test_names_that_are_not_known(field: str, text: str) -> None:
    with pytest.raises(CurveError, match="is not known"):
        WallClock.of(**{field: text})
    (fault,) = Hours(**{field: text}).faults()
    assert fault[0] == field


def test_after_midnight_the_day_is_that_of_the_moment() -> None:
    night = WallClock.of("22:00-06:00", "Mon-Fri")
    assert night.holds(datetime(2026, 11, 20, 23, tzinfo=BERLIN))  # Friday
    assert not night.holds(datetime(2026, 11, 21, 1, tzinfo=BERLIN))  # Saturday
    assert night.holds(datetime(2026, 11, 23, 1, tzinfo=BERLIN))  # Monday


def test_a_time_in_the_skipped_hour_begins_at_the_jump() -> None:
    rule = WallClock.of("02:30-05:00")
    start, end = local_day(SHORT[0], BERLIN)
    moments = borders([rule], start, end, BERLIN)
    assert datetime(2026, 3, 29, 1, tzinfo=UTC) in moments
    before = datetime(2026, 3, 29, 0, 59, tzinfo=UTC).astimezone(BERLIN)
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC).astimezone(BERLIN)
    assert (rule.holds(before), rule.holds(jump)) == (False, True)


texts = st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 30, 59])).map(
    lambda each: f"{each[0]}:{each[1]:02}"
)
rules = st.builds(
    WallClock.of,
    st.one_of(
        st.none(),
        st.tuples(texts, texts).filter(lambda each: each[0] != each[1]).map("-".join),
    ),
    st.sampled_from([None, "Mon-Fri", "Sun", "Sat-Tue"]),
    st.sampled_from([None, "Nov-Mar", "Oct", "Apr-Sep"]),
)


@same_each_time
@given(
    st.one_of(
        st.sampled_from([*zip(ZONES, SHORT, strict=True), *zip(ZONES, LONG, strict=True)]),
        zoned_days,
    ),
    st.lists(rules, min_size=1, max_size=3),
)
def test_nothing_changes_between_two_borders(day: tuple, drawn: list[WallClock]) -> None:
    zone, date = day
    start, end = local_day(date, zone)
    start -= timedelta(hours=2)
    edges = set(borders(drawn, start, end, zone))
    assert all(start < edge < end for edge in edges)
    moment, before = start, None
    while moment < end:
        now = [rule.holds(moment.astimezone(zone)) for rule in drawn]
        assert now == before or before is None or moment in edges
        before = now
        moment += MINUTE
