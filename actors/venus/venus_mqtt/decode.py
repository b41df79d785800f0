"""Payloads and values of a GX, as values of ours. Pure: no I/O, no clock.

Signs are turned here: on a GX a battery's power and current are + when it is charged; the grid is
+ when power is drawn, as with us. A value that is null, or of a device that has gone, is unknown;
a phase that never had one is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.venus.venus_mqtt import paths
from bridge.victron import BATTERY_STATES, SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GENSET_SOURCE: Final = 2
_LONGEST: Final = 65_536
_LARGEST: Final = 2**63


class Gone(Enum):
    """Why there is no value. GARBLED: something came that a GX does not send."""

    NULL = "null"
    DEVICE = "device"
    GARBLED = "garbled"


Found = float | str | bool | list[Any] | dict[str, Any] | Gone
"""What was heard on a topic: a value, or why there is none."""


def parse(payload: bytes) -> Found:
    """The value in a payload of an N topic: `{"value": …}`; no bytes: the device has gone."""
    if not payload:
        return Gone.DEVICE
    try:
        found = msgspec.json.decode(payload) if len(payload) <= _LONGEST else None
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict) or "value" not in found:
        return Gone.GARBLED
    value = found["value"]
    if value is None or value == []:
        return Gone.NULL
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) <= _LARGEST else Gone.GARBLED
    known: Found = value
    return known


def number(found: Found | None) -> float | None:
    """The number that was heard; None for anything else. An int and a float are the same."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return float(found)


def is_odd(found: Found | None) -> bool:
    """True for what should be a number and is neither one nor unknown."""
    known = found is not None and found is not Gone.NULL and found is not Gone.DEVICE
    return known and number(found) is None


@dataclass(slots=True)
class Phases:
    """Which phases of something have been seen: one that had a value and has none now is lost.

    family: path of each phase; count: where the GX tells how many there are.
    """

    family: Sequence[str]
    count: str | None = None
    seen: set[int] = field(default_factory=set)

    def powers(self, heard: Mapping[str, Found]) -> list[float | None]:
        """W on each phase, None where there is none."""
        found = [number(heard.get(path)) for path in self.family]
        for index, path in enumerate(self.family):
            if found[index] is not None:
                self.seen.add(index)
            elif heard.get(path) is Gone.DEVICE:
                self.seen.discard(index)  # taken off the GX, not lost
        return found

    def lost(self, powers: Sequence[float | None]) -> list[int]:
        """The phases (from 1) that had a value and have none now, while others have one."""
        if all(each is None for each in powers):
            return []
        return [index + 1 for index in sorted(self.seen) if powers[index] is None]

    def total(self, powers: Sequence[float | None], heard: Mapping[str, Found]) -> float | None:
        """W of all phases; None while one is lost, or fewer have come than the GX says it has."""
        known = [each for each in powers if each is not None]
        told = number(heard.get(self.count)) if self.count else None
        if not known or self.lost(powers) or (told is not None and len(known) < told):
            return None
        if any(is_odd(heard.get(path)) for path in self.family):
            return None
        return sum(known)


@dataclass(slots=True)
class Reader:
    """Makes readings of what was heard; remembers which phases there are."""

    grid: Phases = field(default_factory=lambda: Phases(paths.GRID, paths.GRID_COUNT))
    load: Phases = field(default_factory=lambda: Phases(paths.CONSUMPTION, paths.CONSUMPTION_COUNT))
    lost: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def reading(self, heard: Mapping[str, Found]) -> dict[str, float | str | None]:
        """All quantities: W, A, V, %, °C, s; None = unknown.

        Then `lost` names phases, and `odd` paths that should be numbers and are not.
        """
        self.lost = []
        self.odd = [path for path in paths.POWERS if is_odd(heard.get(path))]
        return {
            **self._grid(heard),
            **_pv(heard),
            **_battery(heard),
            **self._load(heard),
        }

    def _grid(self, heard: Mapping[str, Found]) -> dict[str, float | str | None]:
        powers = self.grid.powers(heard)
        total = self.grid.total(powers, heard)
        self.lost += [f"grid phase L{n}" for n in self.grid.lost(powers)]
        generated = [number(heard.get(path)) for path in paths.GENSET]
        source = number(heard.get(paths.SOURCE))
        if source == _GENSET_SOURCE:
            # What a generator delivers is bought and no surplus: it counts as import.
            pairs = zip(powers, generated, strict=True)
            powers = [_sum(pair) for pair in pairs]
            unsure = self.grid.lost(powers) or _any_odd(heard, (*paths.GRID, *paths.GENSET))
            total = None if unsure else _sum((total, _sum(generated)))
        return {
            "GridPower": total,
            **{f"GridPowerL{n}": each for n, each in enumerate(powers, 1)},
            "GeneratorPower": _sum(generated),
            "AcInputSource": None if source is None else SOURCES.get(int(source)),
        }

    def _load(self, heard: Mapping[str, Found]) -> dict[str, float | str | None]:
        powers = self.load.powers(heard)
        total = self.load.total(powers, heard)
        self.lost += [f"consumption phase L{n}" for n in self.load.lost(powers)]
        dc = number(heard.get(paths.DC_SYSTEM))
        return {
            "LoadPower": None
            if total is None or _any_odd(heard, (paths.DC_SYSTEM,))
            else total + (dc or 0.0),
            **{f"LoadPowerL{n}": each for n, each in enumerate(powers, 1)},
        }


