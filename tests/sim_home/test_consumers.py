"""Consumers: they ask, they obey, and without a fresh allowance they draw nothing."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.sim.sim_home.consumers import Consumer, make_consumers
from actors.sim.sim_home.models import Car, Cellar, Pool, Tank
from actors.sim.sim_home.reporter import Reporter
from actors.sim.sim_home.settings import ConsumerOverrides

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("ev", "heater", "pump", "dehumidifier")
TICK = 0.25
NOON = 43_200.0


def make(name: str, **overrides: object) -> Consumer:
    chosen = {name: ConsumerOverrides(**overrides)}  # type: ignore[arg-type]
    (consumer,) = make_consumers(chosen).values()  # type: ignore[arg-type]
    return consumer


class Bench:
    """Moves one consumer on in ticks, at the speed of real time."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.now = 100.0

    def run(self, seconds: float, speed: float = 1.0) -> list[float]:
        return list(self._run(seconds, speed))

    def _run(self, seconds: float, speed: float) -> Iterator[float]:
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            yield self.consumer.step(self.now, TICK, TICK * speed, NOON)

    def allow(self, watts: float) -> None:
        self.consumer.hear_allowance(watts, self.now)


def test_what_each_asks_for() -> None:
    asked = {name: make(name).fields() for name in NAMES}
    shared = {"IsAutomatic": True, "IgnoreBatReservation": False}
    assert asked["ev"] == shared | {
        "CustomName": "EV charger", "Priority": 35, "PriorityShift": 1,
        "Minimum": 1380, "StepSize": 230, "Request": 11000,
    }  # fmt: skip
    assert asked["heater"]["StepSize"] == 1000
    assert asked["heater"]["Request"] == 3000
    assert "Minimum" not in asked["heater"]
    assert asked["pump"]["Request"] == 750
    assert asked["pump"]["MinOn"] > 0  # type: ignore[operator]
    assert asked["dehumidifier"]["Request"] == 300
    for name in ("pump", "dehumidifier"):
        assert "StepSize" not in asked[name]  # all or nothing


@pytest.mark.parametrize(
    ("name", "allowance", "watts"),
    [
        ("ev", 1379, 0), ("ev", 1380, 1380), ("ev", 1609.9, 1380), ("ev", 1610, 1610),
        ("ev", 5000, 4830), ("ev", 11000, 11000), ("ev", 20000, 11000), ("ev", 10999, 10810),
        ("heater", 999, 0), ("heater", 1000, 1000), ("heater", 2999, 2000), ("heater", 3000, 3000),
        ("pump", 749, 0), ("pump", 750, 750), ("pump", 9000, 750),
        ("dehumidifier", 299, 0), ("dehumidifier", 300, 300),
    ],
)  # fmt: skip
def test_the_level_that_an_allowance_permits(name: str, allowance: float, watts: float) -> None:
    assert make(name).level(allowance) == pytest.approx(watts)
    bench = Bench(make(name))
    bench.allow(allowance)
    assert bench.run(20)[-1] == pytest.approx(watts)


@pytest.mark.parametrize("name", NAMES)
def test_it_obeys_after_its_lag_and_not_before(name: str) -> None:
    bench = Bench(make(name, lag=2.0, ramp=0.0))
    bench.allow(11000)
    before, after = bench.run(1.75), bench.run(0.25)
    assert set(before) == {0.0}
    assert after[-1] == bench.consumer.spec.request
    bench.allow(0)
    assert set(bench.run(1.75)) == {bench.consumer.spec.request}
    assert bench.run(0.25) == [0.0]


def test_the_car_begins_at_its_minimum_and_ramps() -> None:
    bench = Bench(make("ev"))
    bench.allow(6900)
    bench.run(1.75)
    draws = bench.run(10)
    assert draws[0] == 1380
    steps = [b - a for a, b in itertools.pairwise(draws)]
    assert max(steps) == pytest.approx(1500 * TICK)
    assert draws[-1] == 6900
    assert draws == sorted(draws)
    bench.allow(1380)
    down = bench.run(10)
    assert min(b - a for a, b in itertools.pairwise(down)) == pytest.approx(-375)
    assert down[-1] == 1380


