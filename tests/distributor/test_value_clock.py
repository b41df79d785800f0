"""Deciding by value when time is odd: a late or frozen meter, a clock that leaps or goes back."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.distributor.core import Balance, CoreSettings, Distributor
from actors.distributor.value.money import Storage

STORAGE = Storage(max_charge=5000, max_discharge=5000, tiers=[(60.0, 0.28), (100.0, 0.1)])
CAR: dict[str, Any] = {
    "IsAutomatic": True,
    "Request": 3680.0,
    "Minimum": 1380.0,
    "StepSize": 230.0,
    "Consumption": 0.0,
}

moments = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 6.0, 200.0, -3.0, -500.0, 1e7, -1e7]),
        st.sampled_from(["meter", "ask", "report", "ghost", "pause", "prices", "nothing"]),
        st.sampled_from([-9000.0, -1500.0, 0.0, 4000.0]),
    ),
    max_size=60,
)


@given(moments=moments, stored=st.booleans(), soc=st.sampled_from([None, 20.0, 100.0]))
@settings(max_examples=150, deadline=None)
def test_whatever_the_clock_does_nothing_breaks_and_nobody_is_on_unasked(
    moments: list[tuple[float, str, float]], *, stored: bool, soc: float | None
) -> None:
    storage = STORAGE if stored else None
    core = Distributor(CoreSettings(strategy="value", storage=storage))
    now, asked, paused = 1000.0, False, False
    for step, what, watts in moments:
        now += step
        if what == "meter":
            core.balance(Balance(watts, None, 0.0, soc), now)
        elif what == "ask":
            core.request("car", CAR, now)
            asked = True
        elif what == "report" and asked:
            core.request("car", {"Consumption": abs(watts)}, now)
        elif what == "ghost":
            core.request("ghost", CAR, now, retained=True)
        elif what == "pause":
            paused = not paused
            core.pause(paused)
        elif what == "prices":
            core.prices(watts / 1e4, -watts / 1e4)
        decision = core.decide(now)
        if "car" in decision.gone:
            asked = False
        assert decision.wake is None or math.isfinite(decision.wake)
        for name, verdict in decision.allowances.items():
            assert verdict.reason.strip()
            assert verdict.allowance == 0 or (name == "car" and asked and not paused)


def night_falls(lag: int, *, frozen: bool = False) -> list[float]:
    """What a car is allowed each second: ten minutes of 2500 W of sun, then ten without any."""
    core = Distributor(CoreSettings(strategy="value"))
    given, drawn, told = 0.0, [0.0] * 600, []
    for second in range(1200):
        drawn.append(given)
        if second - lag >= 0 and not (frozen and second >= 600):
            then = 2500.0 if second - lag < 600 else 0.0
            grid = drawn[-1 - lag] - then
            core.balance(Balance(grid, then + 200, pv_metered=True), float(second))
        core.request("car", CAR | {"Consumption": drawn[-4]}, float(second))
        verdict = core.decide(second + 0.5).allowances.get("car")
        given = 0.0 if verdict is None else verdict.allowance
        told.append(given)
    return told


def test_a_meter_that_lags_ten_seconds_makes_nobody_swing() -> None:
    for lag in (0, 3, 10):
        told = night_falls(lag)
        sunny = told[300:600]
        assert set(sunny) == {2530.0}, lag  # the last step for the most part
        assert told[-1] == 0
        changes = sum(one != other for one, other in pairwise(told))
        assert changes <= 4, lag


def test_a_frozen_meter_ends_it_within_ten_seconds() -> None:
    told = night_falls(0, frozen=True)
    assert told[599] > 0
    assert not any(told[610:])
