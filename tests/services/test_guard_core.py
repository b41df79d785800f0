"""battery_guard decides: playbooks, and what must hold whatever happens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.services.battery_guard.core import HOLD, Inputs, Plan, decide, new_state
from tests.services.play import Play, Stage, plays

PLAYS = list(plays(Path(__file__).parent / "playbooks" / "battery_guard.txt"))


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play[0])
def test_playbook(play: Play) -> None:
    stage = Stage()
    for number, text in play[1]:
        try:
            stage.play(text)
        except AssertionError as error:
            raise AssertionError(f"line {number}: {text}: {error}") from error


def test_every_code_is_played() -> None:
    text = " ".join(line for _, lines in PLAYS for _, line in lines)
    for code in ("idle", "unknown", "off", "sun", "wait", "guard", "budget"):
        assert f"=> {code} " in text


watts = st.floats(-12_000, 12_000).map(round).map(float)
unsure = st.one_of(watts, watts, watts, st.none())
steps = st.lists(
    st.tuples(
        st.floats(0.5, 200),
        unsure,
        unsure,
        st.one_of(unsure),
        st.sampled_from([True] * 9 + [False, None]),
    ),
    min_size=1,
    max_size=60,
)
plans = st.builds(
    Plan,
    control=st.sampled_from(
        ["GridSetpoint", "MaxDischargePower", "BatterySetpoint", "MaxDischargeCurrent"]
    ),
    mode=st.sampled_from(["cover", "hold"]),
    max=st.sampled_from([3000.0, 11_000.0]),
    step=st.sampled_from([50.0, 250.0, 1000.0]),
    interval=st.sampled_from([0.0, 60.0, 300.0]),
    settle=st.sampled_from([0.0, 8.0]),
    writes=st.sampled_from([0, 2, 40]),
    voltage=st.just(50.0),
)


@given(plan=plans, moves=steps)
def test_whatever_happens(plan: Plan, moves: list) -> None:
    if plan.control == "GridSetpoint":
        plan = replace(plan, base=30.0)
    state, now, before = new_state(plan), 0.0, None
    written: list[float] = []
    for seconds, grid, battery, draws, allowed in moves:
        now += seconds
        car = None if draws is None else max(0.0, draws)
        settled = now >= state.changed_at + plan.settle
        found = decide(plan, state, Inputs(grid, battery, car, allowed), now)
        assert len(found.sentence) > 10
        if found.value is not None:
            # Never without a reason that is known now.
            assert None not in (grid, battery, car)
            assert allowed is True
            assert car >= plan.min_power  # type: ignore[operator]
            assert state.demand is not None
            if settled:
                assert state.demand == grid + battery
            assert isinstance(found.value, float)
            within(plan, found.value, state.demand, car)  # type: ignore[arg-type]
            if found.value != before:
                written.append(now)
        before = found.value
        if plan.writes:
            assert sum(each > now - 86400 for each in written) <= plan.writes


def within(plan: Plan, value: float, demand: float, car: float) -> None:
    """Not out of bounds, and never more from the grid than the car's part."""
    uncovered = min(max(demand, 0.0), car if plan.mode == "cover" else 1e9)
    rest = max(demand, 0.0) - uncovered
    assert 0 <= value <= plan.max
    if plan.control == "GridSetpoint":
        assert demand > 0
        assert value - plan.base <= uncovered
    elif plan.control == "MaxDischargePower":
        assert value >= min(rest, plan.max)
    elif plan.control == "MaxDischargeCurrent":
        assert value * 50 >= min(rest, plan.max * 50) - 1e-6
    else:
        assert demand > 0
        assert abs(value - min(rest, plan.max)) <= plan.step


@given(moves=steps, interval=st.sampled_from([10.0, 60.0]))
def test_a_mode_is_no_relay(moves: list, interval: float) -> None:
    plan = Plan(control="BatteryMode", mode="hold", interval=interval, writes=0)
    state, now, ended, held = new_state(plan), 0.0, -1e9, False
    for seconds, grid, battery, car, allowed in moves:
        now += seconds
        found = decide(plan, state, Inputs(grid, battery, car, allowed), now)
        known = None not in (grid, battery, car) and allowed and (car or 0) >= plan.min_power
        if found.value == HOLD:
            assert known
            assert held or now - ended >= interval
        elif held:
            ended = now
        held = found.value == HOLD
