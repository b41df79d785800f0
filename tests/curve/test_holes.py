"""What is missing inside a curve, and until when nothing is left to wait for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.curve.holes import holes, known_until, told
from bridge.curve.slots import Curve
from tests.curve.strategies import HOUR, at, curve, even

BERLIN = ZoneInfo("Europe/Berlin")


def test_holes_are_between_slots_only() -> None:
    found = curve(("10:00", "11:00", 1), ("11:00", "12:00", 2), ("13:00", "14:00", 3))
    assert holes(found) == [(at("21 12:00"), at("21 13:00"))]
    assert told(found, BERLIN) == ("the prices have a hole: 2026-11-21 13:00 to 14:00",)
    assert (holes(Curve()), told(Curve(), BERLIN)) == ([], ())


def test_many_holes_are_one_sentence() -> None:
    slots = [(f"{hour:02}:00", f"{hour:02}:30", 1.0) for hour in range(6)]
    (sentence,) = told(curve(*slots), BERLIN, what="values")
    assert sentence.startswith("the values have a hole: 2026-11-21 01:30 to 02:00, ")
    assert sentence.endswith(" and 2 more")


def test_what_is_known_ends_where_it_ends() -> None:
    start = datetime(2026, 11, 20, 23, tzinfo=UTC)  # midnight in Berlin
    now = start + 15 * HOUR
    today = even(start, HOUR, [0.1] * 24)
    assert known_until(None, now, BERLIN) is None
    assert known_until(today, now, BERLIN) == start + 24 * HOUR
    assert known_until(today, start - HOUR / 2, BERLIN) == start + 24 * HOUR
    both = even(start, HOUR, [0.1] * 48)
    assert known_until(both, now, BERLIN) == start + 48 * HOUR


def test_with_all_of_tomorrow_a_hole_in_today_is_waited_for_no_more() -> None:
    start = datetime(2026, 11, 20, 23, tzinfo=UTC)
    now = start + 15 * HOUR
    tomorrow = even(start + 24 * HOUR, HOUR, [0.1] * 24)
    assert known_until(tomorrow, now, BERLIN) == start + 48 * HOUR
    # One hour of tomorrow is missing: there is something to wait for.
    short = tomorrow.between(start + 25 * HOUR, start + 48 * HOUR)
    assert known_until(short, now, BERLIN) is None
    assert known_until(short, now + timedelta(days=1), BERLIN) == start + 48 * HOUR


def test_where_a_day_reaches_until_23_only_that_is_what_is_waited_for() -> None:
    start = datetime(2026, 11, 20, 23, tzinfo=UTC)  # midnight in Berlin
    now = start + 9 * HOUR
    found = even(start, HOUR, [0.1] * 47)  # until 23:00 of tomorrow
    holed = found.between(start, start + 20 * HOUR).merged(
        found.between(start + 21 * HOUR, start + 47 * HOUR)
    )
    assert known_until(holed, now, BERLIN, "23:00") == start + 47 * HOUR
    assert known_until(holed, now, BERLIN) == start + 20 * HOUR
