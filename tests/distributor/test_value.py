"""Deciding by value: prices, belief, the surplus between meter and reports, what runs and why."""

from __future__ import annotations

import pytest

from actors.distributor.allocate import Demand
from actors.distributor.belief import Belief
from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Decision, Distributor
from actors.distributor.money import Prices, Storage, prices
from actors.distributor.sunshine import Sunshine
from actors.distributor.worth import Bid, Outlook, best_level

PLAIN = Prices(0.30, 0.08)
BATTERY = Storage(max_charge=5000, max_discharge=4000, tiers=[(60, 0.28), (100, 0.1)])


def bid(value: float, first: float, top: float | None = None, house: Prices = PLAIN) -> Bid:
    return Bid(value, first, first if top is None else top, house, house.spare(value), 0.0)


def test_a_watt_is_sold_or_bought() -> None:
    assert PLAIN.earn(1000) == pytest.approx(80)
    assert PLAIN.earn(-1000) == pytest.approx(-300)
    assert PLAIN.spare(0.25) == 0
    assert PLAIN.threshold(0.25) == pytest.approx(0.05 / 0.22)
    assert PLAIN.threshold(0.09) == pytest.approx(0.21 / 0.22)


def test_a_full_battery_is_a_cheap_supply_and_a_low_one_is_dear() -> None:
    high, low = prices(0.30, 0.08, BATTERY, 80), prices(0.30, 0.08, BATTERY, 30)
    assert high.spare(0.25) == -4000  # worth more than what the battery keeps
    assert low.spare(0.25) == 5000  # worth less: the battery is served first
    assert high.earn(-5000) == pytest.approx(-(4000 * 0.1 / 0.95 + 1000 * 0.30))
    assert prices(0.30, 0.08, BATTERY, 10).most_drawn == 0
    assert prices(0.30, 0.08, BATTERY, 100).most_stored == 0
    assert prices(0.30, 0.08, BATTERY, None) == PLAIN