def _sum(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) if known else None


def _any_odd(heard: Mapping[str, Found], which: Sequence[str]) -> bool:
    return any(is_odd(heard.get(path)) for path in which)


def _dark(heard: Mapping[str, Found]) -> bool:
    """True when the GX has said of all sun that there is none (null), and is past its start."""
    sun = (*paths.PV_ON_GRID, *paths.PV_ON_OUTPUT, *paths.PV_ON_GENSET, paths.DC_PV)
    others = (*paths.CONSUMPTION, f"{paths.BATTERY}/Power")
    started = any(number(heard.get(path)) is not None for path in others)
    return started and all(heard.get(path) is Gone.NULL for path in sun)


def _pv(heard: Mapping[str, Found]) -> dict[str, float | str | None]:
    """All sun, and where it comes in. What is not there (null) adds nothing.

    At night the inverters may leave the GX, and all of it is null: the sum is 0 then.
    """
    sides = {
        "PvOnGridPower": paths.PV_ON_GRID,
        "PvOnOutputPower": paths.PV_ON_OUTPUT,
        "PvOnGeneratorPower": paths.PV_ON_GENSET,
    }
    found = {name: [number(heard.get(path)) for path in side] for name, side in sides.items()}
    dc = number(heard.get(paths.DC_PV))
    each = [_sum(phase) for phase in zip(*found.values(), strict=True)]
    total = 0.0 if _dark(heard) else _sum((*each, dc))
    odd = _any_odd(heard, (*(path for side in sides.values() for path in side), paths.DC_PV))
    return {
        "PvPower": None if odd else total,
        **{f"PvPowerL{n}": power for n, power in enumerate(each, 1)},
        **{name: _sum(side) for name, side in found.items()},
        "PvDcPower": dc,
    }


def _battery(heard: Mapping[str, Found]) -> dict[str, float | str | None]:
    def of(name: str) -> float | None:
        return number(heard.get(f"{paths.BATTERY}/{name}"))

    power, current, state = of("Power"), of("Current"), of("State")
    return {
        "BatteryPower": None if power is None else -power + 0.0,
        "BatteryCurrent": None if current is None else -current + 0.0,
        "BatteryVoltage": of("Voltage"),
        "BatterySoc": of("Soc"),
        "BatteryTemperature": of("Temperature"),
        "BatteryTimeToGo": of("TimeToGo"),
        "BatteryState": None if state is None else BATTERY_STATES.get(int(state)),
        "ActiveMinSoc": number(heard.get(paths.ACTIVE_MIN_SOC)),
    }


def rival(heard: Mapping[str, Found]) -> str | None:
    """What else on the GX steers the battery or gives surplus away, in one sentence."""
    if number(heard.get(paths.DYNAMIC_ESS)):
        return (
            "Dynamic ESS is active on the GX and writes the same setpoint:"
            " switch it off there, or leave GridSetpoint alone"
        )
    if number(heard.get(paths.OPPORTUNITY_LOADS)):
        return (
            "the GX's own opportunity loads are switched on and take the same surplus:"
            " switch them off there, or let the distributor rest"
        )
    return None
