"""The house as one power balance: pure, so that every unknown can be tried without a house.

Signs as everywhere: sources are positive. An unknown member makes its sum unknown, and the balance
says in one sentence what is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOAD_NOISE = -100.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one device said last: its values, how long ago (s), and its status."""

    values: Mapping[str, float | str | None]
    age: float
    status: str | None


@dataclass(frozen=True, slots=True)
class Roles:
    """Which device plays which part; lists add up."""

    grid: str | None
    pv: tuple[str, ...] = ()
    battery: tuple[str, ...] = ()
    load: str | None = None

    def devices(self) -> tuple[str, ...]:
        """Every device that plays a part, each once."""
        single = tuple(device for device in (self.grid, self.load) if device)
        return tuple(dict.fromkeys((*single, *self.pv, *self.battery)))


@dataclass(frozen=True, slots=True)
class Balance:
    """One coherent picture of the house. None = unknown. Powers in W, `soc` in %, `age` in s.

    `why` names what stands in the way of a decision; None when nothing does.
    """

    grid: float | None
    pv: float | None
    battery: float | None
    soc: float | None
    load: float | None
    age: float
    why: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    value: float | None
    why: str | None


NEVER = Seen({}, math.inf, None)


def balance(roles: Roles, seen: Mapping[str, Seen], max_age: Mapping[str, float]) -> Balance:
    """Add the devices up by role.

    `max_age` gives the seconds that a quantity may be old. A role that nobody plays is 0 W for PV
    and battery (there is none), but an unknown for the grid: nothing can be decided without it.
    """
    if roles.grid is None:
        grid = _Part(None, "no grid meter is configured")
    else:
        grid = _read("grid meter", roles.grid, "GridPower", seen, max_age, named=False)
    pv = _sum("PV inverter", roles.pv, "PvPower", seen, max_age)
    battery = _sum("battery", roles.battery, "BatteryPower", seen, max_age)
    if roles.load is not None:
        load = _read("load meter", roles.load, "LoadPower", seen, max_age).value
    else:
        load = _load(grid.value, pv.value, battery.value)
    return Balance(
        grid=grid.value,
        pv=pv.value,
        battery=battery.value,
        soc=_soc(roles.battery, seen, max_age),
        load=load,
        age=seen.get(roles.grid, NEVER).age if roles.grid else math.inf,
        why=grid.why or battery.why or pv.why,
    )


def _load(grid: float | None, pv: float | None, battery: float | None) -> float | None:
    if grid is None or pv is None or battery is None:
        return None
    load = grid + pv + battery
    if load < _LOAD_NOISE:
        return None
    return max(0.0, load)


def _read(
    what: str,
    device: str,
    quantity: str,
    seen: Mapping[str, Seen],
    max_age: Mapping[str, float],
    *,
    named: bool = True,
) -> _Part:
    found = seen.get(device, NEVER)
    name = f"{what} {device}" if named else what
    if math.isinf(found.age):
        return _Part(None, f"waiting for the {name}")
    if found.status == "offline":
        return _Part(None, f"{name} is offline, silent for {found.age:.0f} s")
    if found.age > max_age.get(quantity, math.inf):
        return _Part(None, f"{name} silent for {found.age:.0f} s")
    value = found.values.get(quantity)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return _Part(None, f"{name} does not know its {quantity}")
    return _Part(float(value), None)


def _sum(
    what: str,
    devices: Sequence[str],
    quantity: str,
    seen: Mapping[str, Seen],
    max_age: Mapping[str, float],
) -> _Part:
    total = 0.0
    for device in devices:
        part = _read(what, device, quantity, seen, max_age)
        if part.value is None:
            return part
        total += part.value
    return _Part(total, None)


def _soc(
    devices: Sequence[str], seen: Mapping[str, Seen], max_age: Mapping[str, float]
) -> float | None:
    """State of charge of all batteries, weighted by capacity where every one tells its own."""
    levels: list[float] = []
    capacities: list[float] = []
    for device in devices:
        level = _read("battery", device, "BatterySoc", seen, max_age).value
        if level is None:
            return None
        levels.append(level)
        capacity = seen[device].values.get("BatteryCapacity")
        capacities.append(float(capacity) if isinstance(capacity, (int, float)) else 0.0)
    if not levels:
        return None
    if min(capacities) <= 0:
        capacities = [1.0] * len(levels)
    weighted = sum(level * size for level, size in zip(levels, capacities, strict=True))
    return weighted / sum(capacities)
