"""The power balance of a house, and what it says when something is missing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.site.core import NEVER, Roles, Seen, balance

MAX_AGE = {"GridPower": 8.0, "PvPower": 60.0, "BatteryPower": 15.0, "BatterySoc": 300.0}
ROLES = Roles(grid="meter", pv=("roof", "shed"), battery=("ess",))


def seen(age: float = 1.0, status: str | None = "online", **values: float | None) -> Seen:
    return Seen(values, age, status)


HOUSE = {
    "meter": seen(GridPower=-2000.0),
    "roof": seen(PvPower=3000.0),
    "shed": seen(PvPower=500.0),
    "ess": seen(BatteryPower=-700.0, BatterySoc=40.0),
}


def test_sources_are_positive_and_add_up_to_the_load() -> None:
    found = balance(ROLES, HOUSE, MAX_AGE)
    assert (found.grid, found.pv, found.battery, found.soc) == (-2000, 3500, -700, 40)
    assert found.load == 800
    assert found.why is None
    assert found.age == 1.0


@pytest.mark.parametrize(
    ("device", "now", "why"),
    [
        ("meter", seen(12.4, GridPower=5.0), "grid meter silent for 12 s"),
        ("meter", NEVER, "waiting for the grid meter"),
        ("meter", seen(1, "offline", GridPower=5.0), "grid meter is offline, silent for 1 s"),
        ("meter", seen(GridPower=None), "grid meter does not know its GridPower"),
        ("meter", seen(GridPower=math.nan), "grid meter does not know its GridPower"),
        ("shed", seen(61, PvPower=5.0), "PV inverter shed silent for 61 s"),
        ("ess", seen(16, BatteryPower=5.0), "battery ess silent for 16 s"),
    ],
)
def test_one_unknown_member_makes_its_sum_unknown(device: str, now: Seen, why: str) -> None:
    found = balance(ROLES, {**HOUSE, device: now}, MAX_AGE)
    assert found.why == why
    assert found.load is None


def test_a_house_without_pv_and_battery_needs_neither() -> None:
    found = balance(Roles(grid="meter"), HOUSE, MAX_AGE)
    assert (found.pv, found.battery, found.soc, found.why) == (0, 0, None, None)


def test_an_export_of_pv_that_nobody_meters_is_no_obstacle_and_no_load() -> None:
    seen = {
        "meter": Seen({"GridPower": -1500.0}, 0.0, "online"),
        "ess": Seen({"BatteryPower": 10.0, "BatterySoc": 90.0}, 0.0, "online"),
    }
    found = balance(Roles(grid="meter", battery=("ess",)), seen, MAX_AGE)
    assert (found.grid, found.battery, found.load, found.why) == (-1500, 10, None, None)


def test_no_grid_meter_is_an_unknown_grid() -> None:
    assert balance(Roles(grid=None), HOUSE, MAX_AGE).why == "no grid meter is configured"


def test_soc_is_weighted_by_capacity_where_all_tell_it() -> None:
    house = {
        "a": seen(BatterySoc=100.0, BatteryPower=0.0, BatteryCapacity=9000.0),
        "b": seen(BatterySoc=0.0, BatteryPower=0.0, BatteryCapacity=1000.0),
    }
    roles = Roles(grid=None, battery=("a", "b"))
    assert balance(roles, house, MAX_AGE).soc == 90
    house["b"] = seen(BatterySoc=0.0, BatteryPower=0.0)
    assert balance(roles, house, MAX_AGE).soc == 50


def test_a_load_meter_is_believed_over_the_sum() -> None:
    roles = Roles(grid="meter", load="house")
    found = balance(roles, {**HOUSE, "house": seen(LoadPower=123.0)}, MAX_AGE)
    assert found.load == 123


@pytest.mark.parametrize(("grid", "load"), [(-3600.0, 0.0), (-2850.0, 0.0), (-3700.0, None)])
def test_a_slightly_negative_load_is_noise_and_more_is_unknown(
    grid: float, load: float | None
) -> None:
    house = {**HOUSE, "meter": seen(GridPower=grid), "ess": seen(BatteryPower=0.0)}
    found = balance(ROLES, house, MAX_AGE)
    expected = 650.0 if grid == -2850.0 else load
    assert found.load == expected


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(numbers, numbers, numbers, st.floats(0, 100), st.sampled_from(["online", "offline", None]))
def test_never_raises_and_never_invents(
    grid: float | None, pv: float | None, battery: float | None, age: float, status: str | None
) -> None:
    house = {
        "meter": Seen({"GridPower": grid}, age, status),
        "roof": Seen({"PvPower": pv}, age, status),
        "shed": Seen({"PvPower": 0.0}, age, status),
        "ess": Seen({"BatteryPower": battery, "BatterySoc": 50.0}, age, status),
    }
    found = balance(ROLES, house, MAX_AGE)
    if None in (grid, pv, battery) or status == "offline" or age > MAX_AGE["GridPower"]:
        assert found.why is not None
