"""Scenario files, days, bounds and policies that cannot be used are refused in plain sentences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.simulate.bounds import gain_reference
from bridge.simulate.day import read_day
from bridge.simulate.policy import find_policy
from bridge.simulate.runner import scenario_files
from bridge.simulate.scenario import ScenarioError, read_scenario
from tests.simulate.small import BATTERY, consumer, house

if TYPE_CHECKING:
    from pathlib import Path


def refused(folder: Path, raw: dict[str, Any]) -> str:
    file = folder / "one.json"
    file.write_text(json.dumps(raw))
    with pytest.raises(ScenarioError) as caught:
        read_scenario(file)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "other/1"}, "'format' is 'other/1', not 'heliograph-scenario/1'"),
        ({"duration_s": 0}, "'duration_s' must be at least 1"),
        ({"seed": "x"}, "Expected `int`, got `str` - at `$.seed`"),
        ({"meter": {"lag_s": 0, "period_s": 1, "noise_w": 0}}, "lag_s and period_s from 1"),
        ({"prices": {}}, "'prices' needs 'from_day_file'"),
        ({"consumers": [consumer(), consumer()]}, "two consumers are called 'heater'"),
        ({"consumers": [consumer(min_w=0)]}, "consumer 'heater': 'min_w' must be above 0"),
        ({"consumers": [consumer(response_lag_s=-1)]}, "'response_lag_s' must be at least 0"),
        ({"consumers": [consumer(phases=[2])]}, "'phases' must be [1] or [1, 3]"),
        ({"consumers": [consumer(min_on_s=-1)]}, "times, ramp, need and draw factor"),
        ({"battery": BATTERY | {"eta_charge": 0}}, "'battery' needs efficiencies"),
        ({"battery": BATTERY | {"soc_min": 95}}, "'soc_min' at most 'soc_max'"),
        ({"battery": BATTERY | {"reservation_curve": []}}, "'reservation_curve' must rise"),
        (
            {"pv_flicker": {"levels": [], "dwell_mean_s": 1, "dwell_min_s": 5, "smooth_s": 1}},
            "'pv_flicker' needs a level",
        ),
    ],
)
def test_what_no_house_can_be(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(tmp_path, house(**changes))


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    raw = house(consumer(min_w=0), duration_s=0, prices={})
    assert len(refused(tmp_path, raw).splitlines()) == 3


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nothing\.json cannot be read: No such file"):
        read_scenario(tmp_path / "nothing.json")
    (tmp_path / "text.json").write_text("{")
    with pytest.raises(ScenarioError, match=r"text\.json is no scenario"):
        read_scenario(tmp_path / "text.json")
    with pytest.raises(ScenarioError, match="there is no scenario to play"):
        scenario_files([tmp_path / "bounds.json"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pv_w\n1\n", "needs rows with the columns pv_w and load_w"),
        ("pv_w,load_w\n", "needs rows"),
        ("pv_w,load_w\n1,2\n3,\n", r"day\.csv:3: load_w is '', not a number"),
        ("pv_w,load_w\n1,nan\n", "load_w is 'nan', not a number"),
    ],
)
def test_days_that_are_none(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "day.csv").write_text(text)
    with pytest.raises(ScenarioError, match=sentence):
        read_day(tmp_path / "day.csv")


def test_bounds_are_looked_up_beside_the_scenario(tmp_path: Path) -> None:
    assert gain_reference(tmp_path / "a.json", "a") is None
    bounds = tmp_path / "bounds.json"
    bounds.write_text('{"a": {"gain_reference": 2.5}, "b": {"gain_reference": 0}}')
    assert gain_reference(tmp_path / "a.json", "a") == 2.5
    assert gain_reference(tmp_path / "b.json", "b") is None
    bounds.write_text("[]")
    with pytest.raises(ScenarioError, match=r"bounds\.json cannot be used"):
        gain_reference(tmp_path / "a.json", "a")


def test_a_policy_that_is_none() -> None:
    with pytest.raises(ScenarioError, match="no policy 'magic'; there are do_nothing, es_"):
        find_policy("magic")
