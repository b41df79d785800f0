"""A whole day with the real distributor: what the car gets, and what that costs in switching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charging.day import Day

if TYPE_CHECKING:
    from tests.charging.day import Numbers

HOUR = 3600


def told(name: str, day: Day, numbers: Numbers) -> None:
    print(
        f"{name}: car {numbers.car:.1f} kWh in {numbers.seconds_on / HOUR:.1f} h "
        f"({numbers.seconds_on_three / HOUR:.1f} h on three phases), of which "
        f"{numbers.imported:.2f} from the grid and {numbers.from_battery:.2f} from the battery, "
        f"exported {numbers.exported:.1f}; {numbers.starts} starts, {numbers.switches} changes of "
        f"phases, contactor {day.rig.charger.contactor}, {numbers.writes} writes"
    )


def promises(day: Day, numbers: Numbers) -> None:
    plan = day.rig.plan
    assert day.rig.charger.under_load == 0
    assert numbers.longest_above == 0
    assert numbers.without_lease == 0
    assert numbers.below_least == 0
    assert numbers.shortest_phase >= plan.phase_pause
    assert numbers.shortest_on >= plan.min_on
    assert numbers.shortest_off >= plan.min_off


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_day_with_moving_clouds() -> None:
    day = Day("broken", seed=1)
    numbers = day.run(14 * HOUR)
    told("broken sky", day, numbers)
    promises(day, numbers)
    assert numbers.car > 45
    assert numbers.imported < 0.2
    assert numbers.from_battery < 0.1 * numbers.car
    # A cloud passes every two minutes for twelve hours.
    assert numbers.starts <= 12
    assert 4 <= numbers.switches <= 36
    assert numbers.seconds_on_three > 4 * HOUR


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_clear_day_changes_phases_hardly_ever() -> None:
    day = Day("clear", seed=1)
    numbers = day.run(14 * HOUR)
    told("clear sky", day, numbers)
    promises(day, numbers)
    assert numbers.car > 50
    assert numbers.imported < 0.1
    assert numbers.switches <= 6
    assert numbers.starts <= 6


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_grey_day_without_a_home_battery() -> None:
    day = Day("overcast", seed=1, soc=None)
    numbers = day.run(14 * HOUR)
    told("overcast sky, no battery", day, numbers)
    promises(day, numbers)
    assert numbers.car > 5
    # What MinOn and StopDelay bridge comes from the grid here.
    assert numbers.imported < 0.15 * numbers.car
    assert numbers.switches <= 12


def test_two_hours_of_clouds_keep_the_promises() -> None:
    day = Day("broken", seed=3)
    day.at += 5 * HOUR
    numbers = day.run(2 * HOUR)
    promises(day, numbers)
    assert numbers.car > 3
    assert numbers.starts >= 1
    assert {"start_delay", "partial"} <= set(numbers.reasons)
