"""Import and export side by side; power over planes and as energy."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.curve import Curve
from bridge.curve.power import added, energy
from bridge.curve.prices import PricePoint, joined
from tests.curve.strategies import BEGIN, HOUR, at, curve, curves, same_each_time, shown, sound

MINUTES = [BEGIN + timedelta(minutes=n) for n in range(-30, 1600, 5)]


def test_both_prices_are_cut_at_the_borders_of_either() -> None:
    imports = curve(("10:00", "11:00", 0.3), ("11:00", "12:00", 0.4))
    exports = curve(("10:30", "11:00", 0.1), ("13:00", "14:00", 0.2))
    assert joined(imports, exports) == [
        PricePoint(at("21 10:00"), at("21 10:30"), 0.3, None),
        PricePoint(at("21 10:30"), at("21 11:00"), 0.3, 0.1),
        PricePoint(at("21 11:00"), at("21 12:00"), 0.4, None),
        PricePoint(at("21 13:00"), at("21 14:00"), None, 0.2),
    ]
    assert joined(Curve(), None) == []


@same_each_time
@given(curves(), st.one_of(st.none(), curves()))
def test_joined_says_what_both_say(imports: Curve, exports: Curve | None) -> None:
    points = joined(imports, exports)
    for before, after in itertools.pairwise(points):
        assert before.end <= after.start
    for moment in MINUTES:
        both = [(p.imports, p.exports) for p in points if p.start <= moment < p.end]
        wanted = (imports.at(moment), None if exports is None else exports.at(moment))
        assert both == ([] if wanted == (None, None) else [wanted])


def test_planes_are_added_where_all_are_known() -> None:
    south = curve(("10:00", "11:00", 1000), ("11:00", "12:00", 2000))
    east = curve(("10:30", "11:00", 500), ("11:00", "11:30", 400))
    both = added([south, east])
    assert shown(both) == [("10:30", "11:00", 1500), ("11:00", "11:30", 2400)]
    assert added([]) == Curve()
    assert added([south]) == south


@same_each_time
@given(st.lists(curves(), min_size=1, max_size=3))
def test_added_is_the_sum_at_every_moment(planes: list[Curve]) -> None:
    total = added(planes)
    sound(total)
    for moment in MINUTES:
        values = [plane.at(moment) for plane in planes]
        if None in values:
            assert total.at(moment) is None
        else:
            assert total.at(moment) == sum(values)  # type: ignore[arg-type]


def test_energy_in_kwh() -> None:
    power = curve(("10:00", "11:00", 1000), ("11:00", "11:30", 3000))
    assert energy(power, at("21 10:00"), at("21 11:30")) == 2.5
    assert energy(power, at("21 10:45"), at("21 11:10")) == pytest.approx(0.25 + 0.5)
    assert energy(power, at("21 10:00"), at("21 12:00")) is None
    assert energy(power, at("21 10:00"), at("21 10:00")) == 0
    assert energy(Curve(), at("21 10:00"), at("21 11:00")) is None
    assert timedelta(hours=1) == HOUR
