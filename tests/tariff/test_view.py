"""What is shown at one moment, on days of 23, 24 and 25 hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import Curve, local_day
from bridge.curve.rules import Rules
from bridge.errors import CurveError
from bridge.tariff.view import Totals, next_change, totals, view
from tests.curve.strategies import (
    HOUR,
    LONG,
    QUARTER,
    SHORT,
    ZONES,
    curves,
    even,
    moments,
    same_each_time,
)

LIMIT = 65536


def all_of(curve: Curve, zone: object = ZONES[0]) -> Totals:
    return totals(curve, None, Rules(zone), raw=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", range(len(ZONES)), ids=[str(zone) for zone in ZONES])
def test_the_published_day_is_the_local_day(place: int) -> None:
    zone = ZONES[place]
    for day, count in ((SHORT[place], 92), (LONG[place], 100), (SHORT[place] + 48 * HOUR, 96)):
        start, end = local_day(day, zone)
        prices = even(start - 24 * HOUR, QUARTER, [0.01 * (n % 90) for n in range(4 * 96)])
        shown = view(all_of(prices.between(start - HOUR, end), zone), start, zone, limit=LIMIT)
        assert shown.curve is not None
        assert len(shown.curve) == count
        assert shown.curve[0]["start"] == f"{start:%Y-%m-%dT%H:%M:%SZ}"
        assert shown.curve[-1]["end"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
        assert shown.rank is not None


def test_nothing_known_is_all_unknown() -> None:
    shown = view(None, local_day(SHORT[0], ZONES[0])[0], ZONES[0], limit=LIMIT)
    assert (shown.imports, shown.exports, shown.rank, shown.curve) == (None, None, None, None)
    assert set(shown.windows) == {"1h", "2h", "3h", "4h", "6h", "8h", "12h"}
    assert set(shown.windows.values()) == {None}


def test_no_curve_is_left_of_what_cannot_be_priced() -> None:
    with pytest.raises(CurveError):
        totals(
            even(local_day(SHORT[0], ZONES[0])[0], HOUR, [1.0]),
            None,
            Rules(ZONES[0], import_formula="1/(price-price)"),
            raw=True,
        )


@same_each_time
@given(curves(), moments, st.sampled_from([300, 2000, LIMIT]))
def test_it_never_contradicts_itself(prices: Curve, now: datetime, limit: int) -> None:
    import msgspec

    zone = ZONES[0]
    found = all_of(prices, zone)
    shown = view(found, now, zone, limit=limit)
    listed = shown.curve or ()
    assert len(msgspec.json.encode(list(listed))) <= limit
    stamp = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    here = [each["import"] for each in listed if each["start"] <= stamp < each["end"]]
    if shown.until is None:
        assert here == ([] if shown.imports is None else [shown.imports])
    for start in shown.windows.values():
        present = found.hours.slot_at(now)
        assert start is None or start >= (now if present is None else present.start)
    due = next_change(found, now, zone)
    assert due > now
    middle = due - timedelta(microseconds=1)
    assert found.imports.at(middle) == found.imports.at(now)


def test_the_slot_of_now_counts_as_the_present_until_it_ends() -> None:
    start, _ = local_day(LONG[0], ZONES[0])
    found = all_of(even(start, HOUR, [0.1, 0.2, 0.2, 0.3]))
    late = start + timedelta(minutes=59)
    assert view(found, late, ZONES[0], limit=LIMIT).windows["2h"] == start
    assert view(found, start + HOUR, ZONES[0], limit=LIMIT).windows["2h"] == start + HOUR


def test_a_curve_that_is_over_is_none() -> None:
    start, _ = local_day(LONG[0], ZONES[0])
    found = all_of(even(start, HOUR, [0.1, 0.2]))
    assert view(found, start + 2 * HOUR, ZONES[0], limit=LIMIT).curve is None
    assert view(found, start + 1.9 * HOUR, ZONES[0], limit=LIMIT).curve is not None


def test_a_slot_over_midnight_is_shown_from_midnight() -> None:
    start, _ = local_day(LONG[0], ZONES[0])
    found = all_of(even(start - HOUR, 4 * HOUR, [0.1]))
    curve = view(found, start, ZONES[0], limit=LIMIT).curve
    assert curve is not None
    assert curve[0]["start"] == f"{start:%Y-%m-%dT%H:%M:%SZ}"
