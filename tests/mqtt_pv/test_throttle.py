"""Zero feed-in: by hand, and several inverters in a house that moves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.devices.mqtt_pv.core import Decision, Inputs, Plan, State, decide, percent

PLAN = Plan(rated=1500, distance=50, soc=98, step=0.1, interval=10)


def held(limit: float) -> State:
    return State(limit=limit, target=limit, changed_at=0)


def look(
    state: State,
    now: float,
    *,
    grid: float | None = 0.0,
    battery: float | None = 0.0,
    pv: float | None = 1000.0,
    own: float | None = 1000.0,
    soc: float | None = 100.0,
    why: str | None = None,
) -> Decision:
    return decide(PLAN, state, Inputs(grid, battery, pv, own, soc, why), now)


def test_what_flows_out_is_taken_away_at_once() -> None:
    assert look(State(), 0, grid=-400).limit == 550  # 1000 - 400 - 50
    assert look(State(), 0, grid=-400, pv=2000).limit == 775  # half of it is another's


def test_it_rises_by_a_step_and_waits_between() -> None:
    state = held(500)
    assert look(state, 5, grid=1000, own=500, pv=500).limit == 500
    assert look(state, 10, grid=1000, own=500, pv=500).limit == 650
    assert look(state, 19, grid=1000, own=500, pv=500).limit == 650
    assert look(state, 20, grid=-300, own=650, pv=650).limit == 300


def test_what_the_battery_delivers_could_be_produced() -> None:
    state = held(500)
    assert look(state, 10, grid=50, battery=100, own=500, pv=500).limit == 600
    # What it takes does not count: it is full.
    assert look(State(), 0, grid=50, battery=-300).limit == 1000


def test_below_the_soc_the_battery_takes_it() -> None:
    state = State()
    assert look(state, 0, soc=97.9).code == "free"
    assert look(state, 1, soc=98).code == "throttle"
    assert look(state, 2, soc=96.5).code == "throttle"
    assert look(state, 3, soc=95.9).limit is None
    assert look(state, 4, soc=97).code == "free"


@pytest.mark.parametrize("missing", ["grid", "battery", "pv", "own", "soc"])
def test_unknown_lets_go(missing: str) -> None:
    state = held(500)
    found = look(state, 1, why="the grid meter is silent", **{missing: None})
    assert (found.limit, found.code) == (None, "unknown")
    assert found.sentence == "the grid meter is silent"
    assert state.limit is None


def test_small_changes_wait_until_they_add_up() -> None:
    state = held(1000)
    assert look(state, 10, grid=60).limit == 1000
    assert look(state, 20, grid=70).limit == 1030


def test_at_night_and_from_nothing() -> None:
    assert look(State(), 0, grid=300, pv=0, own=0).limit == 250
    assert look(State(), 0, grid=-300, pv=0, own=0).limit == 0
    # Nobody knows whose share a house without production has: from there it goes up in steps.
    state = held(0)
    assert look(state, 10, grid=3000, pv=0, own=0).limit == 150


def test_percent() -> None:
    assert percent(None, 1500) == 100
    assert percent(0, 1500) == 0
    assert percent(500, 1500) == 33.3
    assert percent(9000, 1500) == 100


class House:
    """Inverters of some size under one sun, a load, and a meter that sees the last second."""

    def __init__(self, sizes: list[float], other: float = 0.0) -> None:
        self.plans = [Plan(rated=size, distance=50, interval=10) for size in sizes]
        self.states = [State() for _ in sizes]
        self.other = other  # PV that nobody throttles
        self.outputs = [0.0 for _ in sizes]
        self.grid = 0.0

    def second(self, now: float, sun: float, load: float) -> None:
        pv = sum(self.outputs) + self.other
        limits = [
            decide(plan, state, Inputs(self.grid, 0.0, pv, own, 100.0), now).limit
            for plan, state, own in zip(self.plans, self.states, self.outputs, strict=True)
        ]
        self.outputs = [
            min(sun * plan.rated, plan.rated if limit is None else limit)
            for plan, limit in zip(self.plans, limits, strict=True)
        ]
        self.grid = load - sum(self.outputs) - self.other


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(300, 5000), min_size=1, max_size=5),
    st.floats(0.2, 1.0),
    st.floats(200, 6000),
    st.floats(0, 1500),
)
def test_several_find_the_load_without_knowing_of_each_other(
    sizes: list[float], sun: float, load: float, other: float
) -> None:
    house = House(sizes, other=min(other, load - 100))
    for second in range(0, 4000, 10):
        house.second(second, sun, load)
    possible = sum(sizes) * sun + house.other
    fine = 0.02 * sum(sizes) + 1
    expected = max(load - possible, 50)
    assert house.grid == pytest.approx(expected, abs=fine)
    for plan, state in zip(house.plans, house.states, strict=True):
        assert state.limit is not None
        assert 0 <= state.limit <= plan.rated


def test_a_load_that_falls_feeds_in_for_one_interval_at_most() -> None:
    house = House([1500, 800, 600])
    for second in range(300):
        house.second(second, 1.0, 2500)
    fed = 0
    for second in range(300, 360):
        house.second(second, 1.0, 800)
        fed += house.grid < -5
    assert 0 < fed <= 11
    assert math.isclose(house.grid, 50, abs_tol=30)
