"""Deciding by value: prices, belief, the surplus between meter and reports, what runs and why."""

from __future__ import annotations

from random import Random

import pytest

from actors.distributor.allocate import Demand
from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Decision, Distributor
from actors.distributor.value.belief import Belief
from actors.distributor.value.money import Prices, Storage
from actors.distributor.value.sunshine import Sunshine
from actors.distributor.value.worth import Bid, Outlook, best_level

PLAIN = Prices(0.30, 0.08)
BATTERY = Storage(max_charge=5000, max_discharge=4000, tiers=[(60, 0.28), (100, 0.1)])


def bid(value: float, first: float, top: float | None = None, house: Prices = PLAIN) -> Bid:
    return Bid(value, first, first if top is None else top, house, house.spare(value), 0.0)


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


def sky(lasts: float, seconds: int) -> Belief:
    """A belief that has seen levels at random, each for about `lasts` s."""
    draw = Random(7)
    belief, watts = Belief(hold=150), 0.0
    for second in range(0, seconds, 10):
        if draw.random() < 10 / lasts:
            watts = draw.uniform(500, 5000)
        belief.see(watts, float(second))
    return belief


def test_how_long_a_state_lasts_is_learned_from_the_sky() -> None:
    assert sky(300, 2300).hold == 150  # too little seen to say
    assert 60 <= sky(70, 20_000).hold < 110
    assert 220 < sky(300, 20_000).hold < 400
    assert sky(5000, 20_000).hold > 500


def test_a_surplus_that_never_moves_teaches_nothing() -> None:
    belief = Belief(hold=150)
    for second in range(0, 10_000, 10):
        belief.see(2000.0, float(second))
    assert belief.hold == 150
    assert belief.weight(600) < 1


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
    assert verdict.reason == "800 W have not been there in the last 20 min"


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


def test_min_on_holds_though_selling_brings_more_by_now() -> None:
    core, now = house(20, 1500)
    assert after(core, now, 10, -1500, 1700).allowances["pump"].allowance == 800
    core.prices(0.6, 0.5)
    assert after(core, now + 10, 500, 300, 0).allowances["pump"].code == "min_on"
    stopped = after(core, now + 510, 100, 300, 0).allowances["pump"]
    assert (stopped.allowance, stopped.code) == (0, "waiting")
    core.prices(0.3, 0.08)
    assert after(core, now + 610, 200, -1500, 1700).allowances["pump"].code == "min_off"
