"""Which parts a house has, what is unknown without them, and the balance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.devices.sun2000.house import has_battery, refine

ALL = {"PvPower": 3000.0, "GridPower": -500.0, "BatteryPower": -1500.0, "GridFrequency": 50.0}
watts = st.floats(-20_000, 20_000)


@pytest.mark.parametrize(
    ("rows", "there"),
    [
        ({}, False),
        ({"storage_rated_capacity": None, "storage_state_of_capacity": None}, False),
        ({"storage_rated_capacity": 0, "storage_charge_discharge_power": 0}, False),
        ({"storage_rated_capacity": 10_000}, True),
        ({"storage_rated_capacity": None, "storage_state_of_capacity": 12.5}, True),
        ({"storage_rated_capacity": 0, "storage_charge_discharge_power": -40}, True),
    ],
)
def test_a_battery_is_there_when_it_tells_something(
    rows: dict[str, float | str | None], there: bool
) -> None:
    assert has_battery(rows) is there


@given(pv=st.floats(0, 20_000), grid=watts, battery=watts)
def test_the_balance_holds(pv: float, grid: float, battery: float) -> None:
    found = refine({"PvPower": pv, "GridPower": grid, "BatteryPower": battery}, {}, battery=True)
    assert found["LoadPower"] == pytest.approx(pv + grid + battery)


@pytest.mark.parametrize("missing", ["PvPower", "GridPower", "BatteryPower"])
def test_a_part_that_is_unknown_leaves_the_load_unknown(missing: str) -> None:
    found = refine(ALL | {missing: None}, {}, battery=True)
    assert found["LoadPower"] is None
    assert found[missing] is None


def test_without_a_battery_sun_and_grid_are_all_there_is() -> None:
    found = refine(ALL | {"BatteryPower": 0, "BatterySoc": 0}, {}, battery=False)
    assert found["LoadPower"] == 2500
    assert (found["BatteryPower"], found["BatterySoc"]) == (None, None)


def test_a_meter_that_is_offline_tells_nothing() -> None:
    found = refine(dict(ALL), {"meter_status": "offline"}, battery=True)
    assert (found["GridPower"], found["LoadPower"]) == (None, None)
    assert found["GridFrequency"] == 50.0
    assert refine(dict(ALL), {"meter_status": "normal"}, battery=True)["GridPower"] == -500
