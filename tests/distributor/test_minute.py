"""`strategy: es_ess` through the core itself: their shares and their minute, our safety."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.distributor.core import Balance, CoreSettings, Distributor
from actors.distributor.es_ess import Ask, distribute
from tests.distributor.test_es_ess import CASES

if TYPE_CHECKING:
    from actors.distributor.core import Decision

HEATER = {"IsAutomatic": True, "Request": 3000.0, "StepSize": 1000.0, "Priority": 10.0}
PUMP = {"IsAutomatic": True, "Request": 700.0, "StepSize": 700.0, "Priority": 20.0}


class House:
    """A core whose consumers draw what they are given; the rest is what `sun` says, W."""

    def __init__(self, sun: float, **consumers: dict[str, Any]) -> None:
        self.core = Distributor(CoreSettings(strategy="es_ess"))
        self.sun = sun
        self.drawn = dict.fromkeys(consumers, 0.0)
        self.fields = consumers
        for name, fields in consumers.items():
            self.core.request(name, {**fields, "Consumption": 0.0}, 0.0)

    def at(self, now: float) -> Decision:
        """What is decided then, the meter and the consumers having spoken."""
        self.core.balance(Balance(sum(self.drawn.values()) - self.sun), now)
        for name, watts in self.drawn.items():
            self.core.request(name, {"Consumption": watts}, now)
        return self.follow(self.core.decide(now))

    def follow(self, decision: Decision) -> Decision:
        for name, verdict in decision.allowances.items():
            self.drawn[name] = min(verdict.allowance, self.fields[name]["Request"])
        return decision


def shares(decision: Decision) -> dict[str, float]:
    return {name: verdict.allowance for name, verdict in decision.allowances.items()}


def reasons(decision: Decision) -> dict[str, str]:
    return {name: verdict.reason for name, verdict in decision.allowances.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_recorded_case_comes_out_of_the_core(case: dict[str, Any]) -> None:
    core = Distributor(CoreSettings(strategy="es_ess", reservation=case["reservation"]))
    for fields in case["consumers"]:
        rest = {name: value for name, value in fields.items() if name != "key"}
        core.request(fields["key"], rest, 0.0)
    core.balance(Balance(case["grid"], battery=case["battery"], battery_present=True), 0.2)
    decision = core.decide(0.2)
    assert shares(decision) == pytest.approx(case["allowances"], abs=1e-6)
    assert all(reasons(decision).values())


watts = st.integers(1, 8000).map(float)


@given(
    st.lists(
        st.tuples(watts, watts, st.integers(0, 1), st.integers(0, 3), st.booleans()), max_size=6
    ),
    st.integers(-9000, 500),
    st.integers(0, 4000),
)
@settings(max_examples=200, deadline=None)
def test_the_core_shares_exactly_as_the_rule_does(
    wishes: list[tuple[float, float, int, int, bool]], grid: int, reservation: int
) -> None:
    core = Distributor(CoreSettings(strategy="es_ess", reservation=reservation))
    asks = []
    for number, (request, step, minimum, shift, ignores) in enumerate(wishes):
        least = min(request, 1380.0) * minimum
        ask = Ask(f"c{number}", request, step, least, float(number % 3), shift, ignores, 0.0)
        asks.append(ask)
        fields: dict[str, Any] = {"IsAutomatic": True, "Request": request, "StepSize": step}
        fields |= {"Minimum": least, "Priority": ask.priority, "PriorityShift": float(shift)}
        core.request(ask.key, {**fields, "IgnoreBatReservation": ignores}, 0.0)
    core.balance(Balance(grid), 0.2)
    expected, _ = distribute(max(0.0, -grid), reservation, asks)
    assert shares(core.decide(0.2)) == pytest.approx(expected, abs=1e-6)


def test_who_names_no_step_gets_all_or_nothing_as_their_switches_do() -> None:
    pool = {"IsAutomatic": True, "Request": 900.0, "Minimum": 300.0}
    assert shares(House(950, pool=pool).at(1.0)) == {"pool": 900}
    assert shares(House(850, pool=pool).at(1.0)) == {"pool": 0}


def test_a_share_stands_for_a_minute_whatever_the_sun_does() -> None:
    house = House(3500, heater=HEATER)
    assert shares(house.at(1.0)) == {"heater": 3000}
    house.sun = 0
    decision = house.at(1.5)
    for second in range(2, 61):
        decision = house.at(float(second))
        assert shares(decision) == {"heater": 3000}
        assert decision.wake is not None
        assert decision.wake <= 61
    assert reasons(decision)["heater"] == "all of 3000 W granted; shared anew in 1 s"
    decision = house.at(61.0)
    assert shares(decision) == {"heater": 0}
    sentence = "starts above 1000 W, 0 W were left; shared anew in 60 s"
    assert reasons(decision)["heater"] == sentence
    house.sun = 9000
    assert shares(house.at(120.0)) == {"heater": 0}
    assert shares(house.at(121.0)) == {"heater": 3000}


def test_whoever_follows_the_wakes_alone_meets_the_division() -> None:
    core = Distributor(CoreSettings(strategy="es_ess", request_ttl=0), meter_max_age=1000)
    core.request("heater", {**HEATER, "Consumption": 0.0}, 0.0)
    core.balance(Balance(-2500), 5.0)
    decision = core.decide(5.0)
    core.balance(Balance(500), 6.0)
    now = 6.0
    while shares(decision) == {"heater": 2000}:
        assert decision.wake is not None
        now = decision.wake
        decision = core.decide(now)
    assert now == 65.0


def test_the_sentences_name_the_share_and_the_next_division() -> None:
    wide = {**HEATER, "Request": 3300.0}
    told = reasons(House(2500, heater=HEATER, pump=PUMP).at(1.0))
    assert told == {
        "heater": "2000 W of 3000 W, its share of 2500 W; shared anew in 60 s",
        "pump": "starts above 700 W, 500 W were left; shared anew in 60 s",
    }
    told = reasons(House(4500, heater=wide).at(1.0))
    assert told["heater"] == (
        "4000 W granted for 3300 W, the last step being a whole one; shared anew in 60 s"
    )
    core = Distributor(CoreSettings(strategy="es_ess", reservation=2000))
    core.request("heater", HEATER, 0.0)
    core.balance(Balance(-2500), 1.0)
    assert reasons(core.decide(1.0))["heater"] == (
        "starts above 1000 W, 500 W were left after 2000 W for the battery; shared anew in 60 s"
    )


def test_a_newcomer_waits_for_the_next_division() -> None:
    house = House(5000, heater=HEATER)
    house.at(1.0)
    house.fields["pump"], house.drawn["pump"] = PUMP, 0.0
    house.core.request("pump", PUMP, 20.0)
    decision = house.at(27.0)
    assert shares(decision) == {"heater": 3000, "pump": 0}
    assert reasons(decision)["pump"] == "takes part when power is shared anew in 34 s"
    assert shares(house.at(61.0)) == {"heater": 3000, "pump": 700}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda core: core.pause(on=True), "paused by the owner"),
        (lambda core: core.stop(), "the distributor is stopping"),
        (lambda core: core.hold("another one is at work", 20.0), "another one is at work"),
        (
            lambda core: core.override("heater", "IsAutomatic", value=False),
            "not automatic: IsAutomatic is false",
        ),
        (lambda core: core.request("heater", {"Request": 0.0}, 20.0), "asks for nothing"),
    ],
)
def test_what_ends_a_share_ends_it_at_once(act: Any, sentence: str) -> None:
    house = House(3500, heater={**HEATER, "MinOn": 600.0})
    assert shares(house.at(1.0)) == {"heater": 3000}
    act(house.core)
    decision = house.core.decide(20.0)
    assert shares(decision) == {"heater": 0}
    assert reasons(decision)["heater"].startswith(sentence)


def test_a_silent_meter_ends_it_and_its_return_divides_anew() -> None:
    house = House(3500, heater={**HEATER, "MinOn": 600.0})
    assert shares(house.at(1.0)) == {"heater": 3000}
    decision = house.follow(house.core.decide(9.5))
    assert shares(decision) == {"heater": 0}
    assert reasons(decision)["heater"] == "grid meter silent for 8 s"
    assert shares(house.at(14.0)) == {"heater": 3000}


def test_a_silent_consumer_loses_its_share() -> None:
    house = House(3500, heater=HEATER)
    decision = house.at(1.0)
    for second in range(5, 200, 5):
        house.core.balance(Balance(-500), float(second))
        decision = house.core.decide(float(second))
    assert shares(decision) == {"heater": 0}
    assert reasons(decision)["heater"].startswith("no message from heater for ")


def test_who_leaves_within_the_minute_has_left_its_share() -> None:
    house = House(3500, heater=HEATER, pump=PUMP)
    assert shares(house.at(1.0)) == {"heater": 3000, "pump": 0}
    house.core.request("heater", {"IsAutomatic": False}, 5.0)
    assert shares(house.at(6.0)) == {"heater": 0, "pump": 0}
    house.core.request("heater", {"IsAutomatic": True}, 7.0)
    assert shares(house.at(8.0)) == {"heater": 0, "pump": 0}
    assert shares(house.at(61.0)) == {"heater": 3000, "pump": 0}


def test_what_is_kept_on_is_taken_from_the_others() -> None:
    house = House(3500, heater=HEATER, pump={**PUMP, "Priority": 5.0, "MinOn": 100.0})
    assert shares(house.at(1.0)) == {"heater": 2000, "pump": 700}
    house.sun = 1600
    # On with what there is anyway: nothing is locked.
    assert shares(house.at(61.0)) == {"heater": 0, "pump": 700}
    house = House(3500, heater={**HEATER, "MinOn": 100.0}, pump={**PUMP, "Priority": 5.0})
    assert shares(house.at(1.0)) == {"heater": 2000, "pump": 700}
    house.sun = 1600
    decision = house.at(61.0)
    assert shares(decision) == {"heater": 1000, "pump": 0}
    assert reasons(decision)["heater"] == "kept on for another 60 s (MinOn)"
    assert shares(house.at(121.0)) == {"heater": 0, "pump": 700}


def test_min_off_and_the_delays_are_counted_at_the_divisions() -> None:
    house = House(1500, heater={**HEATER, "MinOff": 90.0, "StartDelay": 70.0, "StopDelay": 30.0})
    decision = house.at(1.0)
    assert shares(decision) == {"heater": 0}
    assert reasons(decision)["heater"] == "starts in 120 s if the sun holds (StartDelay)"
    assert shares(house.at(61.0)) == {"heater": 0}
    assert shares(house.at(121.0)) == {"heater": 1000}
    house.sun = 0
    decision = house.at(181.0)
    assert shares(decision) == {"heater": 1000}
    assert reasons(decision)["heater"] == "stops in 60 s unless the sun returns (StopDelay)"
    assert shares(house.at(241.0)) == {"heater": 0}
    house.sun = 9000
    decision = house.at(301.0)
    assert shares(decision) == {"heater": 0}
    assert reasons(decision)["heater"] == "off for another 60 s (MinOff)"
    assert shares(house.at(361.0)) == {"heater": 0}  # the delay begins when it may start
    assert shares(house.at(481.0)) == {"heater": 3000}
