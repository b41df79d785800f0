"""Setpoints for the AC input, and the cases in which the battery must not be moved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.devices.victron_modbus.recipes import (
    Guards,
    Powers,
    allowed_by_bms,
    battery_power,
    both,
    feed_in_objection,
    input_setpoints,
    objection,
    setpoints_objection,
)

GOOD = Guards(soc=50.0, min_soc=20.0, battery_life="off", input="ac_input_1", switch="on")


def with_(**more: object) -> Guards:
    known: dict[str, Any] = {name: getattr(GOOD, name) for name in GOOD.__slots__}
    return Guards(**(known | more))


# ------------------------------------------------------------------------------------- setpoints


def test_one_phase_discharges_what_the_loads_do_not_take_into_the_grid() -> None:
    # 800 W of loads, 2000 W out of the battery: 1200 W are left to feed in.
    now = Powers(inputs=(800.0,), outputs=(800.0,), battery=0.0)
    assert input_setpoints(2000.0, now) == (-1200,)


def test_one_phase_charges_with_the_loads_on_top() -> None:
    now = Powers(inputs=(800.0,), outputs=(800.0,), battery=0.0)
    assert input_setpoints(-1500.0, now) == (2300,)


def test_solar_on_the_dc_side_leaves_through_the_inverter_too() -> None:
    # The charger makes 600 W: for a battery at 0 W they must go out on the AC side.
    now = Powers(inputs=(800.0,), outputs=(800.0,), battery=-600.0, solar=600.0)
    assert input_setpoints(0.0, now) == (200,)


def test_loads_on_the_dc_side_are_fed_from_the_input() -> None:
    now = Powers(inputs=(0.0,), outputs=(0.0,), battery=300.0, dc_load=300.0)
    assert input_setpoints(0.0, now) == (300,)


def test_three_phases_share_evenly_whatever_hangs_on_each() -> None:
    now = Powers(inputs=(1000.0, 200.0, 0.0), outputs=(1000.0, 200.0, 0.0), battery=0.0)
    assert input_setpoints(3000.0, now) == (0, -800, -1000)


def test_what_is_lost_is_made_up_for() -> None:
    # 1000 W out of the battery bring 940 W: the 60 W are drawn less or fed in less.
    now = Powers(inputs=(-440.0,), outputs=(500.0,), battery=1000.0)
    assert now.loss == pytest.approx(60.0)
    assert input_setpoints(1000.0, now) == (-440,)


@pytest.mark.parametrize("inputs", [(-900.0,), (900.0,)])
def test_readings_that_do_not_belong_together_are_no_loss(inputs: tuple[float, ...]) -> None:
    # Taken while the power moved: more would come out than went in, or far too much be lost.
    now = Powers(inputs=inputs, outputs=(500.0,), battery=1000.0)
    assert now.loss == 0.0
    assert input_setpoints(1000.0, now) == (-500,)


watts = st.floats(-20000, 20000)


@given(watts, st.lists(watts, min_size=1, max_size=3), watts, st.floats(0, 9000))
def test_setpoints_lead_to_the_power_they_are_made_for(
    wanted: float, outputs: list[float], battery: float, solar: float
) -> None:
    now = Powers(tuple(outputs), tuple(outputs), battery, solar)
    setpoints = input_setpoints(wanted, now)
    assert battery_power(setpoints, now) == pytest.approx(wanted, abs=len(outputs))


# ---------------------------------------------------------------------------------------- guards


def test_nothing_speaks_against_a_healthy_battery() -> None:
    for watt in (3000.0, 0.0, -3000.0):
        assert objection(watt, GOOD) is None


@pytest.mark.parametrize(
    ("watt", "change", "words"),
    [
        (10.0, {"soc": 20.0}, "at 20 %, which is not above its minimum of 20 %"),
        (10.0, {"soc": 19.9}, "minimum of 20 %"),
        (10.0, {"soc": None}, "not known"),
        (10.0, {"min_soc": None}, "not known"),
        (10.0, {"battery_life": "self_consumption", "soc_limit": 60.0}, "minimum of 60 %"),
        (10.0, {"battery_life": "force_charge"}, "holding or raising"),
        (10.0, {"battery_life": "keep_charged"}, "holding or raising"),
        (10.0, {"allow_discharge": False}, "BMS does not allow it to be discharged"),
        (10.0, {"switch": "charger_only"}, "charging only"),
        (3001.0, {"max_discharge": 3000.0}, "3001 W is above MaxDischargePower"),
        (-10.0, {"allow_charge": False}, "BMS does not allow it to be charged"),
        (-10.0, {"charge_disabled": True}, "charging is disabled"),
        (-10.0, {"switch": "inverter_only"}, "inverting only"),
        (-10.0, {"switch": "off"}, "switched off"),
        (0.0, {"input": "disconnected"}, "the grid is away"),
    ],
)
def test_what_speaks_against(watt: float, change: dict[str, object], words: str) -> None:
    assert words in (objection(watt, with_(**change)) or "")


@pytest.mark.parametrize(
    ("watt", "change"),
    [
        (-10.0, {"soc": 5.0}),  # an empty battery may be charged
        (10.0, {"soc": 20.1}),
        (10.0, {"soc_limit": 60.0}),  # BatteryLife is off, its limit means nothing
        (10.0, {"allow_charge": False, "charge_disabled": True}),
        (-10.0, {"allow_discharge": False, "battery_life": "force_charge"}),
        (0.0, {"soc": 5.0, "allow_charge": False, "allow_discharge": False}),
    ],
)
def test_what_does_not_matter_in_this_direction(watt: float, change: dict[str, object]) -> None:
    assert objection(watt, with_(**change)) is None


def test_feeding_in_is_refused_where_it_is_disabled() -> None:
    shut = with_(feed_in_disabled=True)
    assert "feeding in is disabled" in (feed_in_objection((100, -1, 0), shut) or "")
    assert feed_in_objection((100, 0, 0), shut) is None
    assert feed_in_objection((100, -1, 0), GOOD) is None


def test_setpoints_of_the_owner_do_not_empty_the_battery_either() -> None:
    now = Powers(inputs=(1500.0,), outputs=(1500.0,), battery=0.0)
    low = with_(soc=15.0)
    assert "minimum of 20 %" in (setpoints_objection((0.0,), now, low) or "")
    assert setpoints_objection((1500.0,), now, low) is None
    assert setpoints_objection((2500.0,), now, low) is None
    shut = with_(feed_in_disabled=True)
    assert "feeding in" in (setpoints_objection((-500.0,), now, shut) or "")


# -------------------------------------------------------------------------------------- the BMS


@pytest.mark.parametrize(
    ("flag", "other", "limit", "voltage", "verdict"),
    [
        ("no", "no", 0.0, None, None),  # no BMS: everything reads 0
        (None, None, None, None, None),
        ("no", "yes", 0.0, None, False),
        ("yes", "no", 0.0, None, True),
        ("no", "yes", 100.0, 56.0, False),
        ("no", "no", 100.0, 56.0, True),  # a BMS with limits that has no such flags
        ("no", "no", 0.0, 56.0, False),
        ("yes", "yes", 0.0, 56.0, False),  # 0 A is a no
        ("yes", "yes", 100.0, 56.0, True),
    ],
)
def test_what_a_bms_says(
    flag: str | None,
    other: str | None,
    limit: float | None,
    voltage: float | None,
    verdict: bool | None,
) -> None:
    assert allowed_by_bms(flag, other, limit, voltage) is verdict


def test_one_no_is_enough() -> None:
    assert both(True, False) is False
    assert both(False, None) is False
    assert both(None, True) is True
    assert both(None, None) is None
