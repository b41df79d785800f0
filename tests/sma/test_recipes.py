"""What a control writes and how it is given back; whether the battery follows; a PV's night."""

from __future__ import annotations

from typing import Any

import pytest

from actors.devices.sma.actor import Sma
from actors.devices.sma.recipes import WHY_NOT, Mode, Setpoint, at_night
from bridge.errors import DeviceError
from bridge.following import Following

LIMITS = {"battery_max_charge_power": 4600.0, "battery_max_discharge_power": 5000.0}


def setpoint(name: str) -> Setpoint:
    table = Sma.map(name)
    return Setpoint(table.controls["BatterySetpoint"], table)


def mode() -> Mode:
    table = Sma.map("sbs")
    return Mode(table.controls["BatteryMode"], table)


def written(steps: Any) -> dict[str, Any]:
    return {step.name: step.value for step in steps}


@pytest.mark.parametrize("value", [-4600.0, -1.0, 0.0, 2500.0, 5000.0])
def test_a_setpoint_on_a_sunny_island_is_six_words_in_order(value: float) -> None:
    steps = setpoint("sunny_island").steps(value, LIMITS)
    assert list(written(steps).items()) == [
        ("active_power_setpoint", value),
        ("power_control_via_comm", "active"),
        ("reactive_power_setpoint", 0.0),
    ]
    assert setpoint("sunny_island").atomic


def test_a_setpoint_on_a_sunny_boy_storage_has_no_reactive_part() -> None:
    assert list(written(setpoint("sbs").steps(100.0, LIMITS))) == [
        "active_power_setpoint",
        "power_control_via_comm",
    ]


@pytest.mark.parametrize("name", ["sunny_island", "sbs"])
def test_giving_back_ends_the_control_first(name: str) -> None:
    assert list(written(setpoint(name).back({}, {})).items()) == [
        ("power_control_via_comm", "inactive"),
        ("active_power_setpoint", 0.0),
    ]


@pytest.mark.parametrize("value", [-4600.1, 5000.1, 1e9, -1e9])
def test_more_than_the_battery_takes_is_refused(value: float) -> None:
    with pytest.raises(DeviceError, match="is not between -4600 and 5000 W"):
        setpoint("sunny_island").steps(value, LIMITS)


def test_the_inverters_own_limit_counts_where_the_batterys_is_unknown() -> None:
    seen = {"max_active_power": 3300.0, "battery_max_charge_power": 0.0}
    assert setpoint("sunny_island").bounds(seen) == (-3300.0, 3300.0)


def test_without_limits_nothing_is_set() -> None:
    with pytest.raises(DeviceError, match="does not tell its limits"):
        setpoint("sbs").steps(100.0, {})


@pytest.mark.parametrize(
    ("word", "code", "charge", "discharge"),
    [
        ("hold", "preset", (0.0, 4600.0), (0.0, 0.0)),
        ("charge", "charge", (4600.0, 4600.0), (0.0, 0.0)),
        ("discharge", "discharge", (0.0, 0.0), (5000.0, 5000.0)),
    ],
)
def test_modes(
    word: str, code: str, charge: tuple[float, float], discharge: tuple[float, float]
) -> None:
    found = written(mode().steps(word, LIMITS))
    assert found["bms_operating_mode"] == code
    assert list(found)[-1] == "bms_operating_mode", "the limits stand before the mode is on"
    assert (found["battery_min_charge_power"], found["battery_max_charge_power_set"]) == charge
    assert (
        found["battery_min_discharge_power"],
        found["battery_max_discharge_power_set"],
    ) == discharge
    assert found["grid_exchange_setpoint"] == 0.0
    assert set(found) == set(mode().touches) == set(mode().triggers)


def test_a_mode_is_given_back_as_the_maker_has_it() -> None:
    found = written(mode().back({}, LIMITS))
    assert next(iter(found.items())) == ("bms_operating_mode", "preset")
    assert found["battery_max_charge_power_set"] == 4600.0
    assert found["battery_max_discharge_power_set"] == 5000.0


def test_a_mode_is_given_back_even_when_no_limit_is_known() -> None:
    found = written(mode().back({}, {}))
    assert found == {
        "bms_operating_mode": "preset",
        "battery_min_charge_power": 0.0,
        "battery_min_discharge_power": 0.0,
        "grid_exchange_setpoint": 0.0,
    }


def test_a_word_that_is_no_mode_is_refused() -> None:
    with pytest.raises(DeviceError, match="boost is not one of hold, charge, discharge"):
        mode().steps("boost", LIMITS)


@pytest.mark.parametrize("name", ["sunny_island", "sbs", "stp"])
def test_no_control_writes_what_is_kept_in_flash(name: str) -> None:
    table = Sma.map(name)
    for entry in table.controls.values():
        for row in Setpoint(entry, table).touches:
            assert not table[row].persistent
            assert table[row].access == "W"


# -------------------------------------------------------------------------------- does it follow


def test_a_setpoint_that_is_followed_is_no_news() -> None:
    watch = Following()
    for now in range(0, 60, 5):
        assert watch.look(now, 2000.0, 2000.0 + (100 if now % 2 else -100), WHY_NOT) is None


def test_one_reading_apart_is_no_news_and_two_are() -> None:
    watch = Following()
    assert watch.look(0.0, 2000.0, 0.0, WHY_NOT) is None
    assert watch.look(9.9, 2000.0, 0.0, WHY_NOT) is None, "it is still settling"
    assert watch.look(12.0, 2000.0, 0.0, WHY_NOT) is None
    assert watch.look(14.0, 2000.0, 2000.0, WHY_NOT) is None
    assert watch.look(16.0, 2000.0, 0.0, WHY_NOT) is None
    said = watch.look(18.0, 2000.0, -300.0, WHY_NOT)
    assert said is not None
    assert "told 2000 W" in said
    assert "delivers -300 W" in said


def test_it_is_over_when_it_follows_or_nothing_is_asked() -> None:
    watch = Following()
    said = [watch.look(now, -1000.0, 0.0, WHY_NOT) for now in (0.0, 20.0, 25.0)]
    assert said[-1] is not None
    assert watch.look(30.0, -1000.0, -1100.0, WHY_NOT) is None
    assert watch.look(35.0, None, 0.0, WHY_NOT) is None
    assert watch.look(40.0, -1000.0, 0.0, WHY_NOT) is None, "a new setpoint settles again"


def test_an_unknown_power_is_no_verdict() -> None:
    watch = Following()
    for now in (0.0, 20.0, 25.0, 30.0):
        assert watch.look(now, 1000.0, None, WHY_NOT) is None


# ------------------------------------------------------------------------------------- at night

DARK = {"PvPower": None, "InverterPower": None, "PvEnergy": None, "PvString1Power": None}


def test_at_night_a_pv_inverter_delivers_nothing_and_its_counter_is_unknown() -> None:
    found = at_night(DARK, None, [None, None, None])
    assert found == {**DARK, "PvPower": 0.0, "InverterPower": 0.0}
    assert at_night(DARK, None, [0, None]) == found


def test_a_gap_by_day_stays_unknown() -> None:
    assert at_night(DARK, None, [1200, None]) == DARK


def test_what_is_known_stays() -> None:
    day = {"PvPower": 3000.0, "InverterPower": 3000.0}
    assert at_night(day, 3000, [None, None]) == day
