"""What a curve answers: at, between, covers, horizon, merged, map, resolution."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import Curve, Slot, local_day
from tests.curve.strategies import (
    BEGIN,
    HOUR,
    LONG,
    QUARTER,
    SHORT,
    ZONES,
    at,
    curve,
    curves,
    even,
    moments,
    same_each_time,
    shown,
    sound,
    zoned_days,
)

HOLED = curve(("10:00", "11:00", 1), ("11:00", "11:15", 2), ("12:00", "13:00", 3))
MINUTE = timedelta(minutes=1)


def test_a_slot_is_half_open() -> None:
    assert HOLED.at(at("21 10:00")) == 1
    assert HOLED.at(at("21 10:59")) == 1
    assert HOLED.at(at("21 11:00")) == 2
    assert HOLED.at(at("21 11:15")) is None
    assert HOLED.at(at("21 09:59")) is None
    assert HOLED.at(at("21 13:00")) is None
    assert HOLED.slot_at(at("21 12:30")) == Slot(at("21 12:00"), at("21 13:00"), 3)


def test_ends_horizons_and_holes() -> None:
    assert (HOLED.start, HOLED.end) == (at("21 10:00"), at("21 13:00"))
    assert HOLED.horizon(at("21 10:30")) == at("21 11:15")
    assert HOLED.horizon(at("21 11:15")) is None
    assert HOLED.horizon(at("21 12:59")) == at("21 13:00")
    assert HOLED.covers(at("21 10:00"), at("21 11:15"))
    assert not HOLED.covers(at("21 10:00"), at("21 11:16"))
    assert not HOLED.covers(at("21 09:59"), at("21 11:00"))
    assert (Curve().start, Curve().end, Curve().resolution) == (None, None, None)


def test_between_cuts_exactly() -> None:
    part = HOLED.between(at("21 10:20"), at("21 12:10"))
    assert shown(part) == [("10:20", "11:00", 1), ("11:00", "11:15", 2), ("12:00", "12:10", 3)]
    assert not HOLED.between(at("21 12:00"), at("21 11:00"))


def test_the_resolution_is_the_most_frequent_length() -> None:
    assert HOLED.resolution == HOUR
    assert curve(("10:00", "11:00", 1), ("11:00", "11:15", 2)).resolution == QUARTER


def test_newer_wins_where_it_covers() -> None:
    newer = Curve(curve(("10:15", "10:30", 9), ("12:30", "14:00", 8)).slots, ("a note",))
    both = HOLED.merged(newer)
    assert shown(both) == [
        ("10:00", "10:15", 1),
        ("10:15", "10:30", 9),
        ("10:30", "11:00", 1),
        ("11:00", "11:15", 2),
        ("12:00", "12:30", 3),
        ("12:30", "14:00", 8),
    ]
    assert both.notes == ("a note",)


def test_map_sees_the_slot() -> None:
    assert [s.value for s in HOLED.map(lambda slot: slot.length / HOUR * slot.value)] == [1, 0.5, 3]


def test_a_curve_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        HOLED.slots = ()  # type: ignore[misc]


@pytest.mark.parametrize("place", range(len(ZONES)), ids=[str(zone) for zone in ZONES])
@pytest.mark.parametrize("step", [QUARTER, 2 * QUARTER, HOUR], ids=["quarters", "halves", "hours"])
def test_days_of_23_and_25_hours_have_as_many_slots(place: int, step: timedelta) -> None:
    for day, hours in ((SHORT[place], 23), (LONG[place], 25), (SHORT[place] + 2 * 24 * HOUR, 24)):
        start, end = local_day(day, ZONES[place])
        assert end - start == hours * HOUR
        found = Curve.of((start + n * step, None, n) for n in range(hours * (HOUR // step)))
        assert found.covers(start, end)
        assert (found.start, found.end) == (start, end)
        assert len(found) == hours * (HOUR // step)


@same_each_time
@given(zoned_days, st.sampled_from([QUARTER, HOUR]), st.booleans())
def test_cut_to_the_local_day_a_curve_covers_it_exactly(
    day: tuple, step: timedelta, one_fetch_a_day: bool
) -> None:
    zone, date = day
    start, end = local_day(date, zone)
    around = even(start - 30 * HOUR, step, [0.1 * (n % 7) for n in range(90 * (HOUR // step))])
    if one_fetch_a_day:
        before, after = local_day(date - timedelta(days=1), zone), local_day(date, zone)
        around = around.between(*before).merged(around.between(*after))
    today = around.between(start, end)
    sound(today)
    assert today.covers(start, end)
    assert (today.start, today.end) == (start, end)
    assert sum((slot.length for slot in today), timedelta()) == end - start
    assert today.at(end) is None
    assert today.at(start - MINUTE) is None


@same_each_time
@given(curves(), moments, moments)
def test_every_question_agrees_with_looking_minute_by_minute(
    found: Curve, one: datetime, other: datetime
) -> None:
    sound(found)
    start, end = min(one, other), max(one, other)
    part = found.between(start, end)
    sound(part)
    span = range(int((end - start) / MINUTE))
    known = [found.at(start + n * MINUTE) for n in span]
    assert [part.at(start + n * MINUTE) for n in span] == known
    assert found.covers(start, end) == (None not in known)
    assert part.at(end) is None
    until = found.horizon(start)
    if until is None:
        assert found.at(start) is None
    else:
        assert found.covers(start, until)
        assert found.at(until) is None


@same_each_time
@given(curves(), curves())
def test_merged_is_the_newer_one_and_then_the_older(older: Curve, newer: Curve) -> None:
    both = older.merged(newer)
    sound(both)
    for n in range(-30, 1600, 5):
        moment = BEGIN + n * MINUTE
        wanted = newer.at(moment)
        assert both.at(moment) == (older.at(moment) if wanted is None else wanted)
    assert both.merged(newer) == both
