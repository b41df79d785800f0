"""A more important newcomer while meter and reports still disagree."""

from __future__ import annotations

from actors.distributor.core import Balance, CoreSettings, Distributor


def running_house() -> Distributor:
    """A heater of 2000 W has just started on 4000 W of surplus; the meter has not shown it yet."""
    core = Distributor(CoreSettings(strategy="surplus", reservation=1000))
    heater = {"IsAutomatic": True, "Request": 3000.0, "StepSize": 1000.0, "Priority": 50.0}
    core.balance(Balance(grid=-4000.0), 0.0)
    core.request("heater", {**heater, "Consumption": 0.0}, 0.0)
    assert core.decide(0.2).allowances["heater"].allowance == 3000
    core.request("heater", {"Consumption": 3000.0}, 1.0)
    core.balance(Balance(grid=-1000.0), 1.0)
    core.decide(1.0)
    return core


def test_it_is_served_at_once_from_what_the_less_important_one_holds() -> None:
    core = running_house()
    core.request("kettle", {"IsAutomatic": True, "Request": 1200.0, "Priority": 1.0}, 1.1)
    decision = core.decide(1.3)
    assert decision.allowances["kettle"].allowance == 1200
    assert decision.allowances["heater"].allowance == 1000
    assert sum(one.allowance for one in decision.allowances.values()) <= 3000


def test_a_less_important_one_waits_for_certainty() -> None:
    core = running_house()
    core.request("pump", {"IsAutomatic": True, "Request": 500.0, "Priority": 90.0}, 1.1)
    decision = core.decide(1.3)
    assert decision.allowances["heater"].allowance == 3000
    assert decision.allowances["pump"].allowance == 0


def test_a_report_that_precedes_the_meter_gives_nothing_twice() -> None:
    core = Distributor(CoreSettings(strategy="surplus"))
    core.balance(Balance(grid=-4000.0), 0.0)
    core.request("ev", {"IsAutomatic": True, "Request": 3000.0, "Consumption": 0.0}, 0.0)
    assert core.decide(0.2).allowances["ev"].allowance == 3000
    core.request("ev", {"Consumption": 3000.0}, 1.0)
    core.request("pump", {"IsAutomatic": True, "Request": 2000.0, "Consumption": 0.0}, 1.0)
    decision = core.decide(1.2)
    assert decision.allowances["ev"].allowance == 3000
    assert decision.allowances["pump"].allowance == 0


def silent_ev(grid: float) -> Distributor:
    """A car that never says what it draws, on `grid` W of surplus."""
    core = Distributor(CoreSettings(strategy="surplus"))
    core.balance(Balance(grid=-grid), 0.0)
    core.request("ev", {"IsAutomatic": True, "Request": 9000.0, "StepSize": 500.0}, 0.0)
    core.decide(0.2)
    return core


def test_a_silent_consumer_gets_no_more_while_the_meter_shows_no_draw() -> None:
    core = silent_ev(3000)
    for second in range(1, 60):
        core.balance(Balance(grid=-3000.0), float(second))
        assert core.decide(second + 0.1).allowances["ev"].allowance == 3000


def test_a_silent_consumer_counts_as_drawing_once_the_meter_shows_it() -> None:
    core = silent_ev(3000)
    core.balance(Balance(grid=0.0), 2.0)
    assert core.decide(2.1).allowances["ev"].allowance == 3000
    core.balance(Balance(grid=-1000.0), 9.0)
    assert core.decide(9.1).allowances["ev"].allowance == 4000


def test_a_silent_consumer_keeps_what_it_has_when_the_sun_goes_a_little() -> None:
    core = silent_ev(3000)
    core.balance(Balance(grid=0.0), 2.0)
    core.decide(2.1)
    core.balance(Balance(grid=400.0), 9.0)
    assert core.decide(9.1).allowances["ev"].allowance == 2500
