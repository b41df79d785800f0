"""The tables: what raw words mean, by hand, and what they say about each row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import actors.devices.victron_modbus as package
from bridge.registers import find_map, maps_of
from bridge.registers.codec import decode, encode

FOLDER = Path(package.__file__ or "").parent


def value(service: str, name: str, *words: int) -> Any:
    row = find_map(FOLDER, service)[name]
    return decode(row, dict(zip(row.places, words, strict=True)))


@pytest.mark.parametrize(
    ("service", "name", "words", "expected"),
    [
        # Grid and battery in the signs of the GX; the quantities turn the battery's.
        ("system", "system_ac_grid_l1_power_32", (0xFFFF, 0xFC18), -1000.0),
        ("system", "system_ac_grid_l1_power_32", (0x0000, 0x9C40), 40000.0),
        ("system", "system_ac_grid_l1_power", (0x9C40,), -25536.0),  # why the twins are read
        ("system", "system_dc_battery_power", (0xF830,), -2000.0),
        ("system", "system_dc_battery_voltage", (523,), 52.3),
        ("system", "system_dc_battery_voltage", (0,), None),
        ("system", "system_dc_battery_consumed_amphours", (123,), -12.3),
        ("system", "system_dc_battery_time_to_go", (36,), 3600.0),
        ("system", "system_ac_active_in_source", (240,), "not_connected"),
        ("system", "settings_settings_cgwacs_battery_life_minimum_soc_limit", (125,), 12.5),
        ("system", "settings_settings_cgwacs_hub4_mode", (3,), "external_control"),
        ("system", "settings_settings_cgwacs_battery_life_state", (3,), "self_consumption"),
        ("system", "settings_settings_system_setup_max_charge_current", (0xFFFF,), None),
        ("system", "settings_settings_cgwacs_max_discharge_power_32", (0xFFFF, 0xFFFF), None),
        ("system", "settings_settings_cgwacs_max_discharge_power_32", (0, 0), 0.0),
        # No limit, -1 W, comes as round(-0.1) = 0 in the old register.
        ("system", "settings_settings_cgwacs_max_discharge_power", (0,), None),
        ("system", "settings_settings_cgwacs_max_discharge_power", (250,), 2500.0),
        ("system", "settings_settings_cgwacs_max_feed_in_power", (25,), 2500.0),
        ("vebus", "vebus_ac_active_in_l1_p", (0xFFF6,), -100.0),
        ("vebus", "vebus_ac_out_l1_p", (123,), 1230.0),
        ("vebus", "vebus_hub4_l1_max_feed_in_power", (50,), 5000.0),
        ("vebus", "vebus_hub4_l3_ac_power_setpoint_32", (0xFFFF, 0xFB50), -1200.0),
        ("vebus", "vebus_energy_ac_in1_to_ac_out", (0x0001, 0x0000), 655.36),
        ("vebus", "vebus_state", (8,), "passthru"),
        ("battery", "battery_dc_0_temperature", (0xFFCE,), -5.0),
        ("battery", "battery_soc", (805,), 80.5),
        ("battery", "battery_consumed_amphours_32", (0, 21), -21.0),
        ("battery", "battery_history_charged_energy", (65534,), None),  # it counts no further
        ("grid", "grid_ac_energy_forward", (1, 0), 655.36),
        ("grid", "grid_serial", (0x4851, 0x3233, 0, 0, 0, 0, 0), "HQ23"),
        ("solarcharger", "solarcharger_yield_power", (12345,), 1234.5),
        ("solarcharger", "solarcharger_yield_user_32", (0, 7000), 7000.0),
        ("pvinverter", "pvinverter_ac_l1_energy_forward_32", (0, 12345), 123.45),
        ("evcharger", "evcharger_status", (4,), "waiting_for_sun"),
        ("evcharger", "evcharger_charging_time", (18,), 1800.0),
    ],
)
def test_words_mean(service: str, name: str, words: tuple[int, ...], expected: Any) -> None:
    found = value(service, name, *words)
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_every_register_of_the_sources_is_there_once() -> None:
    counts = {name: len(find_map(FOLDER, name).registers) for name in maps_of(FOLDER)}
    assert counts == {
        "system": 84,
        "vebus": 65,
        "battery": 24,
        "grid": 32,
        "solarcharger": 20,
        "pvinverter": 24,
        "evcharger": 18,
    }
    names = [row.name for name in counts for row in find_map(FOLDER, name).registers]
    assert len(names) == len(set(names)) == 267


def test_settings_are_known_to_be_kept_in_flash() -> None:
    kept = {r.address for r in find_map(FOLDER, "system").registers if r.persistent}
    assert {2700, 2704, 2705, 2706, 2901, 2902} <= kept
    assert not any(row.persistent for row in find_map(FOLDER, "vebus").registers)


def test_what_is_written_is_in_the_units_of_the_gx() -> None:
    system, vebus = find_map(FOLDER, "system"), find_map(FOLDER, "vebus")
    assert encode(system["settings_settings_cgwacs_ac_power_set_point"], -50.0) == (0xFFCE,)
    assert encode(system["settings_settings_cgwacs_battery_life_minimum_soc_limit"], 12.5) == (125,)
    assert encode(vebus["vebus_hub4_l1_ac_power_setpoint_32"], -1200) == (0xFFFF, 0xFB50)