def test_near_a_tier_the_price_passes_over_gradually() -> None:
    costs = [prices(0.3, 0.08, BATTERY, soc).drawn for soc in (59.0, 61.0, 63.0, 65.0)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[1] > costs[-1]


def test_the_belief_remembers_twenty_minutes() -> None:
    belief = Belief(span=1200, hold=150)
    for second in range(0, 2400, 5):
        belief.see(1000.0 if second < 1200 else 4000.0, float(second))
    assert belief.share_above(2000) == 1
    assert belief.samples(500.0)[0] == 500
    assert set(belief.samples(500.0)[1:]) == {4000.0}
    assert belief.remembers == 1200


def test_the_present_counts_less_the_longer_the_look_ahead() -> None:
    belief = Belief(hold=100)
    assert belief.weight(0) == 1
    assert belief.weight(10) > belief.weight(100) > belief.weight(1000) > 0


def test_the_surplus_does_not_jump_while_meter_and_reports_disagree() -> None:
    sunshine = Sunshine()
    assert sunshine.see(3000, 3000, 4000) == 3000
    # A consumer of 2000 W has started; the meter may or may not have seen it.
    assert sunshine.see(1000, 5000, 4000) == 3000
    assert sunshine.see(3000, 3000, 4000) == 3000
    assert sunshine.see(2000, 2000, 3000) == 2000  # a cloud is believed at once


def test_a_moving_surplus_is_followed_beyond_now_within_what_was_seen() -> None:
    sunshine = Sunshine()
    for second, watts in enumerate((5000, 4800, 4600, 4400)):
        sunshine.see(watts, watts, None)
        sunshine.mark(float(second))
    assert sunshine.ahead(10, 1000, 6000) == pytest.approx(2400)
    assert sunshine.ahead(10, 3000, 6000) == 3000
    assert sunshine.ahead(0, 1000, 6000) == 4400


def test_a_run_pays_by_the_share_that_the_sun_carries() -> None:
    load = bid(0.25, 1000)
    assert Outlook([1000.0, 1000.0]).expected(load, 0.5) == pytest.approx(170)
    assert Outlook([0.0, 1000.0]).expected(load, 0.5) == pytest.approx((170 - 50) / 2)
    assert Outlook([0.0]).expected(load, 1.0) == pytest.approx(-50)


def test_what_modulating_ones_can_catch_up_on_passes_to_a_newcomer() -> None:
    car, pump = bid(0.25, 1400, 7000), bid(0.25, 750)
    outlook = Outlook([5000.0])
    outlook.grant(car, 0.2)
    assert outlook.rest == [0]
    assert outlook.expected(pump, 1.0) == pytest.approx(750 * 0.05)
    outlook.grant(pump, 0.25)
    assert outlook.rest == [0]
    stubborn = Outlook([5000.0])
    stubborn.grant(car, 0.3)
    assert stubborn.expected(pump, 1.0) == pytest.approx(-750 * 0.05)


def test_a_step_is_taken_by_its_break_even() -> None:
    heater = Demand("heater", 3000, 1000, 1000)
    offer = bid(0.25, 1000, 3000)
    assert best_level(offer, heater, 2200, PLAIN.threshold(0.25)) == 2
    assert best_level(offer, heater, 2300, PLAIN.threshold(0.25)) == 3
    assert best_level(offer, heater, 2900, 1.0) == 2
    assert best_level(offer, heater, -500, PLAIN.threshold(0.25)) == 1


def house(minutes: int, exported: float) -> tuple[Distributor, float]:
    """A core that has seen the sun for some minutes, and a pump that asks for 800 W."""
    rule = ConsumerRule(value_per_kwh=0.25, start_cost=0.002, min_on=600, min_off=300)
    core = Distributor(CoreSettings(strategy="value"), {"pump": rule})
    now = 0.0
    for _ in range(minutes * 60):
        now += 1
        core.balance(Balance(-exported, exported + 200, 0.0), now)
        core.decide(now)
    core.request("pump", {"IsAutomatic": True, "Request": 800, "Consumption": 0}, now)
    return core, now


def after(core: Distributor, now: float, seconds: int, grid: float, pv: float) -> Decision:
    decision = core.decide(now)
    for second in range(1, seconds + 1):
        drawn = decision.allowances["pump"].allowance if "pump" in decision.allowances else 0.0
        core.balance(Balance(grid + drawn, pv, 0.0), now + second)
        core.request("pump", {"Consumption": drawn}, now + second)
        decision = core.decide(now + second)
    return decision


def test_a_short_cloud_stops_nobody_and_says_so() -> None:
    core, now = house(20, 1500)
    assert after(core, now, 10, -1500, 1700).allowances["pump"].allowance == 800
    after(core, now + 10, 640, -1500, 1700)
    verdict = after(core, now + 650, 30, 100, 100).allowances["pump"]
    assert (verdict.allowance, verdict.code) == (800, "bridged")
    assert "stopping and starting again would cost more" in verdict.reason


def test_who_is_off_hears_how_much_of_the_sun_there_was() -> None:
    core, now = house(20, 100)
    verdict = after(core, now, 10, -100, 300).allowances["pump"]
    assert verdict.allowance == 0
    assert (
        verdict.reason == "clouds: 800 W were there for 0 % of the last 20 min, too little to start"
    )


def test_without_sun_it_stops_after_min_on() -> None:
    core, now = house(20, 1500)
    after(core, now, 10, -1500, 1700)
    assert after(core, now + 10, 300, 300, 0).allowances["pump"].allowance == 800
    assert after(core, now + 310, 1500, 300, 0).allowances["pump"].allowance == 0


def test_a_silent_meter_ends_everything() -> None:
    core, now = house(20, 1500)
    after(core, now, 10, -1500, 1700)
    assert core.decide(now + 30).allowances["pump"].allowance == 0


def test_where_priorities_shift_portions_go_round_and_none_is_bought() -> None:
    core = Distributor(CoreSettings(strategy="value"), {})
    fields = {"IsAutomatic": True, "Request": 3000, "StepSize": 250, "Consumption": 0}
    for name, priority in (("car", 1), ("heater", 2)):
        core.request(name, fields | {"Priority": priority, "PriorityShift": 2}, 0.0)
    given: dict[str, float] = {}
    for second in range(1, 60):
        core.balance(Balance(-2200 + sum(given.values()), 2400, 0.0), float(second))
        for name, watts in given.items():
            core.request(name, {"Consumption": watts}, float(second))
        verdicts = core.decide(float(second)).allowances
        given = {name: one.allowance for name, one in verdicts.items()}
    assert given == {"car": 1000, "heater": 1000}


def test_made_up_ids_do_not_fill_the_memory() -> None:
    core, now = house(1, 1500)
    for number in range(50):
        name = f"ghost{number}"
        core.request(name, {"IsAutomatic": True, "Request": 100}, now)
        after(core, now, 1, -1500, 1700)
        core.forget(name)
        now += 1
    assert len(core._planner._notes) <= 2
