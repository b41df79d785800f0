"""What `essinfo/common` means: strings, mains, and today's counters, in both dialects.

Pure. Home 5, 8 and 10 give texts in V, A, W and Wh; Home 15 whole numbers in 0.1 V, 0.01 A, W and
0.1 Hz, and entries for units that are not there, which hold rubbish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.devices.lg_ess.fields import installed, kilo, magnitude, number, section

if TYPE_CHECKING:
    from actors.devices.lg_ess.decode import Values

MOST_STRINGS: Final = 9
_TENTH: Final = 0.1
_HUNDREDTH: Final = 0.01


def common(found: Any) -> Values:
    """Read `essinfo/common` of any model; empty when there is nothing in it that we know.

    Its powers besides those of the strings are left out: they were measured at another time than
    those of `home`, and would not add up with them.
    """
    if isinstance(found, dict) and "ess" in found:
        values = _home15(found)
    else:
        values = _strings(section(found, "PV"))
        grid = section(found, "GRID")
        if grid:
            values["GridVoltageL1"] = number(grid, "a_phase")
            values["GridFrequency"] = number(grid, "freq")
    return values | _today(found)


def _strings(pv: dict[str, Any]) -> Values:
    values: Values = {}
    for index in range(1, MOST_STRINGS + 1):
        if f"pv{index}_voltage" in pv or f"pv{index}_power" in pv:
            values[f"PvString{index}Voltage"] = number(pv, f"pv{index}_voltage")
            values[f"PvString{index}Power"] = number(pv, f"pv{index}_power")
            values[f"PvString{index}Current"] = number(pv, f"pv{index}_current")
    return values


def _home15(found: dict[str, Any]) -> Values:
    values: Values = {}
    strings = [each for unit in installed(found["ess"]) for each in installed(unit.get("pv"))]
    for index, string in enumerate(strings[:MOST_STRINGS], start=1):
        values[f"PvString{index}Voltage"] = number(string, "voltage", scale=_TENTH)
        values[f"PvString{index}Power"] = number(string, "power")
        values[f"PvString{index}Current"] = number(string, "current", scale=_HUNDREDTH)
    grid = section(found, "GRID")
    phases = grid.get("a_phase")
    for index, volts in enumerate(phases[:3] if isinstance(phases, list) else (), start=1):
        values[f"GridVoltageL{index}"] = number({"volts": volts}, "volts", scale=_TENTH)
    if grid:
        values["GridFrequency"] = number(grid, "freq", scale=_TENTH)
    return values


# Our quantity -> section and keys of the counter in Wh. The device's own misspellings are right.
_COUNTERS: Final = {
    "PvEnergyToday": ("PV", "today_pv_generation_sum"),
    "BatteryChargeEnergyToday": ("BATT", "today_batt_charge_energy"),
    "BatteryDischargeEnergyToday": (
        "BATT",
        "today_batt_discharge_enery",
        "today_batt_discharge_energy",
    ),
    "GridImportEnergyToday": ("GRID", "today_grid_power_purchase_energy"),
    "GridExportEnergyToday": ("GRID", "today_grid_feed_in_energy"),
    "LoadEnergyToday": ("LOAD", "today_load_consumption_sum"),
}


def _today(found: Any) -> Values:
    """The counters that there are; a Home 15 has none."""
    values: Values = {}
    for name, (place, *keys) in _COUNTERS.items():
        where = section(found, place)
        if any(key in where for key in keys):
            values[name] = kilo(where, *keys)
    pcs = section(found, "PCS")
    if "today_self_consumption" in pcs:
        values["SelfConsumptionToday"] = magnitude(pcs, "today_self_consumption")
    return values
