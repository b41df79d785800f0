"""The made scenarios: the same from the same number, in the format, and playable."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bridge.simulate.case import read_case
from bridge.simulate.clairvoyant.bound import upper_bound
from bridge.simulate.made.houses import ARCHETYPES, make
from bridge.simulate.made.write import write_set
from bridge.simulate.runner import Job, run_job
from bridge.simulate.scenario import complaints
from bridge.simulate.weather import make_weather

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ARCHETYPES)
def test_a_number_is_a_day(name: str) -> None:
    first, again, other = make(name, 3), make(name, 3), make(name, 4)
    assert first == again
    assert first[0] != other[0]
    assert first[1].pv_w != other[1].pv_w
    scenario, day = first
    assert list(complaints(scenario)) == []
    weather = make_weather(scenario, day)
    sun, load = (sum(one) / 3.6e6 for one in (weather.pv, weather.load))
    assert 0.3 < sun < 90
    assert 1.5 < load < 25
    assert max(weather.pv) <= scenario.inverter_max_w


def test_archetypes_differ_in_sun() -> None:
    def sun(name: str) -> float:
        return sum(sum(make(name, seed)[1].pv_w) for seed in range(3))

    assert sun("blue") > sun("clouds") > sun("grey")


@pytest.mark.parametrize("name", ARCHETYPES)
def test_values_are_spread_alike_over_even_and_odd_numbers(name: str) -> None:
    """Were they not, one of the two would be easier."""
    classes = [make(name, number)[0].values for number in range(6)]
    assert classes[0::2] == classes[1::2]
    assert sorted(classes[0::2]) == ["even", "mixed", "sun_only"]
    for number, values in enumerate(classes):
        worth = [one.value_per_kwh for one in make(name, number)[0].consumers]
        least, most = {"even": (0.24, 0.24), "mixed": (0.12, 0.24), "sun_only": (0.12, 0.16)}[
            values
        ]
        assert (min(worth), max(worth)) == (least, most)


def test_a_set_is_written_with_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.simulate.made.write.ARCHETYPES", ["many_loads"])
    quick = partial(upper_bound, rounds=5)
    monkeypatch.setattr("bridge.simulate.made.write.upper_bound", quick)
    assert list(write_set(tmp_path, [1])) == ["many_loads-01"]
    case = read_case(tmp_path / "many_loads-01.json")
    made = make("many_loads", 1)
    assert case.scenario == made[0]
    assert case.day.pv_w == made[1].pv_w
    bounds = json.loads((tmp_path / "bounds.json").read_text())
    assert case.bound == bounds["many_loads-01"]["gain_upper"] > 0.3
    played = run_job(Job(tmp_path / "many_loads-01.json", ("do_nothing",)))
    assert played.results[0]["metrics"]["capture"] == 0
