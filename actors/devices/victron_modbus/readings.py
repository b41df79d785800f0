"""Which zeros of a GX are no value: phases that are not there, a grid that nobody measures. Pure.

A GX answers 0 for what it does not know. Where another register tells, the quantity becomes
unknown; where nothing can tell, it stays what the GX says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = float | str | None
    Values = dict[str, Value]

PHASES: Final = (1, 2, 3)
PHASE_COUNT: Final = "vebus_ac_number_of_phases"
SOURCE: Final = "system_ac_active_in_source"
WITHOUT_METER: Final = "settings_settings_cgwacs_run_without_grid_meter"
_GENERATOR: Final = "generator"
# With one of these the GX knows what flows at its input, with or without a meter.
_SOURCES: Final = frozenset({"grid", "shore", _GENERATOR, "not_connected"})
_GRID: Final = ("GridPower", "GridPowerL1", "GridPowerL2", "GridPowerL3")
_LOAD: Final = ("LoadPower", "LoadPowerL1", "LoadPowerL2", "LoadPowerL3")

_WHAT: Final = ("Voltage", "Current", "Power")


@dataclass(frozen=True, slots=True)
class Meter:
    """The grid meter on the GX. known: there is or was one; lost: it has gone; phases: measured."""

    known: bool = False
    lost: bool = False
    phases: int = 0


def refined(
    service: str, values: Values, rows: Mapping[str, Value], meter: Meter | None = None
) -> Values:
    """The quantities of one service with None where a zero is no value."""
    if service == "system":
        return _system(values, rows, meter or Meter())
    if service == "vebus":
        return _vebus(values, rows)
    if service == "grid":
        return _phases_by_voltage(values, "Grid")
    if service == "pvinverter":
        return _phases_by_voltage(values, "Pv")
    return values


def measured_phases(values: Mapping[str, Value]) -> int:
    """How many phases a grid meter sees a voltage on, counted from L1."""
    return max((n for n in PHASES if values.get(f"GridVoltageL{n}") is not None), default=0)


# -------------------------------------------------------------------------------- the system


def _system(values: Values, rows: Mapping[str, Value], meter: Meter) -> Values:
    found = dict(values)
    if found.get("BatteryVoltage") is None:
        found |= dict.fromkeys(("BatteryState", "BatteryTimeToGo"))
    _generator(found, rows)
    _without(found, ["GridPower", "LoadPower", "PvPower"], _phase_count(found, rows, meter))
    if not _grid_is_known(found, rows, meter):
        # The load is computed from the grid, so it is not known either.
        found |= dict.fromkeys((*_GRID, *_LOAD))
    return found


def _generator(found: Values, rows: Mapping[str, Value]) -> None:
    """On a generator, what it delivers is bought and no surplus: it counts as import."""
    if rows.get(SOURCE) != _GENERATOR:
        if not found.get("GeneratorPower"):
            found["GeneratorPower"] = None
        return
    for name in _GRID:
        bought = _generated(found, rows, name)
        grid = found.get(name)
        known = isinstance(grid, (int, float)) and bought is not None
        found[name] = grid + bought if known else None  # type: ignore[operator]


def _generated(found: Values, rows: Mapping[str, Value], name: str) -> float | None:
    if name == "GridPower":
        value = found.get("GeneratorPower")
    else:
        row = f"system_ac_genset_{name[-2:].lower()}_power"
        value = rows.get(f"{row}_32")
        value = rows.get(row) if value is None else value
    return value if isinstance(value, (int, float)) else None


def _phase_count(found: Values, rows: Mapping[str, Value], meter: Meter) -> int:
    count = rows.get(PHASE_COUNT)
    told = int(count) if isinstance(count, (int, float)) else 1
    used = [
        n
        for n in PHASES
        if any(found.get(f"{family}L{n}") for family in ("GridPower", "LoadPower", "PvPower"))
    ]
    return max(told, meter.phases, *used, 1)


def _grid_is_known(found: Values, rows: Mapping[str, Value], meter: Meter) -> bool:
    if meter.lost and rows.get(WITHOUT_METER) != "inverter":
        return False
    if rows.get(SOURCE) in _SOURCES or (meter.known and not meter.lost):
        return True
    return any(found.get(name) for name in _GRID)


# ------------------------------------------------------------------------------- the others


def _vebus(values: Values, rows: Mapping[str, Value]) -> Values:
    found = dict(values)
    count = rows.get(PHASE_COUNT)
    told = int(count) if isinstance(count, (int, float)) else 1
    used = [n for n in PHASES if found.get(f"VoltageL{n}") or found.get(f"InverterVoltageL{n}")]
    families = [f"{side}{what}" for side in ("", "Inverter") for what in _WHAT]
    _without(found, families, max(told, *used, 1))
    return found


def _phases_by_voltage(values: Values, word: str) -> Values:
    """`Grid` or `Pv`: a phase without a voltage and without power is not there."""
    found = dict(values)
    there = [
        n
        for n in PHASES
        if found.get(f"{word}VoltageL{n}") is not None or found.get(f"{word}PowerL{n}")
    ]
    _without(found, [f"{word}Power", f"{word}Current"], max(there, default=1))
    if word == "Grid" and not there and found.get("GridFrequency") is None:
        # A meter that is on the GX's list and measures nothing at all.
        found |= dict.fromkeys(("GridPower", "GridPowerL1", "GridCurrentL1"))
    return found


def _without(found: Values, families: list[str], count: int) -> None:
    for family in families:
        for phase in PHASES[count:]:
            if f"{family}L{phase}" in found:
                found[f"{family}L{phase}"] = None
