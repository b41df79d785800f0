"""Prices below zero: to feed in costs money, and to draw earns some."""

from __future__ import annotations

import pytest

from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Decision, Distributor
from actors.distributor.value.money import Prices, Storage

MODULATING = {"Request": 3680.0, "Minimum": 1380.0, "StepSize": 230.0}
FULL = Storage(max_charge=2000, max_discharge=2000, tiers=[(100, 0.2)], eta_charge=1.0)


def settled(
    imported: float,
    exported: float,
    sun: float,
    value: float | None,
    **fields: float,
) -> Decision:
    """The decision after two minutes of `sun` W at these prices."""
    core = Distributor(CoreSettings(strategy="value"), {"pool": ConsumerRule(value_per_kwh=value)})
    core.prices(imported, exported)
    core.request("pool", {"IsAutomatic": True, "Request": 1000.0, **fields}, 0.0)
    given, decision = 0.0, Decision()
    for second in range(1, 120):
        core.request("pool", {"Consumption": given}, float(second))
        core.balance(Balance(given - sun, sun + 300.0, pv_metered=True), float(second))
        decision = core.decide(float(second))
        given = decision.allowances["pool"].allowance
    return decision


@pytest.mark.parametrize(
    ("imported", "exported", "sun", "value", "allowance"),
    [
        # Feeding in brings more than it is worth here; then feeding in costs, however little.
        (0.30, 0.08, 2000, 0.02, 0),
        (0.30, 0.00, 2000, 0.02, 1000),
        (0.30, -0.05, 2000, 0.0, 1000),
        # Nobody has said what it is worth: never less than nothing.
        (0.10, -0.40, 2000, None, 1000),
        (-0.05, -0.10, 0, None, 1000),
        # The grid pays for taking, or asks for less than it is worth.
        (-0.05, -0.10, 0, 0.0, 1000),
        (0.02, -0.05, 0, 0.2, 1000),
        (0.02, -0.05, 0, 0.0, 0),
    ],
)
def test_what_is_on_or_off(
    imported: float, exported: float, sun: float, value: float | None, allowance: float
) -> None:
    verdict = settled(imported, exported, sun, value).allowances["pool"]
    assert verdict.allowance == allowance
    assert (verdict.code == "bought") == (allowance > 0 and sun == 0)


@pytest.mark.parametrize(
    ("imported", "exported", "allowance", "code"),
    [
        (0.30, 0.08, 2300, "partial"),  # what the sun gives, in steps
        (0.30, -0.10, 2300, "partial"),
        (-0.05, -0.10, 3680, "bought"),  # and all that can be drawn besides
    ],
)
def test_what_modulates_draws_more_when_it_is_paid_for(
    imported: float, exported: float, allowance: float, code: str
) -> None:
    verdict = settled(imported, exported, 2360, 0.25, **MODULATING).allowances["pool"]
    assert (verdict.allowance, verdict.code) == (allowance, code)


def test_what_is_bought_for_less_than_nothing_says_so() -> None:
    reason = settled(-0.05, -0.10, 0, 0.0).allowances["pool"].reason
    assert reason == "1000 W of 1000 W are not from the sun: at -0.05 per kWh it is worth buying"


def test_a_dearer_feed_in_rounds_a_step_up_earlier() -> None:
    """At a share covered of (import - value) / (import - export)."""
    assert Prices(0.3, 0.1).threshold(0.2) == pytest.approx(0.5)
    assert Prices(0.3, -0.1).threshold(0.2) == pytest.approx(0.25)
    assert Prices(-0.1, -0.2).threshold(0.0) == 0


def test_a_surplus_that_costs_is_worth_getting_rid_of() -> None:
    house = Prices(0.3, -0.1)
    assert house.earn(1000) == pytest.approx(-100)
    assert house.earn(-1000) == pytest.approx(-300)
    assert Prices(-0.05, -0.1).earn(-1000) == pytest.approx(50)


def test_a_battery_takes_what_feeding_in_would_cost() -> None:
    """Worth less than what is stored, it has what a full battery leaves over."""
    low, full = FULL.edge(0.25), FULL.edge(0.1)
    assert FULL.around(low, 0.3, -0.1).left == pytest.approx(0.2)
    assert FULL.around(full, 0.3, -0.1) == pytest.approx(Prices(0.2 / 0.95, -0.1))
