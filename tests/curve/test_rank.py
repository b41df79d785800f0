"""Rank of the present in its day, and the cheapest hours, against brute force."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import Curve, local_day
from bridge.curve.rank import cheapest, in_hours, rank
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
    values,
)

UTC0 = ZoneInfo("UTC")
DAY = (BEGIN, BEGIN + 24 * HOUR)


def test_rank_counts_the_cheaper_slots() -> None:
    prices = even(BEGIN, HOUR, [0.3, 0.1, 0.2, 0.1] * 6)
    assert rank(prices, BEGIN, DAY) == 18
    assert rank(prices, BEGIN + HOUR, DAY) == 0
    assert rank(prices, BEGIN + 2 * HOUR, DAY) == 12


def test_rank_of_a_day_that_is_not_complete_is_unknown() -> None:
    prices = even(BEGIN, HOUR, [0.1] * 24)
    assert rank(prices, BEGIN, DAY) == 0
    assert rank(Curve(prices.slots[:-1]), BEGIN, DAY) is None
    assert rank(Curve(prices.slots[1:]), BEGIN + 5 * HOUR, DAY) is None
    assert rank(Curve(), BEGIN, DAY) is None


def test_rank_leaves_yesterday_and_tomorrow_out() -> None:
    prices = even(BEGIN - 24 * HOUR, HOUR, [0.0] * 24 + [0.1] * 23 + [0.2] + [0.0] * 24)
    assert rank(prices, BEGIN, DAY) == 0
    assert rank(prices, BEGIN + 23 * HOUR, DAY) == 23


def test_all_slots_of_long_and_short_days_count() -> None:
    for zone, short, long in zip(ZONES, SHORT, LONG, strict=True):
        for date, count in ((short, 92), (long, 100)):
            start, end = local_day(date, zone)
            prices = even(start, QUARTER, [float(n) for n in range(count)])
            assert rank(prices, end - QUARTER, (start, end)) == count - 1


@same_each_time
@given(curves(), moments, moments, moments)
def test_rank_against_counting(prices: Curve, moment: datetime, a: datetime, b: datetime) -> None:
    day = (min(a, b), max(a, b) + QUARTER)
    found = rank(prices, moment, day)
    minutes = [
        day[0] + timedelta(minutes=n) for n in range(int((day[1] - day[0]).total_seconds() / 60))
    ]
    if prices.at(moment) is None or any(prices.at(each) is None for each in minutes):
        assert found is None
    else:
        cheaper = {
            slot.start
            for slot in prices
            if slot.start < day[1] and slot.end > day[0] and slot.value < prices.at(moment)  # type: ignore[operator]
        }
        assert found == len(cheaper)


def test_long_slots_are_compared_by_the_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = curve(("21:20", "23:30", 0.1), ("23:30", "23:59", 0.2))
    assert shown(in_hours(night, berlin)) == [
        ("21:20", "22:00", 0.1),
        ("22:00", "23:00", 0.1),
        ("23:00", "23:30", 0.1),
        ("23:30", "23:59", 0.2),
    ]
    kolkata = in_hours(even(at("21 18:30"), 24 * HOUR, [0.1]), ZoneInfo("Asia/Kolkata"))
    assert len(kolkata) == 24
    assert {slot.start.minute for slot in kolkata} == {30}


@same_each_time
@given(curves(), st.sampled_from(ZONES))
def test_hours_say_the_same(prices: Curve, zone: ZoneInfo) -> None:
    found = in_hours(prices, zone)
    sound(found)
    assert all(slot.length <= HOUR for slot in found)
    for n in range(-30, 1600, 5):
        moment = BEGIN + timedelta(minutes=n)
        assert found.at(moment) == prices.at(moment)


def test_the_cheapest_hours() -> None:
    prices = even(BEGIN, HOUR, [0.3, 0.1, 0.3, 0.2, 0.15, 0.2, 0.1])
    assert cheapest(prices, HOUR, BEGIN) == BEGIN + HOUR
    assert cheapest(prices, HOUR, BEGIN + HOUR + timedelta(minutes=1)) == BEGIN + 6 * HOUR
    assert cheapest(prices, 3 * HOUR, BEGIN) == BEGIN + 4 * HOUR
    assert cheapest(prices, 7 * HOUR, BEGIN) == BEGIN
    assert cheapest(prices, 8 * HOUR, BEGIN) is None
    assert cheapest(Curve(), HOUR, BEGIN) is None


def test_of_two_that_cost_the_same_the_earlier_one() -> None:
    # Added up in floats, the first four come out dearer than the last four.
    four = [0.252, 0.002, 0.112, -0.035]
    assert sum(each * 3600.0 for each in four) > sum(each * 3600.0 for each in reversed(four))
    prices = even(BEGIN, HOUR, [*four, 0.9, *reversed(four)])
    assert cheapest(prices, 4 * HOUR, BEGIN) == BEGIN


def test_a_hole_is_never_in_a_window() -> None:
    prices = even(BEGIN, HOUR, [0.1, 0.1]).merged(even(BEGIN + 3 * HOUR, HOUR, [0.5, 0.5, 0.5]))
    assert cheapest(prices, 2 * HOUR, BEGIN) == BEGIN
    assert cheapest(prices, 3 * HOUR, BEGIN) == BEGIN + 3 * HOUR


def brute(prices: Curve, length: timedelta, moment: datetime) -> datetime | None:
    """Every start and every minute of its window, in fractions."""
    best = None
    for slot in prices:
        end = slot.start + length
        if slot.start < moment or end not in {each.end for each in prices}:
            continue
        cost = Fraction(0)
        step = timedelta(minutes=5)
        for n in range(length // step):
            value = prices.at(slot.start + n * step)
            if value is None:
                break
            cost += Fraction(str(value))
        else:
            if best is None or cost < best[0]:
                best = (cost, slot.start)
    return None if best is None else best[1]


@same_each_time
@given(curves(), st.integers(1, 4), moments)
def test_cheapest_against_brute_force(prices: Curve, hours: int, moment: datetime) -> None:
    assert cheapest(prices, hours * HOUR, moment) == brute(prices, hours * HOUR, moment)


@same_each_time
@given(st.lists(values, min_size=1, max_size=60), st.integers(1, 6), st.integers(0, 40))
def test_cheapest_of_quarters_against_brute_force(
    drawn: list[float], hours: int, quarter: int
) -> None:
    prices = even(BEGIN, QUARTER, drawn)
    moment = BEGIN + quarter * QUARTER
    assert cheapest(prices, hours * HOUR, moment) == brute(prices, hours * HOUR, moment)
