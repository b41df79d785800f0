"""What the plays do not show: odd input, changed settings, flags, counters."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.distributor.balance import Meter
from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Decision, Distributor
from actors.distributor.draw import Draw
from bridge.config import ConsumerSettings

POOL = {"IsAutomatic": True, "Request": 1000.0, "Consumption": 0.0}
FIELDS = [
    *("Consumption", "Request", "StepSize", "Minimum", "Priority", "PriorityShift"),
    *("StartDelay", "StopDelay", "MinOn", "MinOff", "VRMInstanceID"),
]


def running(grid: float = -1500.0, **given_settings: Any) -> Distributor:
    core = Distributor(CoreSettings(strategy="surplus", **given_settings))
    core.request("pool", POOL, 0.0)
    core.balance(Balance(grid), 0.0)
    core.decide(0.1)
    return core


def allowance(decision: Decision, name: str = "pool") -> float:
    return decision.allowances[name].allowance


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.dictionaries(st.sampled_from(FIELDS), finite), max_size=4),
    st.lists(st.tuples(finite, finite, finite, finite), max_size=4),
    finite,
    st.floats(0, 1e6),
)
@settings(max_examples=300, deadline=None)
def test_no_finite_input_breaks_it(
    requests: list[dict[str, float]],
    balances: list[tuple[float, float, float, float]],
    left: float,
    now: float,
) -> None:
    core = Distributor(CoreSettings(strategy="surplus", reservation="5000-40*SOC"))
    core.inherit("old", left, now)
    for number, fields in enumerate(requests):
        core.request(f"c{number}", {"IsAutomatic": True, **fields}, now)
    for second, balance in enumerate(balances):
        core.balance(Balance(*balance, pv_metered=True, battery_present=True), now + second)
        decision = core.decide(now + second + 0.5)
        total = sum(verdict.allowance for verdict in decision.allowances.values())
        assert math.isfinite(total)
        assert total >= 0
        assert all(verdict.reason for verdict in decision.allowances.values())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_non_finite_fields_leave_the_last_good_value(bad: float) -> None:
    core = running()
    core.request("pool", {"Request": bad, "Consumption": bad, "Priority": bad}, 1.0)
    assert allowance(core.decide(1.0)) == 1000
    core.override("pool", "Priority", bad)
    assert core.decide(1.0).allowances["pool"].priority == 100
    core.inherit("other", bad, 1.0)
    assert "other" not in core.decide(1.0).allowances


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", ["grid", "battery", "pv"])
def test_non_finite_measurements_are_unknown(which: str, bad: float) -> None:
    core = running()
    values: dict[str, Any] = {"grid": -1500.0, "battery": 0.0, "pv": 5000.0, which: bad}
    core.balance(Balance(**values, pv_metered=True, battery_present=True), 1.0)
    decision = core.decide(1.0)
    assert allowance(decision) == 0
    assert decision.site.surplus is None
    assert getattr(decision.site, which) is None
    core.balance(Balance(-1500.0), 2.0)
    assert allowance(core.decide(2.0)) == 1000


@pytest.mark.parametrize(("metered", "surplus"), [(True, 0), (False, 1490)])
def test_the_surplus_is_bounded_by_pv_only_where_it_is_metered(
    metered: bool, surplus: float
) -> None:
    core = running()
    pv = 0.0 if metered else None
    core.balance(Balance(-1500, pv, 10, pv_metered=metered, battery_present=True), 1.0)
    decision = core.decide(1.0)
    assert decision.site.surplus == surplus
    assert allowance(decision) == (0 if metered else 1000)


@pytest.mark.parametrize("when", [math.nan, math.inf, -math.inf])
def test_a_balance_without_a_time_is_no_balance(when: float) -> None:
    core = running()
    core.balance(Balance(-1500.0), when)
    assert allowance(core.decide(1.0)) == 0


def test_changed_tells_what_is_worth_publishing() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    core.request("pool", POOL, 0.0)
    core.balance(Balance(-900.0), 0.0)
    found = []
    for now, grid in [(0.1, -900.0), (1.0, -800.0), (2.0, -1000.0), (3.0, -1001.0), (4.0, -900.0)]:
        core.balance(Balance(grid), now)
        verdict = core.decide(now).allowances["pool"]
        found.append((verdict.allowance, verdict.reason, verdict.changed))
    assert found == [
        (0, "waiting for 100 W more", True),
        (0, "waiting for 200 W more", False),
        (1000, "all of 1000 W granted", True),
        (1000, "all of 1000 W granted", False),
        (0, "waiting for 100 W more", True),
    ]


def test_a_verdict_shows_what_holds_for_the_consumer() -> None:
    core = Distributor(CoreSettings(strategy="surplus"), {"pool": ConsumerRule(priority=7)})
    core.request("pool", {**POOL, "Priority": 50.0}, 0.0)
    core.override("pool", "IsAutomatic", value=False)
    verdict = core.decide(0.1).allowances["pool"]
    assert (verdict.is_automatic, verdict.priority) == (False, 7)


def test_the_configuration_itself_serves_as_the_owner() -> None:
    owner = {"pool": ConsumerSettings(priority=7, max=400, automatic=True, min_off=60)}
    core = Distributor(CoreSettings(strategy="surplus"), owner)
    core.request("pool", {"Request": 1000.0}, 0.0)
    core.balance(Balance(-1500.0), 0.0)
    assert allowance(core.decide(0.1)) == 400


def test_new_settings_act_with_the_next_decision() -> None:
    core = running(reservation=0)
    core.configure(CoreSettings(strategy="surplus", reservation=600), {})
    assert allowance(core.decide(1.0)) == 0
    core.configure(
        CoreSettings(strategy="surplus", reservation=600), {"pool": ConsumerRule(max=900)}
    )
    assert allowance(core.decide(2.0)) == 900


def test_a_reservation_may_be_a_number_or_a_text() -> None:
    for setting in (600, 600.4, "600", "1200/2"):
        assert running(reservation=setting).decide(1.0).site.reservation == 600


@pytest.mark.parametrize("setting", ["", "SOC +", "x" * 300, 1e12, math.nan])
def test_a_bad_reservation_withholds(setting: str | float) -> None:
    verdict = running(reservation=setting).decide(1.0).allowances["pool"]
    assert verdict.allowance == 0
    assert verdict.reason.startswith("battery reservation cannot be computed: ")


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"energy": None, "overrides": 3, "paused": "yes"},
        {"energy": {"pool": "much", "a": math.nan, "b": -1, "c": None}},
        {"overrides": {"pool": None, "a": [1], "b": {"IsAutomatic": "on", "Priority": math.inf}}},
    ],
)
def test_a_spoilt_state_is_left_out(state: dict[str, Any]) -> None:
    core = running()
    core.restore(state, 0.0)
    assert core.export() == {"energy": {}, "overrides": {}, "paused": False}
    assert allowance(core.decide(1.0)) == 1000


def test_the_counter_outlives_its_consumer() -> None:
    core = running()
    core.request("pool", {"Consumption": 1000.0}, 1.0)
    core.balance(Balance(-500.0), 1.0)
    core.decide(1.0)
    core.balance(Balance(-500.0), 7.0)
    core.decide(7.0)
    assert core.energies()["pool"] == pytest.approx(1000 * 6 / 3.6e6)
    core.forget("pool")
    core.forget("nobody")
    assert core.energies()["pool"] == pytest.approx(1000 * 6 / 3.6e6)
    core.request("pool", POOL, 8.0)
    assert core.energies()["pool"] == pytest.approx(1000 * 6 / 3.6e6)
    assert core.export()["energy"]["pool"] == pytest.approx(1000 * 6 / 3.6e6)


def test_empty_requests_make_no_consumer() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    core.request("pool", {}, 0.0)
    assert core.decide(1.0) == Decision(site=core.decide(1.0).site)
    assert core.decide(1.0).wake is None


def test_clearing_a_consumer_that_was_never_there_leaves_nothing() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    core.request("pool", {"Request": None}, 0.0)
    assert core.decide(0.0).gone == ["pool"]
    assert core.decide(0.0).gone == []


def test_a_stop_is_final() -> None:
    core = running()
    core.stop()
    core.pause(on=False)
    core.inherit("late", 500.0, 1.0)
    decision = core.decide(1.0)
    assert {name: v.code for name, v in decision.allowances.items()} == {"pool": "stopping"}
    assert decision.site.assigned == 0


def test_many_reports_without_a_meter_take_no_memory_and_forget_no_extreme() -> None:
    draw = Draw()
    for second in range(1000):
        draw.report(float(second), 500 + second % 7, 10**9, 10**9, 0)
    assert draw.span(-1.0) == (500, 506)
    assert len(draw._changes) <= 65
    assert draw.span(999.0) == (505, 505)


def test_a_load_meter_tells_the_load() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    core.balance(Balance(-100.0, load=321.0), 0.0)
    assert core.decide(0.0).site.load == 321
    core.balance(Balance(-100.0, pv=700.0), 1.0)
    assert core.decide(1.0).site.load == 600


def test_a_late_balance_is_as_old_as_its_measurement() -> None:
    meter = Meter(max_age=8.0)
    meter.take(Balance(-100.0), 5.0)
    assert meter.complaint(12.9) is None
    why = meter.complaint(13.0)
    assert why is not None
    assert (why.code, why.text) == ("meter", "grid meter silent for 8 s")


def test_a_hundred_consumers_share_what_there_is() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    for number in range(100):
        fields = {
            **POOL,
            "Request": 2000.0,
            "StepSize": 1.0,
            "Priority": float(number % 10),
            "PriorityShift": 1.0,
        }
        core.request(f"c{number}", fields, 0.0)
    core.balance(Balance(-25_000.0), 0.0)
    site = core.decide(0.1).site
    assert site.assigned == 25_000
    assert site.remaining == 0


def test_what_is_drawn_by_hand_is_shown_and_is_no_surplus() -> None:
    core = running()
    by_hand = {"IsAutomatic": False, "Request": 0.0, "Consumption": 11_040.0}
    core.request("car", by_hand, 1.0)
    core.balance(Balance(-1500.0), 2.0)
    decision = core.decide(2.1)
    assert decision.allowances["car"].consumption == 11_040
    assert allowance(decision, "car") == 0
    assert (decision.site.controlled, decision.site.surplus) == (0, 1500)


def test_who_draws_more_than_its_allowance_is_shown_with_all_of_it() -> None:
    core = running()
    core.request("pool", {**POOL, "Consumption": 2500.0}, 1.0)
    for second in range(2, 70):
        core.balance(Balance(-1500.0), float(second))
        core.decide(second + 0.1)
    decision = core.decide(70.0)
    assert decision.allowances["pool"].code == "overdrawn"
    assert decision.allowances["pool"].consumption == 2500
    assert decision.site.controlled == 1000


def test_a_longer_time_off_never_ends_a_rest_early() -> None:
    core = running(grid=-1500.0)
    core.request("pool", {"MinOff": 100.0}, 1.0)
    core.balance(Balance(3000.0), 2.0)
    assert allowance(core.decide(2.0)) == 0
    # It speaks of a time before its allowance, as one whose clock is behind.
    core.request("pool", {"OffFor": 5000.0}, 3.0)
    core.balance(Balance(-1500.0), 3.0)
    assert allowance(core.decide(3.0)) == 0
    core.balance(Balance(-1500.0), 60.0)
    assert allowance(core.decide(60.0)) == 0
    core.balance(Balance(-1500.0), 102.5)
    assert allowance(core.decide(102.5)) == 1000
