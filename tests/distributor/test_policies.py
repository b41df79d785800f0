"""The distributor in a simulated house: the core hears and says what it would over MQTT."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from actors.distributor import policies
from actors.distributor.actor import Settings
from actors.distributor.core import Balance, ConsumerRule, Distributor
from bridge.simulate.house import play
from bridge.simulate.meter import Reading
from bridge.simulate.policy import Known, Owner, Report
from bridge.simulate.weather import make_weather
from tests.simulate.small import BATTERY, charger, consumer, day, house, read, rows, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.distributor.requests import Value


class Heard(Distributor):
    """The core, and what it was told."""

    balances: list[tuple[Balance, float]]
    requests: list[tuple[str, dict[str, Value], float]]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.balances, self.requests = [], []
        latest.append(self)

    def balance(self, balance: Balance, now: float) -> None:
        self.balances.append((balance, now))
        super().balance(balance, now)

    def request(
        self, name: str, fields: Mapping[str, Value], now: float, *, retained: bool = False
    ) -> None:
        self.requests.append((name, dict(fields), now))
        super().request(name, fields, now, retained=retained)


latest: list[Heard] = []


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Heard]:
    monkeypatch.setattr(policies, "Distributor", Heard)
    latest.clear()
    return latest


def known(*specs: dict[str, Any], **changes: Any) -> Known:
    scenario = read(house(*specs, **changes))
    return Known(tuple(scenario.consumers), scenario.battery, [0.3], [0.1])


def test_reports_become_request_fields(heard: list[Heard]) -> None:
    spec = consumer(min_on_s=60, min_off_s=30, priority_shift=2)
    policy = policies.Heliograph(known(spec))
    for second, draw, request in [(1, 0, 3000), (2, 0, 3000), (3, 1000, 3000), (4, 1000, 0)]:
        policy.step(second, None, [Report("heater", draw, request)])
    policy.step(40, None, [Report("heater", 1000, 0)])
    first = {
        "IsAutomatic": True,
        "Minimum": 1000,
        "StepSize": 500,
        "Priority": 10,
        "PriorityShift": 2,
        "MinOn": 60,
        "MinOff": 30,
        "Consumption": 0,
        "Request": 3000,
    }
    assert heard[0].requests == [
        ("heater", first, 1.0),
        ("heater", {"Consumption": 1000}, 3.0),
        ("heater", {"Consumption": 1000, "Request": 0}, 4.0),
        ("heater", {"Consumption": 1000}, 40.0),  # it lives
    ]


def test_a_reading_becomes_a_balance_as_the_site_publishes_it(heard: list[Heard]) -> None:
    policy = policies.Heliograph(known(consumer(), battery=BATTERY))
    policy.step(7, Reading(-100.04, 4000.06, -99.96, 50.26), [])
    expected = Balance(-100.0, 4000.1, -100.0, 50.3, pv_metered=True, battery_present=True)
    assert heard[0].balances == [(expected, 7.0)]


def test_the_surplus_is_given_and_the_battery_has_its_part() -> None:
    policy = policies.Surplus(known(consumer(), battery=BATTERY))
    policy.step(1, None, [Report("heater", 0, 3000)])
    given = policy.step(2, Reading(-3000, 4000, 0, 50.0), [])
    assert given == {"heater": 2000}
    assert "waiting for" in policy.reasons["heater"]
    given = policy.step(3, Reading(-3000, 4000, 0, 60.0), [])
    assert given is not None
    assert policy.decide_calls == 3


def test_the_core_is_asked_at_the_moment_that_it_named() -> None:
    spec = consumer(min_on_s=60)
    policy = policies.Surplus(known(spec))
    policy.step(1, None, [Report("heater", 0, 3000)])
    assert policy.wake == 2  # its first fields are gathered for 0.1 s
    policy.step(2, Reading(-1000, 4000, 0, None), [])
    assert policy.decide_calls == 2
    assert policy.step(5, None, [Report("heater", 0, 3000)]) is None
    assert policy.decide_calls == 2
    assert policy.wake == 7  # from then on it may be raised again
    assert policy.step(7, None, []) == {}
    assert policy.wake == 10  # the meter has been silent for 8 s
    assert policy.step(10, None, []) == {"heater": 0}


@pytest.mark.parametrize("seed", range(4))
def test_repeated_reports_change_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = Random(seed)
    flicker = {"levels": [1.2, 0.3, 0.8], "dwell_mean_s": 20, "dwell_min_s": 5, "smooth_s": 3}
    raw = house(
        charger(min_on_s=100, report_period_s=2),
        consumer(min_off_s=30),
        consumer("pump", min_w=750, max_w=750, step_w=0, min_on_s=60, priority=5),
        seconds=900,
        seed=dice.randrange(1000),
        pv_flicker=flicker,
        battery=dice.choice([None, BATTERY]),
        meter={"lag_s": 2, "period_s": dice.choice([1, 5]), "noise_w": 10},
    )
    made = make_weather(read(raw), day(rows(raw, pv=[3000, 6000, 5000])))
    seldom = play(read(raw), made, policies.Surplus)
    monkeypatch.setattr(policies, "_REPEAT", 0)
    always = play(read(raw), made, policies.Surplus)
    assert always.decide_calls >= seldom.decide_calls
    assert always.allowances == seldom.allowances
    assert len(always.allowances) > 10


def test_with_locks_es_ess_violates_none() -> None:
    flicker = {"levels": [1.2, 0.2], "dwell_mean_s": 70, "dwell_min_s": 40, "smooth_s": 3}
    raw = house(
        consumer(min_on_s=150, min_off_s=100),
        consumer("pump", min_w=750, max_w=750, step_w=0, min_on_s=200, min_off_s=90, priority=5),
        seconds=3600,
        pv_flicker=flicker,
    )
    _, free = run(raw, policies.EsEss)
    _, locked = run(raw, policies.EsEssWithLocks)
    assert free["lock_violation_min"] > 0
    # A window that ends, an allowance that arrives a second late: nothing else may miss.
    assert locked["lock_violation_min"] == 0
    assert 0 < locked["starts"] < free["starts"]


def owned(settings: dict[str, Any], rules: dict[str, Any], *specs: dict[str, Any]) -> Known:
    """The same, in the house of an owner with these words."""
    scenario = read(house(*specs))
    owner = Owner(Settings(**settings), rules)
    return Known(tuple(scenario.consumers), None, [0.3] * 9, [0.1] * 9, owner)


def given(known: Known, policy: Any = policies.Heliograph, sun: float = 2500) -> float:
    """What the heater has after a minute of steady sun."""
    made, watts = policy(known), 0.0
    for second in range(1, 60):
        reading = Reading(watts - sun, 4000, 0, None)
        told = made.step(second, reading, [Report("heater", watts, 3000)])
        watts = (told or {}).get("heater", watts)
    return watts


def test_the_owner_s_settings_and_rules_hold_in_his_house() -> None:
    dear, cheap = (ConsumerRule(value_per_kwh=value) for value in (0.25, 0.01))
    plain = {"strategy": "value"}
    assert given(owned(plain, {"heater": dear}, consumer())) == 2500
    assert given(owned(plain, {"heater": cheap}, consumer())) == 0  # sold for more
    assert given(owned(plain | {"reservation": 900}, {"heater": dear}, consumer())) == 1500
    assert given(owned(plain, {"heater": ConsumerRule(automatic=False)}, consumer())) == 0
    # Who shares what is there asks for no price.
    assert given(owned({"strategy": "surplus"}, {"heater": cheap}, consumer())) == 2500
    assert given(owned({"strategy": "es_ess"}, {"heater": cheap}, consumer()), sun=2499) == 2000
    assert given(owned({"strategy": "es_ess"}, {}, consumer())) == 2000  # an exact fit is refused


def test_a_policy_with_a_strategy_of_its_own_keeps_to_it() -> None:
    cheap = {"heater": ConsumerRule(value_per_kwh=0.01)}
    assert given(owned({"strategy": "surplus"}, cheap, consumer()), policies.Value) == 0
    assert given(owned({"strategy": "value"}, cheap, consumer()), policies.Surplus) == 2500


def test_what_else_a_consumer_says_is_heard(heard: list[Heard]) -> None:
    spec = consumer(says={"StartDelay": 30.0, "IgnoreBatReservation": 1.0})
    policy = policies.Heliograph(owned({"strategy": "value", "reservation": 9000}, {}, spec))
    told = []
    for second in range(1, 40):
        policy.step(second, Reading(-2000, 4000, 0, None), [Report("heater", 0, 3000)])
        told.append(policy.reasons.get("heater", ""))
    assert all(text.startswith("starts in ") for text in told[2:30])
    assert told[-1] == "2000 W of 3000 W: what pays with the sun there is"
    fields = heard[0].requests[0][1]
    assert fields["StartDelay"] == 30
    assert fields["IgnoreBatReservation"] == 1


@pytest.mark.parametrize("ttl", [10, 0])
def test_a_request_stays_alive_however_short_its_life(ttl: float) -> None:
    assert given(owned({"strategy": "surplus", "request_ttl": ttl}, {}, consumer())) == 2500


def test_the_rule_of_es_ess_knows_who_ignores_the_reservation() -> None:
    spec = consumer(says={"IgnoreBatReservation": 1.0})
    policy = policies.EsEss(known(spec, battery=BATTERY))
    policy.step(59, Reading(-1600, 4000, 0, 40.0), [Report("heater", 0, 3000)])
    assert policy.step(60, None, []) == {"heater": 1500}  # of which 1000 W were reserved
