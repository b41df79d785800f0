"""Zeros that are no value, and those that are."""

from __future__ import annotations

from typing import Any

import pytest

from actors.devices.victron_modbus.readings import Meter, refined

METER = Meter(known=True, phases=3)


def system(**more: Any) -> dict[str, Any]:
    given = {
        "GridPower": 300.0,
        "GridPowerL1": 300.0,
        "GridPowerL2": 0.0,
        "GridPowerL3": 0.0,
        "LoadPower": 800.0,
        "LoadPowerL1": 800.0,
        "LoadPowerL2": 0.0,
        "LoadPowerL3": 0.0,
        "PvPower": 0.0,
        "PvPowerL1": 0.0,
        "PvPowerL2": 0.0,
        "PvPowerL3": 0.0,
        "GeneratorPower": 0.0,
        "BatteryVoltage": 52.0,
        "BatteryState": "idle",
        "BatteryTimeToGo": 3600.0,
    }
    return given | more


NO_GRID = dict.fromkeys(("GridPower", "GridPowerL1"), 0.0)


def test_a_single_phase_has_no_second_one() -> None:
    found = refined("system", system(), {})
    assert (found["GridPowerL1"], found["GridPowerL2"], found["LoadPowerL3"]) == (300.0, None, None)
    assert found["GridPower"] == 300.0


@pytest.mark.parametrize(
    ("rows", "meter"), [({"vebus_ac_number_of_phases": 3}, Meter()), ({}, METER)]
)
def test_three_phases_are_there_when_something_says_so(rows: Any, meter: Meter) -> None:
    found = refined("system", system(), rows, meter)
    assert (found["GridPowerL2"], found["LoadPowerL3"]) == (0.0, 0.0)


def test_a_phase_that_carries_power_is_there_and_those_before_it() -> None:
    found = refined("system", system(PvPowerL2=5.0), {})
    assert (found["PvPowerL2"], found["GridPowerL2"], found["GridPowerL3"]) == (5.0, 0.0, None)


@pytest.mark.parametrize(
    ("values", "rows", "meter", "grid"),
    [
        (NO_GRID, {}, Meter(), None),  # nothing says that anybody measures
        (NO_GRID, {"system_ac_active_in_source": "not_available"}, Meter(), None),
        (NO_GRID, {"system_ac_active_in_source": "grid"}, Meter(), 0.0),
        (NO_GRID, {"system_ac_active_in_source": "not_connected"}, Meter(), 0.0),
        (NO_GRID, {}, METER, 0.0),
        ({}, {}, Meter(), 300.0),
        # A meter that was there and is gone: what the GX shows is made up.
        ({}, {"system_ac_active_in_source": "grid"}, Meter(known=True, lost=True), None),
        (
            {},
            {"settings_settings_cgwacs_run_without_grid_meter": "inverter"},
            Meter(known=True, lost=True),
            300.0,
        ),
    ],
)
def test_a_grid_that_nobody_measures_is_unknown(
    values: Any, rows: Any, meter: Meter, grid: float | None
) -> None:
    found = refined("system", system(**values), rows, meter)
    assert found["GridPower"] == grid
    # The GX computes the load from the grid.
    assert (found["LoadPower"] is None) == (grid is None)


def test_a_house_on_its_generator_buys_what_that_delivers() -> None:
    rows: dict[str, Any] = {
        "system_ac_active_in_source": "generator",
        "system_ac_genset_l1_power_32": 2500.0,
        "system_ac_genset_l2_power_32": 0.0,
        "system_ac_genset_l3_power_32": 0.0,
    }
    found = refined("system", system(**NO_GRID, GeneratorPower=2500.0), rows)
    assert (found["GridPower"], found["GridPowerL1"]) == (2500.0, 2500.0)
    assert found["GeneratorPower"] == 2500.0
    unknown = refined("system", system(**NO_GRID, GeneratorPower=None), rows)
    assert unknown["GridPower"] is None


def test_a_house_without_a_generator_does_not_speak_of_one() -> None:
    assert refined("system", system(), {}, METER)["GeneratorPower"] is None


def test_without_a_battery_its_state_is_unknown() -> None:
    found = refined("system", system(BatteryVoltage=None), {}, METER)
    assert (found["BatteryState"], found["BatteryTimeToGo"]) == (None, None)


def test_a_meter_has_the_phases_that_it_sees() -> None:
    values: dict[str, Any] = {
        "GridPower": 40.0,
        **{f"GridPowerL{n}": 40.0 if n == 1 else 0.0 for n in (1, 2, 3)},
        **{f"GridCurrentL{n}": 0.0 for n in (1, 2, 3)},
        "GridVoltageL1": 230.0,
        "GridVoltageL2": None,
        "GridVoltageL3": None,
        "GridFrequency": 50.0,
    }
    found = refined("grid", values, {})
    assert (found["GridPowerL1"], found["GridPowerL2"], found["GridCurrentL3"]) == (
        40.0,
        None,
        None,
    )


def test_a_meter_that_measures_nothing_knows_nothing() -> None:
    values: dict[str, Any] = {"GridPower": 0.0, "GridCurrentL1": 0.0, "GridFrequency": None}
    values |= {f"GridPowerL{n}": 0.0 for n in (1, 2, 3)}
    found = refined("grid", values, {})
    assert set(found.values()) == {None}
    assert refined("grid", values | {"GridFrequency": 50.0}, {})["GridPower"] == 0.0


def test_an_inverter_of_one_phase() -> None:
    values: dict[str, Any] = {
        f"{side}{what}L{n}": 0.0
        for side in ("", "Inverter")
        for what in ("Current", "Power")
        for n in (1, 2, 3)
    }
    found = refined("vebus", values | {"VoltageL1": 230.0}, {"vebus_ac_number_of_phases": 1})
    assert (found["PowerL1"], found["PowerL2"], found["InverterCurrentL3"]) == (0.0, None, None)
    three = refined("vebus", values, {"vebus_ac_number_of_phases": 3})
    assert three["PowerL3"] == 0.0
