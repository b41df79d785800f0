"""The bound: by hand where a hand can do it, and above every plan that is played."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bridge.simulate.clairvoyant.bound import upper_bound
from bridge.simulate.clairvoyant.market import Offer, sources, trade, uses
from bridge.simulate.clairvoyant.moments import moments
from tests.simulate.small import BATTERY, charger, consumer, follow, house, read, run, weather

_TIGHT = 0.02


def bound(raw: dict[str, Any], rounds: int = 60, **outside: Any) -> float:
    found = upper_bound(read(raw), weather(raw, **outside), rounds)
    assert found is not None
    return found


def gain(raw: dict[str, Any], plan: dict[int, dict[str, float]], **outside: Any) -> float:
    _, metrics = run(raw, follow(plan), **outside)
    value: float = metrics["net_value"] - metrics["net_value_do_nothing"]
    return value


def test_a_steady_sun_is_worth_what_it_brings_more_than_feed_in() -> None:
    """3 kW for an hour at 0.25 instead of 0.10."""
    raw = house(consumer(start_cost=0), seconds=3600)
    assert bound(raw, pv=3500) == pytest.approx(3 * 0.15, rel=_TIGHT)
    assert bound(raw, pv=3500) >= gain(raw, {0: {"heater": 3000}}, pv=3500)


def test_a_need_ends_it() -> None:
    raw = house(consumer(need_wh=1000), seconds=3600)
    assert bound(raw, pv=4000) == pytest.approx(1 * 0.15, rel=_TIGHT)


def test_below_its_minimum_it_imports_or_stays_off() -> None:
    """600 W of sun: 1 kW costs 0.6 x 0.1 + 0.4 x 0.3 = 0.18 and brings 0.25."""
    raw = house(consumer(max_w=1000, step_w=0), seconds=3600)
    assert bound(raw, pv=1100) == pytest.approx(0.07, abs=0.006)
    assert bound(raw, pv=600) == pytest.approx(0.0, abs=0.001)


def test_nobody_can_be_served_outside_his_hours() -> None:
    raw = house(consumer(window_start_s=1800), seconds=3600)
    assert bound(raw, pv=3500) == pytest.approx(1.5 * 0.15, rel=_TIGHT)


def test_the_dearest_need_is_met_first() -> None:
    raw = house(consumer("a", value_per_kwh=0.2), consumer("b", value_per_kwh=0.25), seconds=3600)
    assert bound(raw, pv=3500) == pytest.approx(3 * 0.15, rel=_TIGHT)


def test_a_grid_that_pays_more_than_it_asks_has_no_bound() -> None:
    prices = {"import_per_kwh": 0.1, "export_per_kwh": 0.1}
    raw = house(consumer(), prices=prices)
    assert upper_bound(read(raw), weather(raw)) is None


@pytest.mark.parametrize("seed", range(9))
def test_no_plan_beats_it(seed: int) -> None:
    draw = random.Random(seed)
    flicker = {"levels": [1.0, 0.2, 0.6], "dwell_mean_s": 40, "dwell_min_s": 5, "smooth_s": 4}
    names = ["heater", "ev", "rod"]
    raw = house(
        consumer("heater", need_wh=draw.uniform(100, 2000)),
        charger(need_wh=draw.uniform(500, 4000)),
        consumer("rod", min_w=300, max_w=900, step_w=100, draw_factor=0.9, value_per_kwh=0.2),
        seconds=1800,
        pv_flicker=flicker,
        battery=draw.choice([None, BATTERY]),
        prices={"from_day_file": True} if seed % 3 == 0 else house()["prices"],
    )
    plan = {
        second: {name: draw.choice([0.0, 500.0, 1500.0, 4000.0]) for name in names}
        for second in range(0, 1800, draw.choice([30, 120, 600]))
    }
    outside = {"pv": [draw.uniform(0, 9000) for _ in range(31)]}
    assert gain(raw, plan, **outside) <= bound(raw, 8, **outside)


def test_the_cheapest_serves_the_dearest() -> None:
    """2 kW of sun for 500 W of load, then 1 kW at 0.2; what is left is sold."""
    second = trade(
        1500.0,
        sources(1500.0, 0.3, None, 0.0),
        [Offer(0.2, 0.2, 1000, 0.0, 0), *uses(0.1, None, 0)],
        1,
    )
    assert second.worth == pytest.approx(1000 * 0.2 + 500 * 0.1)
    assert second.drawn == [1000]
    lacking = trade(-700.0, sources(-700.0, 0.3, None, 0.0), uses(0.1, None, 0), 0)
    assert lacking.worth == pytest.approx(-700 * 0.3)


def test_equal_seconds_are_counted() -> None:
    raw = house(consumer(), seconds=90)
    found = moments(read(raw), weather(raw))
    assert list(found.values()) == [90]
