"""The quick allocation equals the grant by grant one, and both keep the rules."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.distributor.allocate import Demand, allocate, allocate_stepwise, micro, missing, share

watts = st.sampled_from([0.0, 0.3, 1.0, 20.0, 120.0, 333.3, 500.0, 1000.0, 1099.5, 1365.0, 3000.0])
shifts = st.sampled_from([0.0, 0.0, 0.1, 1.0, 5.0, 50.0])


@st.composite
def some_demands(draw: st.DrawFn, most: int = 6) -> list[Demand]:
    return [
        Demand(
            f"c{number}",
            draw(watts),
            draw(watts),
            draw(watts),
            draw(st.sampled_from([0.0, 0.0001, 5.0, 35.0, 35.5, 40.0, 100.0])),
            draw(shifts),
            draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, most)))
    ]


powers = st.one_of(st.floats(-3000, 20_000), st.sampled_from([0.0, 1000.0, 1365.0, 4465.0]))
reserves = st.sampled_from([0.0, -500.0, 1.0, 500.0, 3000.0])


@given(some_demands(), powers, reserves, st.data())
@settings(max_examples=400, deadline=None)
def test_quick_equals_stepwise(
    demands: list[Demand], power: float, reservation: float, data: st.DataObject
) -> None:
    start = {d.id: data.draw(st.integers(0, min(d.count, 4))) for d in demands}
    stepwise, grants = allocate_stepwise(power, reservation, demands, start)
    assert allocate(power, reservation, demands, start) == stepwise
    for demand in demands:
        given_anew = sum(grant.power for grant in grants if grant.id == demand.id)
        held = demand.level(start[demand.id]) / 1e6
        assert stepwise[demand.id] == pytest.approx(held + given_anew, abs=1e-6)


@given(some_demands(), powers, reserves)
@settings(max_examples=300, deadline=None)
def test_nothing_is_given_that_is_not_there(
    demands: list[Demand], power: float, reservation: float
) -> None:
    given_out = allocate(power, reservation, demands)
    assert sum(given_out.values()) <= max(0.0, power) + 1e-5
    if any(given_out[d.id] for d in demands if not d.ignores):
        respecting = sum(given_out[d.id] for d in demands if not d.ignores)
        assert respecting <= power - max(0.0, reservation) + 1e-5
    for demand in demands:
        amount = micro(given_out[demand.id])
        assert amount in {0, demand.request} or (
            demand.step and (amount - demand.first) % demand.step == 0
        )
        assert 0 <= amount <= demand.request


@given(some_demands(), powers, reserves, st.data())
@settings(max_examples=300, deadline=None)
def test_starting_from_part_of_the_result_leads_to_the_result(
    demands: list[Demand], power: float, reservation: float, data: st.DataObject
) -> None:
    """What is kept never changes who gets what, unless some ignore a reservation."""
    if reservation > 0:
        demands = [demand for demand in demands if not demand.ignores]
    whole = share(micro(power), micro(reservation), demands)
    part = [data.draw(st.integers(0, count)) for count in whole]
    assert share(micro(power), micro(reservation), demands, part) == whole


@given(some_demands(), powers, st.data())
@settings(max_examples=200, deadline=None)
def test_tops_bound_the_climb(demands: list[Demand], power: float, data: st.DataObject) -> None:
    whole = share(micro(power), 0, demands)
    assert share(micro(power), 0, demands, None, whole) == whole
    tops = [data.draw(st.integers(0, demand.count)) for demand in demands]
    found = share(micro(power), 0, demands, None, tops)
    assert all(count <= top for count, top in zip(found, tops, strict=True))


@given(st.permutations([10.0, 20.0, 30.0, 40.0]), st.floats(0, 5000))
def test_equal_loads_go_by_priority(priorities: list[float], power: float) -> None:
    demands = [Demand(f"c{p}", 1000, priority=p) for p in priorities]
    given_out = allocate(power, 0, demands)
    running = sorted(p for p in priorities if given_out[f"c{p}"])
    assert running == [10.0, 20.0, 30.0, 40.0][: int((power + 1e-6) // 1000)]


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_consumers_with_small_steps_equal_the_stepwise_way(seed: int) -> None:
    dice = random.Random(seed)
    demands = [
        Demand(
            f"c{number}",
            dice.randint(1, 300),
            dice.choice([1, 1, 3, 50, 0]),
            dice.choice([0, 10, 100]),
            dice.randint(0, 60),
            dice.choice([0, 1, 1, 2.5]),
            dice.random() < 0.1,
        )
        for number in range(40)
    ]
    stepwise, _ = allocate_stepwise(4000, 500, demands)
    assert allocate(4000, 500, demands) == stepwise


def test_a_million_tiny_steps_do_not_take_for_ever() -> None:
    demands = [Demand(f"c{n}", 11_000, 1e-5, priority=n, shift=0.001 * n) for n in range(8)]
    given_out = allocate(25_000, 0, demands)
    assert sum(given_out.values()) == pytest.approx(25_000, abs=1e-4)


def test_the_ladder() -> None:
    heater = Demand("heater", 3300, 1000)
    assert [heater.level(n) // 1_000_000 for n in range(6)] == [0, 1000, 2000, 3000, 3300, 3300]
    assert [heater.grants(micro(w)) for w in (999, 1000, 2999, 3000, 3299, 3300, 9000)] == [
        *(0, 1, 2, 3, 3, 4, 4)
    ]
    car = Demand("car", 1365, 250, 1365)
    assert (car.count, car.level(1)) == (1, micro(1365))
    assert Demand("none", 100, 10, 101).count == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1e300, 0.0])
def test_micro_is_always_a_number(value: float) -> None:
    assert abs(micro(value)) <= 10**15


def test_missing_counts_whole_watts() -> None:
    car = Demand("car", 11_000, 250, 1365)
    assert missing(car, 0, micro(85), 0) == 1280
    assert missing(car, 1, micro(85.5), 0) == 165
    assert missing(car, 1, micro(85.5), micro(1000)) == 1165
    assert missing(Demand("free", 11_000, 250, 1365, 100, 0, True), 0, 0, micro(500)) == 1365