@pytest.mark.parametrize("name", NAMES)
def test_a_lapsed_lease_stops_it_within_a_tick(name: str) -> None:
    bench = Bench(make(name, ramp=0.0))
    bench.allow(11000)
    draws = bench.run(30)
    assert draws[-1] == bench.consumer.spec.request
    assert bench.run(TICK) == [0.0]
    assert set(bench.run(60)) == {0.0}
    bench.allow(11000)  # a new lease starts it again
    assert bench.run(5)[-1] == bench.consumer.spec.request


def test_a_repeated_lease_keeps_it_on() -> None:
    bench = Bench(make("pump"))
    draws: list[float] = []
    for _ in range(12):
        bench.allow(750)
        draws += bench.run(10)
    assert set(draws[4:]) == {750.0}


def test_a_lease_counts_from_the_allowance_and_not_from_its_effect() -> None:
    bench = Bench(make("pump", lag=20.0))
    bench.allow(750)
    draws = bench.run(60)
    assert sum(watts > 0 for watts in draws) * TICK == pytest.approx(10, abs=2 * TICK)


@pytest.mark.parametrize("name", NAMES)
def test_a_distributor_that_goes_offline_stops_it_at_once(name: str) -> None:
    bench = Bench(make(name, ramp=0.0))
    bench.consumer.hear_distributor(online=True)
    bench.allow(11000)
    assert bench.run(5)[-1] > 0
    bench.consumer.hear_distributor(online=False)
    assert bench.run(TICK) == [0.0]
    bench.allow(11000)  # what still comes is not believed
    assert set(bench.run(5)) == {0.0}
    bench.consumer.hear_distributor(online=True)
    assert set(bench.run(5)) == {0.0}  # nor what came before
    bench.allow(11000)
    assert bench.run(5)[-1] > 0


@given(st.lists(st.tuples(st.floats(0, 40), st.floats(0, 12_000)), max_size=15))
def test_it_never_draws_more_than_it_was_allowed_within_lag_and_ramp(
    messages: list[tuple[float, float]],
) -> None:
    for name in NAMES:
        consumer = make(name, ramp=0.0)
        bench = Bench(consumer)
        heard: list[tuple[float, float]] = []
        for pause, watts in messages:
            bench.run(pause)
            bench.allow(watts)
            heard.append((bench.now, watts))
            for draw in bench.run(3):
                live = [w for at, w in heard if bench.now - at <= consumer.spec.lag + 30 + 3]
                assert draw <= max(live, default=0.0) + 1e-6


def test_the_car_asks_until_it_is_full_and_again_the_next_day() -> None:
    car = Car(2.0)
    for _ in range(3600):
        car.step(2000 / 0.9 * 1.001, 1.0, NOON)
    assert not car.wants
    car.step(0, 1.0, 100.0)  # after midnight
    assert car.missing == pytest.approx(2.0)
    for _ in range(100):
        car.step(0, 1.0, 80_000)
        car.step(0, 1.0, 0)
    assert car.missing == 60.0  # it has a battery of that size


def test_the_tank_heats_switches_off_and_cools_again() -> None:
    tank = Tank(8.0)
    hours = 0.0
    while tank.wants:
        tank.step(3000, 10.0, NOON - 10_000)
        hours += 10 / 3600
    assert hours == pytest.approx(300 * 4.186 * 13 / 3600 / 3, rel=0.05)
    assert tank.temperature == pytest.approx(60, abs=0.1)
    tank.step(0, 10, NOON - 10_000)
    assert not tank.wants  # not before COLD
    temperature = tank.temperature
    for second in range(int(18.8 * 3600), 20 * 3600, 10):
        tank.step(0, 10.0, second)
    assert tank.wants
    assert temperature - tank.temperature == pytest.approx(8 * 0.45 / 0.349, rel=0.1)


