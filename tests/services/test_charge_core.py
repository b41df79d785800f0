"""charge_current decides: a fixed limit, an expression, and what must hold whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.services.charge_current.actor import Settings
from actors.services.charge_current.core import Inputs, Plan, decide, new_pace
from bridge.expression import compile_expression


def plan_of(limit: str | float, **more: object) -> Plan:
    return Settings(battery="ess", limit=limit, **more).plan  # type: ignore[arg-type]


def test_a_fixed_limit_needs_no_state_of_charge() -> None:
    plan = plan_of(40)
    found = decide(plan, new_pace(plan), Inputs(None, why="ess is offline"), 0)
    assert (found.value, found.code) == (40, "limit")


@pytest.mark.parametrize(
    ("soc", "amps"), [(0.0, 100), (50.0, 100), (80.0, 60), (90.0, 20), (100.0, 10)]
)
def test_a_limit_follows_the_state_of_charge(soc: float, amps: float) -> None:
    plan = plan_of("100 if SOC < 75 else 380 - 4*SOC", min=10, max=100)
    assert decide(plan, new_pace(plan), Inputs(soc), 0).value == amps


def test_unknown_gives_back_at_once_and_it_comes_back_after_a_pause() -> None:
    plan = plan_of("100 - SOC", writes=0)
    pace = new_pace(plan)
    assert decide(plan, pace, Inputs(50.0), 0).value == 50
    found = decide(plan, pace, Inputs(None, why="ess is silent for 301 s"), 1)
    assert (found.value, found.code, found.sentence) == (
        *(None, "unknown"),
        "ess is silent for 301 s",
    )
    assert decide(plan, pace, Inputs(50.0), 2).code == "wait"
    assert decide(plan, pace, Inputs(50.0), 301).value == 50
    assert decide(plan, pace, Inputs(50.0, allowed=False), 302).code == "off"
    assert decide(plan, pace, Inputs(50.0, allowed=None), 303).code == "unknown"


def test_what_cannot_be_computed_gives_back() -> None:
    plan = plan_of("100 / (SOC - 50)")
    pace = new_pace(plan)
    assert decide(plan, pace, Inputs(51.0), 0).value == 100
    found = decide(plan, pace, Inputs(50.0), 1)
    assert (found.value, found.code) == (None, "unknown")
    assert "divides by zero at SOC 50" in found.sentence


@given(
    text=st.sampled_from(["200 - 2*SOC", "SOC*SOC", "-5", "7.3"]),
    writes=st.sampled_from([0, 3]),
    moves=st.lists(
        st.tuples(st.floats(0.5, 2000), st.one_of(st.none(), st.floats(0, 100))), max_size=60
    ),
)
def test_whatever_happens(text: str, writes: int, moves: list) -> None:
    plan = Plan(
        limit=compile_expression(text),
        min=5.0,
        max=63.0,
        step=2.0,
        interval=300.0,
        writes=writes,
    )
    pace, now, before, changes = new_pace(plan), 0.0, None, [-1e9]
    for seconds, soc in moves:
        now += seconds
        value = decide(plan, pace, Inputs(soc), now).value
        if value is not None:
            assert 5 <= value <= 63
            assert soc is not None or not plan.limit.names  # type: ignore[union-attr]
            if value != before:
                assert now - changes[-1] >= 300
                changes.append(now)
        before = value
    if writes:
        assert len([each for each in changes if each > now - 86400]) <= writes


def test_settings_that_do_not_fit_are_refused() -> None:
    bad = Settings(battery="ess", limit="SOC +", min=300, max=200)
    fields = [field for field, _ in bad.check()]
    assert fields == ["limit", "min"]
    assert [f for f, _ in Settings(battery="ess", limit=300).check()] == ["limit"]
    fine = Settings(battery="ess", limit=3000, control="MaxChargePower", max=5000)
    assert list(fine.check()) == []
