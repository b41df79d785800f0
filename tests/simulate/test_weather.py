"""Sun, load and prices of a run."""

from __future__ import annotations

import math
from random import Random

import pytest

from bridge.simulate.scenario import Flicker, ScenarioError
from bridge.simulate.weather import flicker
from tests.simulate.small import house, weather

CLOUDS = Flicker(levels=[1.2, 0.5, 0.9], dwell_mean_s=7, dwell_min_s=3, smooth_s=4)


def test_flicker_follows_its_segments() -> None:
    dice = Random(5)
    first = CLOUDS.levels[int(dice.random() * 3)]
    end = 3 - math.log(1 - dice.random()) * 7
    second = CLOUDS.levels[int(dice.random() * 3)]
    found = flicker(CLOUDS, 5, 60)
    change = math.ceil(end)
    assert found[:change] == [first] * change
    assert found[change] == pytest.approx(first + (second - first) / 4)
    assert found[change + 1] == pytest.approx(found[change] + (second - found[change]) / 4)


def test_a_longer_run_begins_the_same() -> None:
    assert flicker(CLOUDS, 9, 500)[:50] == flicker(CLOUDS, 9, 50)


def test_the_sun_moves_within_the_minute_and_the_inverter_has_a_limit() -> None:
    made = weather(house(pv_scale=2.0, inverter_max_w=260), pv=[100, 160, 100], load=[300, 500])
    assert made.pv[:2] == pytest.approx([200, 202])
    assert made.pv[59] == 260
    assert made.pv[60 + 55] == pytest.approx(210)
    assert (made.load[59], made.load[60]) == (300, 500)


def test_a_run_may_begin_later_in_the_day() -> None:
    made = weather(house(first_row=2, load_scale=0.5), pv=[0, 0, 60, 120], load=[0, 0, 80, 90])
    assert made.pv[:2] == [60, 61]
    assert made.load[60] == 45


def test_prices() -> None:
    made = weather(house(seconds=61))
    assert (made.import_price, made.export_price) == ([0.3, 0.3], [0.1, 0.1])
    made = weather(house(first_row=3, prices={"from_day_file": True}))
    assert made.import_price == pytest.approx([0.23, 0.24])
    assert made.export_price == pytest.approx([0.02, 0.01])


def test_a_day_that_is_too_short_is_refused() -> None:
    from bridge.simulate.weather import make_weather
    from tests.simulate.small import day, read, rows

    table = rows(house(seconds=60))
    with pytest.raises(ScenarioError, match="beyond the last row"):
        make_weather(read(house(seconds=600)), day(table))
