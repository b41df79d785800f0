"""Every core under inputs that nobody should send: no exception, no value without a live reason.

What is no finite number is unknown, whoever let it through; clocks jump both ways.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.devices.mqtt_pv import core as throttle
from actors.devices.mqtt_pv.decode import Counters, reading
from actors.services.battery_guard import core as guard
from actors.services.charge_current import core as gentle
from actors.services.grid_charge import core as night
from actors.services.grid_charge.planning import Plan as NightPlan
from actors.services.grid_charge.profile import Profile
from actors.services.net_meter import core as bill
from actors.services.time_to_go import core as lasts
from bridge.curve.heard import CurveRefused, rows_of
from bridge.expression import compile_expression
from bridge.netting import Netting
from bridge.pace import Pace

BEGIN = datetime(2026, 1, 10, tzinfo=UTC)
odd = st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -0.0])
usual = st.floats(-12_000, 12_000)
wild = st.one_of(usual, usual, usual, st.none(), odd)
percents = st.one_of(st.floats(0, 100), st.floats(0, 100), st.none(), odd)
jumps = st.one_of(st.floats(0.5, 300), st.sampled_from([0.0, -5.0, -1e6, 1e6, 1e9]))
switch = st.sampled_from([True, True, True, True, False, None])


def live(*values: float | None) -> bool:
    return all(each is not None and math.isfinite(each) for each in values)


@settings(deadline=None)
@given(
    control=st.sampled_from(
        [
            *("GridSetpoint", "MaxDischargePower", "BatterySetpoint"),
            *("MaxDischargeCurrent", "BatteryMode"),
        ]
    ),
    mode=st.sampled_from(["cover", "hold"]),
    writes=st.sampled_from([0, 3]),
    moves=st.lists(st.tuples(jumps, wild, wild, wild, switch, wild), max_size=30),
)
def test_the_guard_holds_nothing_for_a_number_that_is_none(
    control: Any, mode: Any, writes: int, moves: list[Any]
) -> None:
    plan = guard.Plan(control=control, mode=mode, writes=writes, voltage=50.0, base=30.0)
    state, now = guard.new_state(plan), 0.0
    for gone, grid, battery, car, allowed, age in moves:
        now += gone
        given_ = guard.Inputs(grid, battery, car, allowed, age=math.inf if age is None else age)
        found = guard.decide(plan, state, given_, now)
        assert len(found.sentence) > 10
        assert "nan" not in found.sentence
        if found.value is None:
            continue
        assert live(grid, battery, car)
        assert allowed is True
        assert car >= plan.min_power
        if isinstance(found.value, str):
            assert (control, found.value) == ("BatteryMode", guard.HOLD)
        else:
            assert math.isfinite(found.value)
            assert 0 <= found.value <= plan.max


@settings(deadline=None)
@given(
    text=st.sampled_from(["200 - 2*SOC", "SOC*SOC", "1/(SOC-50)", "7.3"]),
    moves=st.lists(st.tuples(jumps, percents, switch), max_size=30),
)
def test_the_charge_current_is_within_its_bounds(text: str, moves: list[Any]) -> None:
    plan = gentle.Plan(limit=compile_expression(text), min=5.0, max=63.0, step=2.0)
    pace, now = gentle.new_pace(plan), 0.0
    for gone, soc, allowed in moves:
        now += gone
        found = gentle.decide(plan, pace, gentle.Inputs(soc, allowed), now)
        assert len(found.sentence) > 10
        if found.value is not None:
            assert 5 <= found.value <= 63
            assert allowed is True
            assert text == "7.3" or (live(soc) and 0 <= soc <= 100)


price = st.sampled_from([-0.1, 0.05, 0.1, 0.2, 0.5, None, math.nan, math.inf, 1e308])
rows = st.lists(
    st.tuples(st.integers(-3, 12), st.sampled_from([0.25, 1.0, 3.0]), price, price), max_size=8
)


def curve(found: list[Any], name: str) -> Any:
    slots = []
    for at, length, import_, export in found:
        begin = BEGIN + timedelta(hours=at)
        times = {"start": begin.isoformat(), "end": (begin + timedelta(hours=length)).isoformat()}
        slots.append(times | {"import": import_, "export": export})
    try:
        return rows_of(slots, name)
    except CurveRefused:
        return None


@settings(deadline=None, max_examples=60)
@given(
    tariff=rows,
    sky=rows,
    dark=st.booleans(),
    moves=st.lists(st.tuples(jumps, percents, wild, switch), max_size=12),
)
def test_the_night_buys_within_its_limits_or_not_at_all(
    tariff: list[Any], sky: list[Any], dark: bool, moves: list[Any]
) -> None:
    plan = NightPlan(power=3000, capacity=10_000, max_price=0.3, max_import=5000)
    state, profile, now = night.State(), Profile(500.0), 0.0
    prices, exports, sun = curve(tariff, "import"), curve(tariff, "export"), curve(sky, "import")
    assert all(math.isfinite(row[2]) for row in prices or ())
    for gone, soc, demand, allowed in moves:
        now += gone
        utc = BEGIN + timedelta(seconds=math.remainder(now, 43_200.0))
        inputs = night.Inputs(soc, demand, prices, sun, dark, allowed, exports=exports or ())
        if night.due(state, inputs, utc, now):
            night.make_plan(plan, state, inputs, profile, utc, now)
        found = night.decide(plan, state, inputs, utc, now)
        assert len(found.sentence) > 10
        assert "nan" not in found.sentence
        if found.action == "leave":
            continue
        assert live(soc, demand)
        assert allowed is True
        assert any(start <= utc < end and p <= 0.3 for start, end, p in prices or ())
        assert dark or any(start <= utc < end for start, end, _ in sun or ())
        if found.action == "charge":
            assert soc < plan.soc_max
            assert 100 <= found.power <= 3000
            assert found.power + max(demand, 0) <= 5000 + 1e-6


@settings(deadline=None)
@given(
    moves=st.lists(st.tuples(jumps, wild, percents, wild, percents), max_size=30),
    smoothing=st.sampled_from([0.0, 60.0]),
)
def test_what_lasts_is_a_time_or_unknown(moves: list[Any], smoothing: float) -> None:
    plan, state, now = lasts.Plan(smoothing=smoothing), lasts.State(), 0.0
    for gone, power, soc, capacity, limit in moves:
        now += gone
        inputs = lasts.Inputs(power, soc, capacity, 0.0 if limit is None else limit)
        found = lasts.decide(plan, state, inputs, now)
        told = [each for each in (found.to_go, found.to_full) if each is not None]
        assert len(told) <= 1
        assert all(math.isfinite(each) and 0 <= each <= 864_000 for each in told)
        if told:
            assert live(power, soc, capacity)
            assert 0 <= soc <= 100
            assert capacity > 0
        assert state.power is None or math.isfinite(state.power)


@settings(deadline=None)
@given(st.lists(st.tuples(jumps, wild), max_size=60))
def test_counters_rise_or_stand(moves: list[Any]) -> None:
    plan = bill.Plan(start=(10.0, 20.0))
    state, now, before = bill.begin(plan), 0.0, (10.0, 20.0)
    for gone, power in moves:
        now += gone
        if bill.decide(plan, state, power, now).save:
            bill.kept(state, bill.content(state), now)
        shown = state.saved
        assert shown[0] >= before[0]
        assert shown[1] >= before[1]
        assert not any(math.isnan(each) for each in shown)
        before = shown


@settings(deadline=None)
@given(st.lists(st.tuples(jumps, st.one_of(usual, st.none(), st.just(math.nan))), max_size=60))
def test_a_clock_that_goes_back_counts_no_second_twice(moves: list[Any]) -> None:
    net, now, latest, most = Netting(), 0.0, None, 0.0
    for gone, power in moves:
        now += gone
        net.add(now, power)
        if power is not None and math.isfinite(power):
            if latest is not None and latest < now <= latest + 60:
                most += 12_000 * (now - latest) / 3.6e6
            latest = now if latest is None else max(latest, now)
        assert net.imported + net.exported <= most + 1e-6


@settings(deadline=None)
@given(
    moves=st.lists(st.tuples(jumps, wild, wild, wild, wild, percents), max_size=30),
    least=st.sampled_from([0.0, 0.2]),
)
def test_the_throttle_keeps_its_bounds_and_lets_go(moves: list[Any], least: float) -> None:
    plan, state, now = throttle.Plan(rated=1500, least=least, soc=98.0), throttle.State(), 0.0
    for gone, grid, battery, pv, own, soc in moves:
        now += gone
        found = throttle.decide(plan, state, throttle.Inputs(grid, battery, pv, own, soc), now)
        assert len(found.sentence) > 10
        assert "nan" not in found.sentence
        assert 0 <= throttle.percent(found.limit, plan.rated) <= 100
        if found.limit is not None:
            assert live(grid, battery, pv, own, soc)
            assert soc >= 96
            assert least * 1500 <= found.limit <= 1500


def test_the_throttle_lets_go_for_each_number_that_is_none() -> None:
    good: dict[str, Any] = {
        "grid": -300.0,
        "battery": 0.0,
        "pv": 1000.0,
        "own": 1000.0,
        "soc": 100.0,
    }
    for name in good:
        for bad in (math.nan, math.inf, -math.inf, 1e308):
            plan, state = throttle.Plan(rated=1500), throttle.State()
            assert throttle.decide(plan, state, throttle.Inputs(**good), 0).limit is not None
            found = throttle.decide(plan, state, throttle.Inputs(**good | {name: bad}), 60)
            assert (found.limit, found.code) == (None, "unknown"), (name, bad)


@settings(deadline=None)
@given(
    urgent=st.sampled_from(["down", "up", "both", "none"]),
    moves=st.lists(st.tuples(jumps, wild), max_size=40),
)
def test_the_pace_never_holds_what_is_no_number(urgent: Any, moves: list[Any]) -> None:
    pace, now = Pace(250.0, 60.0, 5, urgent), 0.0
    for gone, wanted in moves:
        now += gone
        held = pace.follow(wanted, now)
        assert held is None or math.isfinite(held)
        if wanted is None or not math.isfinite(wanted):
            assert held is None


NAMES = ("power", "power_l1", "power_l2", "voltage_l1", "energy", "energy_l1", "energy_l3")


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), wild), max_size=10))
def test_a_pv_reading_never_makes_a_number_of_an_unknown_one(found: list[Any]) -> None:
    counters = Counters({})
    for each in found:
        values = reading(each, counters)
        parts = [each[name] for name in ("power_l1", "power_l2") if name in each]
        if "power" not in each and (not parts or None in parts):
            assert values["PvPower"] is None
        if "energy" in each and each["energy"] is None:
            assert values["PvEnergy"] is None
