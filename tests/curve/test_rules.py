"""The owner's rules: charges, tax and formulas, by the local wall clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import Curve, local_day
from bridge.curve.clock_rules import WallClock
from bridge.curve.rules import Rules
from bridge.errors import CurveError, ExpressionError
from tests.curve.strategies import (
    HOUR,
    LONG,
    SHORT,
    ZONES,
    at,
    curve,
    even,
    same_each_time,
    shown,
    sound,
)

UTC0 = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
HOURLY = curve(("10:00", "11:00", 0.10), ("11:00", "12:00", -0.02))


def test_without_rules_the_price_is_the_price() -> None:
    assert Rules(UTC0).imports(HOURLY) == HOURLY
    assert Rules(UTC0).exports(HOURLY) is None


def test_charges_and_tax() -> None:
    found = Rules(UTC0, charges=0.15, tax=20).imports(HOURLY)
    assert [round(slot.value, 9) for slot in found] == [0.3, 0.156]


def test_tax_makes_a_negative_price_more_negative() -> None:
    found = Rules(UTC0, tax=19).imports(HOURLY)
    assert found.at(at("21 11:30")) == pytest.approx(-0.0238)


def test_a_formula_takes_the_place_of_the_sum() -> None:
    rules = Rules(
        UTC0, charges=0.1, tax=25, import_formula="max(0, price + charges) * (1 + tax/100) + 0.01"
    )
    assert [round(slot.value, 9) for slot in rules.imports(HOURLY)] == [0.26, 0.11]


def test_a_formula_knows_the_local_clock() -> None:
    berlin = Rules(BERLIN, import_formula="hour*1000 + weekday*100 + month + minute/1000")
    found = berlin.imports(curve(("10:00", "10:01", 1)))
    assert found.slots[0].value == 11 * 1000 + 6 * 100 + 11  # Saturday in November, 11:00 CET
    found = berlin.imports(curve(("10:07", "10:08", 1)))
    assert found.slots[0].value == pytest.approx(11611.007)


def test_a_slot_is_cut_where_its_charges_change() -> None:
    evening = ((WallClock.of("11:30-12:00"), 0.5),)
    found = Rules(BERLIN, charges=evening).imports(curve(("10:00", "11:00", 0.1)))
    assert shown(found) == [("10:00", "10:30", 0.1), ("10:30", "11:00", 0.6)]


def test_a_slot_whose_charges_stay_is_left_whole() -> None:
    rules = Rules(BERLIN, charges=((WallClock.of("0-24"), 0.5),))
    assert len(rules.imports(even(at("21 00:00"), 24 * HOUR, [0.1]))) == 1


def test_a_later_charge_wins_and_none_is_nothing() -> None:
    charges = ((WallClock.of(days="Sat"), 0.1), (WallClock.of("12-13"), 0.2))
    found = Rules(UTC0, charges=charges).imports(
        even(at("21 11:00"), HOUR, [0.0, 0.0, 0.0]).merged(even(at("22 11:00"), HOUR, [0.0, 0.0]))
    )
    assert [slot.value for slot in found] == [0.1, 0.2, 0.1, 0.0, 0.2]


def test_a_formula_by_the_hour_cuts_long_slots() -> None:
    rules = Rules(BERLIN, import_formula="1 if hour >= 12 else 0")
    found = rules.imports(even(at("21 00:00"), 24 * HOUR, [0.1]))
    assert shown(found) == [("00:00", "11:00", 0), ("11:00", "23:00", 1), ("23:00", "00:00", 0)]


def test_a_formula_by_the_minute_cuts_to_the_minute() -> None:
    rules = Rules(UTC0, import_formula="price if minute < 20 else 2*price")
    assert shown(rules.imports(curve(("10:00", "11:00", 1)))) == [
        ("10:00", "10:20", 1),
        ("10:20", "11:00", 2),
    ]


def test_where_a_formula_gives_no_number_there_is_a_hole_and_a_note() -> None:
    rules = Rules(UTC0, import_formula="1/(price - 0.1)")
    found = rules.imports(HOURLY)
    assert shown(found) == [("11:00", "12:00", 1 / (-0.02 - 0.1))]
    assert "divides by zero" in found.notes[0]


def test_a_formula_that_never_gives_a_number_is_no_curve() -> None:
    with pytest.raises(CurveError, match="divides by zero"):
        Rules(UTC0, import_formula="1/(price - price)").imports(HOURLY)
    assert Rules(UTC0, import_formula="1/(price - price)").imports(Curve()) == Curve()


def test_a_formula_with_other_names_is_refused() -> None:
    with pytest.raises(ExpressionError, match="'spot' is not known"):
        Rules(UTC0, import_formula="spot * 2")


def test_a_fixed_export_stands_as_long_as_the_prices_do() -> None:
    prices = HOURLY.merged(curve(("13:00", "14:00", 1)))
    found = Rules(UTC0, export=0.08).exports(prices)
    assert found is not None
    assert shown(found) == [("10:00", "12:00", 0.08), ("13:00", "14:00", 0.08)]


def test_an_export_formula_takes_the_raw_price() -> None:
    found = Rules(UTC0, charges=1, tax=50, export_formula="price - 0.01").exports(HOURLY)
    assert found is not None
    assert [round(slot.value, 9) for slot in found] == [0.09, -0.03]


def test_what_the_service_says_of_export_stands_unless_there_is_a_rule() -> None:
    given_ = HOURLY.map(lambda slot: slot.value / 2)
    assert Rules(UTC0, tax=20).exports(HOURLY, given_) == given_
    halved = Rules(UTC0, export_formula="price / 2").exports(HOURLY, given_)
    assert halved is not None
    assert halved.slots[0].value == 0.025
    fixed = Rules(UTC0, export=0.0).exports(HOURLY, given_)
    assert fixed is not None
    assert fixed.at(at("21 10:00")) == 0


edges = st.sampled_from(["00:00", "02:00", "02:30", "03:00", "06:10", "13:00", "22:00"])
charges = st.lists(
    st.tuples(
        st.builds(
            WallClock.of,
            st.tuples(edges, edges).filter(lambda each: each[0] != each[1]).map("-".join),
            st.sampled_from([None, "Sat,Sun", "Mon-Fri"]),
        ),
        st.sampled_from([0.1, 0.2, 0.4]),
    ),
    min_size=1,
    max_size=3,
)


@same_each_time
@given(
    st.sampled_from([*zip(ZONES, SHORT, strict=True), *zip(ZONES, LONG, strict=True)]),
    charges,
    st.sampled_from([HOUR, timedelta(minutes=15), timedelta(hours=6)]),
)
def test_on_days_of_23_and_25_hours_each_minute_has_the_charge_of_its_wall_clock(
    day: tuple, drawn: list[tuple[WallClock, float]], step: timedelta
) -> None:
    zone, date = day
    start, end = local_day(date, zone)
    prices = even(start, step, [0.05] * -((start - end) // step)).between(start, end)
    found = Rules(zone, charges=tuple(drawn)).imports(prices)
    sound(found)
    assert found.covers(start, end)
    assert (found.start, found.end) == (start, end)
    moment: datetime = start
    while moment < end:
        wanted = 0.0
        for when, amount in drawn:
            if when.holds(moment.astimezone(zone)):
                wanted = amount
        assert found.at(moment) == 0.05 + wanted
        moment += timedelta(minutes=5)
