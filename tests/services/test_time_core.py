"""How long a battery lasts: by hand, and whatever comes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.services.time_to_go.core import Decision, Inputs, Plan, State, decide

CALM = Plan(smoothing=0, idle=20)


def once(power: float, soc: float, limit: float = 0.0, size: float = 10_000) -> Decision:
    return decide(CALM, State(), Inputs(power, soc, size, limit), 0)


@pytest.mark.parametrize(
    ("power", "soc", "limit", "to_go", "to_full", "code"),
    [
        (1000, 50, 0, 5 * 3600, None, "discharging"),
        (1000, 50, 20, 3 * 3600, None, "discharging"),
        (2500, 100, 10, 3.6 * 3600, None, "discharging"),
        (-2000, 50, 20, None, 2.5 * 3600, "charging"),
        (-2000, 100, 20, None, 0.0, "charging"),
        (500, 20, 20, 0.0, None, "empty"),
        (500, 15, 20, 0.0, None, "empty"),
        (19, 50, 0, None, None, "idle"),
        (0, 50, 0, None, None, "idle"),
        (-19, 50, 0, None, None, "idle"),
        (20, 50, 0, None, None, "long"),
        (-20, 50, 0, None, None, "long"),
    ],
)
def test_by_hand(
    power: float,
    soc: float,
    limit: float,
    to_go: float | None,
    to_full: float | None,
    code: str,
) -> None:
    found: Decision = once(power, soc, limit)
    assert found.code == code
    assert found.to_go == pytest.approx(to_go)
    assert found.to_full == pytest.approx(to_full)


def test_ten_kwh_at_twenty_watts_is_more_than_ten_days() -> None:
    assert once(20, 50, size=9000).code == "discharging"
    assert once(20, 50, size=9700).code == "long"


def test_the_words() -> None:
    assert once(1000, 50).sentence == "lasts 5 h 00 min until it is empty at 1000 W"
    assert once(1000, 51, 50).sentence == "lasts 6 min down to 50 % at 1000 W"
    assert once(-2500, 75).sentence == "full in 1 h 00 min at 2500 W"


def test_a_kettle_moves_it_slowly() -> None:
    plan, state = Plan(smoothing=60), State()
    inputs = Inputs(1000, 50, 10_000)
    assert decide(plan, state, inputs, 0).to_go == pytest.approx(18_000)
    kettle = Inputs(3000, 50, 10_000)
    for now in range(1, 61):
        decide(plan, state, kettle, now)
    assert state.power == pytest.approx(3000 - 2000 / math.e)
    # However often it is looked at.
    other = State(1000, 0)
    decide(plan, other, kettle, 60)
    assert other.power == pytest.approx(state.power)


def test_a_turn_and_a_gap_begin_anew() -> None:
    plan, state = Plan(smoothing=60), State()
    decide(plan, state, Inputs(2000, 50, 10_000), 0)
    assert decide(plan, state, Inputs(-1000, 50, 10_000), 1).to_full == pytest.approx(18_000)
    gone = decide(plan, state, Inputs(None, 50, 10_000, why="ess is offline"), 2)
    assert (gone.to_go, gone.to_full, gone.sentence) == (None, None, "ess is offline")
    assert decide(plan, state, Inputs(-4000, 50, 10_000), 3).to_full == pytest.approx(4500)


def test_noise_around_nothing_is_rest() -> None:
    plan, state = Plan(smoothing=60), State()
    for now, power in enumerate([5, -5, 8, -3, 0, 12, -11]):
        assert decide(plan, state, Inputs(power, 50, 10_000), now).code == "idle"


@pytest.mark.parametrize("missing", ["power", "soc", "capacity"])
def test_anything_unknown_is_unknown(missing: str) -> None:
    given_: dict[str, float | None] = {"power": 1000.0, "soc": 50.0, "capacity": 10_000.0}
    found = decide(CALM, State(), Inputs(**(given_ | {missing: None})), 0)  # type: ignore[arg-type]
    assert (found.to_go, found.to_full, found.code) == (None, None, "unknown")


numbers = st.one_of(st.none(), st.floats(-50_000, 50_000))
steps = st.lists(
    st.tuples(numbers, st.one_of(st.none(), st.floats(0, 100)), st.floats(0, 600)), max_size=30
)


@given(steps, st.floats(0, 600), st.floats(0, 99))
def test_whatever_comes(
    found: list[tuple[float | None, float | None, float]], smoothing: float, limit: float
) -> None:
    plan, state, now = Plan(smoothing=smoothing), State(), 0.0
    for power, soc, gone in found:
        now += gone
        decision = decide(plan, state, Inputs(power, soc, 8000, limit), now)
        known = [each for each in (decision.to_go, decision.to_full) if each is not None]
        assert len(known) <= 1
        assert all(0 <= each <= 864_000 for each in known)
        if power is None or soc is None:
            assert decision.code == "unknown"
        elif decision.to_go is not None:
            assert power > -plan.idle  # never a time to empty while it clearly charges
