"""The checker: it agrees with the simulation on anything, and sees whatever is not as it was."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bridge.simulate.checker.check import Check
from bridge.simulate.house import idle, play
from bridge.simulate.metrics import measure
from bridge.simulate.policy import find_policy
from bridge.simulate.runner import result
from bridge.simulate.trace import trace_lines
from bridge.simulate.weather import make_weather
from tests.simulate.small import BATTERY, charger, consumer, day, follow, house, read, rows, run

if TYPE_CHECKING:
    from collections.abc import Callable

POLICIES = ("heliograph", "es_ess", "es_ess_locks", "do_nothing")


def any_consumer(dice: Random, name: str) -> dict[str, Any]:
    """Anything that a consumer can be."""
    least = dice.choice([85, 300, 1000, 1380])
    changes: dict[str, Any] = {
        "id": name,
        "min_w": least,
        "max_w": least * dice.choice([1, 3, 6, 9]),
        "step_w": dice.choice([0, 50, 230, 0.7]),
        "need_wh": dice.choice([20, 150, 5000]),
        "min_on_s": dice.choice([0, 30, 200]),
        "min_off_s": dice.choice([0, 20, 150]),
        "window_start_s": dice.choice([0, 0, 130]),
        "window_end_s": dice.choice([1_000_000, 500]),
        "response_lag_s": dice.choice([0, 1, 8, 20]),
        "ramp_w_per_s": dice.choice([0, 0, 100, 330.3]),
        "report_period_s": dice.choice([1, 2, 5, 10]),
        "draw_factor": dice.choice([1.0, 0.93]),
        "enforces_locks": dice.random() < 0.5,
    }
    return charger(**changes) if dice.random() < 0.4 else consumer(**changes)


def any_house(dice: Random) -> dict[str, Any]:
    """Any house under moving clouds, for ten minutes."""
    battery = BATTERY | {"capacity_wh": dice.choice([30, 1000])}
    flicker = {"levels": [1.2, 0.3, 0.8], "dwell_mean_s": 20, "dwell_min_s": 5, "smooth_s": 3}
    return house(
        *(any_consumer(dice, name) for name in "abcd"[: dice.randint(1, 4)]),
        seconds=600,
        seed=dice.randrange(10_000),
        pv_flicker=flicker,
        meter={"lag_s": dice.randint(1, 3), "period_s": dice.choice([1, 2, 5]), "noise_w": 15},
        battery=dice.choice([None, battery]),
        prices=dice.choice([{"from_day_file": True}, house()["prices"]]),
    )


def any_plan(dice: Random, names: list[str]) -> dict[int, dict[str, float]]:
    """Allowances at random, of which many only just change."""
    return {
        second: {name: dice.choice([0, 900, 1380, 3000, 4200, 9000]) for name in names}
        for second in sorted(dice.sample(range(600), 60))
    }


@pytest.mark.parametrize("seed", range(60))
def test_any_allowances(seed: int) -> None:
    dice = Random(seed)
    raw = any_house(dice)
    plan = any_plan(dice, [spec["id"] for spec in raw["consumers"]])
    run(raw, follow(plan), pv=[3000, 6000, 1000, 9000], load=[200, 900])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(100, 106))
def test_any_house_under_our_policies(policy: str, seed: int) -> None:
    raw = any_house(Random(seed))
    run(raw, find_policy(policy), pv=[3000, 6000, 1000, 9000], load=[200, 900])


def test_scenarios_of_others() -> None:
    """The first of each archetype in a folder named by the environment, as quickly as it goes."""
    folder = os.environ.get("HELIOGRAPH_SCENARIOS")
    if not folder:
        pytest.skip("HELIOGRAPH_SCENARIOS names no folder with scenarios")
    import csv

    for file in sorted(Path(folder).glob("*-00.json")):
        raw = json.loads(file.read_text(encoding="utf-8"))
        raw["duration_s"] = min(raw["duration_s"], 6000)
        with (file.parent / raw["day_csv"]).open(newline="", encoding="utf-8") as text:
            table = list(csv.DictReader(text))
        made = make_weather(read(raw), day(table))
        record = play(read(raw), made, find_policy("es_ess"))
        told = result(record, "es_ess", measure(record, idle(read(raw), made), None))
        assert Check(raw, table, trace_lines(record)).findings(told) == [], file.name


def checked(raw: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """What the checker finds when it reads the file that `told` says."""
    table = rows(raw, pv=[3000, 6000, 1000, 9000])
    made = make_weather(read(raw), day(table))
    plan = {1: {"heater": 1600, "ev": 1100}, 60: {"ev": 6000}, 200: {"heater": 3000, "ev": 0}}
    names = {spec["id"] for spec in raw["consumers"]}
    sent = {at: {k: v for k, v in one.items() if k in names} for at, one in plan.items()}
    record = play(read(raw), made, follow(sent))
    metrics = result(record, "test", measure(record, idle(read(raw), made), None))
    return Check(told, table, trace_lines(record)).findings(metrics)


def test_a_file_that_says_everything() -> None:
    """As `tools/make_scenarios.py` writes it: no phases are an empty list."""
    raw = house(consumer(), charger(), seconds=300)
    told = json.loads(msgspec.json.encode(read(raw)))
    assert told["consumers"][0]["phases"] == []
    assert checked(raw, told) == []


def test_a_file_that_leaves_out_what_it_may() -> None:
    needed = ("id", "kind", "priority", "min_w", "max_w", "step_w", "need_wh", "value_per_kwh")
    spec = {name: consumer()[name] for name in (*needed, "start_cost")}
    raw = house(spec, seconds=300)
    told = {name: value for name, value in raw.items() if name not in {"battery", "first_row"}}
    assert checked(raw, told) == []


# --------------------------------------------------------------------------------- what it must see


def played() -> tuple[dict[str, Any], list[dict[str, str]], list[dict[str, Any]], dict[str, Any]]:
    raw = house(consumer(min_on_s=60, enforces_locks=True), battery=BATTERY)
    table = rows(raw)
    made = make_weather(read(raw), day(table))
    record = play(read(raw), made, follow({5: {"heater": 2000}, 50: {"heater": 0}}))
    told = result(record, "test", measure(record, idle(read(raw), made), None))
    return raw, table, [json.loads(line) for line in trace_lines(record)], told


def at(trace: list[dict[str, Any]], second: int) -> dict[str, Any]:
    return next(entry for entry in trace if entry.get("t") == second)


def more_sun(trace: list[dict[str, Any]]) -> None:
    trace[1]["pv_w"] += 0.2


def an_allowance_later(trace: list[dict[str, Any]]) -> None:
    at(trace, 6)["allow_w"] = at(trace, 5).pop("allow_w")


def a_start_too_early(trace: list[dict[str, Any]]) -> None:
    at(trace, 5)["draw_w"] = at(trace, 6).pop("draw_w")


def a_stop_too_early(trace: list[dict[str, Any]]) -> None:
    at(trace, 60)["draw_w"] = {"heater": 0}


def a_stranger(trace: list[dict[str, Any]]) -> None:
    at(trace, 60)["draw_w"] = {"ghost": 5}


def a_better_battery(trace: list[dict[str, Any]]) -> None:
    at(trace, 30)["soc_percent"] += 0.01


def less_import(trace: list[dict[str, Any]]) -> None:
    at(trace, 6)["grid_w"] -= 1


def another_scenario(trace: list[dict[str, Any]]) -> None:
    trace[0]["scenario"] = "other"


def out_of_order(trace: list[dict[str, Any]]) -> None:
    trace.append(trace[3])


@pytest.mark.parametrize(
    "lie",
    [
        more_sun,
        an_allowance_later,
        a_start_too_early,
        a_stop_too_early,
        a_stranger,
        a_better_battery,
        less_import,
        another_scenario,
        out_of_order,
    ],
)
def test_a_false_trace_is_found(lie: Callable[[list[dict[str, Any]]], None]) -> None:
    raw, table, trace, _ = played()
    assert Check(raw, table, map(json.dumps, trace)).findings() == []
    lie(trace)
    assert Check(raw, table, map(json.dumps, trace)).findings() != []


@pytest.mark.parametrize(
    ("metric", "change"),
    [
        ("net_value", 0.01),
        ("import_kwh", 0.01),
        ("starts", 1),
        ("switches", 1),
        ("setpoint_writes", 1),
        ("lock_violation_min", 1),
        ("double_grant_max_w", 5),
        ("above_allowance_min", 0.1),
        ("soc_end", 0.1),
    ],
)
def test_a_false_result_is_found(metric: str, change: float) -> None:
    raw, table, trace, told = played()
    check = Check(raw, table, map(json.dumps, trace))
    assert check.findings(told) == []
    false = copy.deepcopy(told)
    false["metrics"][metric] += change
    assert len(check.findings(false)) == 1