def test_the_pump_counts_its_hours_and_the_cellar_its_damp() -> None:
    pool = Pool(1.0)
    for _ in range(60):
        pool.step(0, 60, NOON)
    assert pool.left == 3600
    for _ in range(60):
        pool.step(750, 60, NOON)
    assert not pool.wants
    pool.step(0, 60, 30)
    assert pool.wants
    cellar = Cellar(25.0)
    while cellar.wants:
        cellar.step(300, 60, NOON)
    assert cellar.humidity == pytest.approx(50, abs=0.1)
    while not cellar.wants:
        cellar.step(0, 60, NOON)
    assert cellar.humidity == pytest.approx(56, abs=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_one_that_has_enough_stops_and_asks_for_nothing(name: str) -> None:
    bench = Bench(make(name, need=0.01))
    for _ in range(4000):
        if bench.consumer.request == 0:
            break
        bench.allow(11000)
        bench.run(10, speed=60)
    assert bench.consumer.request == 0
    assert bench.consumer.fields()["Request"] == 0
    bench.allow(11000)
    assert bench.run(TICK) == [0.0]


def test_overrides_change_only_what_they_name() -> None:
    ev = make("ev", id="wallbox", request=3680, priority=5, min_on=300, automatic=False)
    assert ev.id == "wallbox"
    assert ev.fields() == {
        "CustomName": "wallbox", "IsAutomatic": False, "IgnoreBatReservation": False,
        "Priority": 5, "PriorityShift": 1, "Minimum": 1380, "StepSize": 230, "MinOn": 300,
        "Request": 3680,
    }  # fmt: skip


# ------------------------------------------------------------------------------------ the reporter


def talk(reporter: Reporter, begin: float, seconds: float) -> list[tuple[float, dict[str, Any]]]:
    said = []
    for index in range(round(seconds / TICK)):
        now = begin + index * TICK
        fields = reporter.due(now)
        if fields:
            said.append((now - begin, dict(fields)))
    return said


def test_everything_is_said_at_first_and_every_30_s() -> None:
    consumer = make("ev")
    said = talk(Reporter(consumer), 50.0, 65)
    whole = consumer.fields() | {"Consumption": 0.0}
    assert [(at, fields) for at, fields in said if len(fields) > 1] == [
        (0, whole), (30, whole), (60, whole),
    ]  # fmt: skip
    assert [at for at, fields in said if "Consumption" in fields] == [0, 10, 20, 30, 40, 50, 60]


def test_changes_are_said_at_once_and_alone() -> None:
    consumer = make("pump")
    reporter = Reporter(consumer)
    reporter.due(0)
    consumer.draw = 750
    assert reporter.due(0.25) == {"Consumption": 750}
    consumer.draw = 769  # less than 20 W and less than 5 %
    assert reporter.due(0.5) == {}
    consumer.draw = 770
    assert reporter.due(0.75) == {"Consumption": 770}
    assert isinstance(consumer.model, Pool)
    consumer.model.left = 0
    consumer.draw = 0
    assert reporter.due(1.0) == {"Request": 0, "Consumption": 0}


def test_small_draws_report_by_share() -> None:
    consumer = make("pump")
    reporter = Reporter(consumer)
    reporter.due(0)
    consumer.draw = 10
    assert reporter.due(0.25) == {"Consumption": 10}
    consumer.draw = 10.4
    assert reporter.due(0.5) == {}
    consumer.draw = 10.6
    assert reporter.due(0.75) == {"Consumption": 10.6}


def test_asked_to_repeat_it_says_everything_again() -> None:
    consumer = make("heater")
    reporter = Reporter(consumer)
    reporter.due(0)
    assert reporter.due(1) == {}
    reporter.repeat()
    assert reporter.due(1.25) == consumer.fields() | {"Consumption": 0.0}
