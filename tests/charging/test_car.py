"""The simulated car takes what it is offered, as far as it can."""

from __future__ import annotations

import pytest

from bridge.simulators.car import Car


def drive(car: Car, seconds: int, amps: float, phases: int = 3) -> None:
    for _ in range(seconds):
        car.step(1.0, amps, phases, 230.0)


def test_it_wakes_and_follows_upwards_slowly_and_downwards_at_once() -> None:
    car = Car(wakes=3, slew=2)
    drive(car, 3, 16)
    assert (car.power(230), car.state(16)) == (0, "waiting")
    drive(car, 1, 16)
    assert car.currents == (8, 8, 8)
    drive(car, 10, 16)
    assert car.power(230) == 11040
    drive(car, 1, 6)
    assert car.power(230) == 4140
    drive(car, 1, 5.9)
    assert (car.power(230), car.state(0)) == (0, "waiting")


@pytest.mark.parametrize(("its", "given", "used"), [(1, 3, 1), (2, 3, 2), (3, 3, 3), (3, 1, 1)])
def test_phases(its: int, given: int, used: int) -> None:
    car = Car(phases=its)
    drive(car, 60, 10, given)
    assert sum(amps > 0 for amps in car.currents) == used
    assert car.power(230) == 2300 * used


def test_its_own_charger_limits_the_current() -> None:
    car = Car(max_current=13)
    drive(car, 60, 32)
    assert car.currents == (13, 13, 13)


def test_it_becomes_full_and_takes_nothing_more() -> None:
    car = Car(capacity=1000, soc=79, target=80, loss=0.1)
    drive(car, 60, 16)
    assert car.full
    assert car.power(230) == 0
    assert (car.state(16), car.state(0)) == ("complete", "waiting")
    assert car.taken * 0.9 == pytest.approx((car.soc - 79) * 10)


def test_it_takes_less_towards_the_end() -> None:
    car = Car(capacity=60_000, soc=79, target=80, tapers=70)
    drive(car, 60, 16)
    assert 6 < car.current < 8


def test_unplugged_it_is_gone() -> None:
    car = Car()
    drive(car, 10, 16)
    car.unplug()
    assert (car.power(230), car.state(16)) == (0, "disconnected")
    drive(car, 10, 16)
    assert car.power(230) == 0
    car.plug(soc=10)
    assert (car.taken, car.soc, car.state(0)) == (0, 10, "waiting")
