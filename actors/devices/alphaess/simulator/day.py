"""One scripted day of a house with sun, battery and car, in steps of 5 minutes. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS: Final = 288
MINUTES: Final = 5
CAPACITY: Final = 13_340.0
_MOST: Final = 3000.0
_PEAK: Final = 6200.0
_CAR_AT: Final = (19 * 60, 22 * 60)
_HOURS: Final = MINUTES / 60


@dataclass(frozen=True, slots=True)
class Step:
    """W; battery + = discharge, grid + = import; soc: % at the end; from_grid: W of charging."""

    pv: float
    load: float
    car: float
    battery: float
    grid: float
    soc: float
    from_grid: float


@dataclass(frozen=True, slots=True)
class Rules:
    """How the battery is set: periods in minutes after midnight, levels in %."""

    grid_charge: bool
    charge: Sequence[tuple[int, int]]
    charge_stop: float
    timed: bool
    discharge: Sequence[tuple[int, int]]
    discharge_stop: float


def inside(minute: int, periods: Sequence[tuple[int, int]]) -> bool:
    """Whether a minute lies in one of the periods; start == end is none."""
    return any(
        a <= minute < b if a < b else (minute >= a or minute < b) for a, b in periods if a != b
    )


def sun(minute: int) -> float:
    """W of the PV: from 7 to 18 h."""
    x = (minute - 7 * 60) / (11 * 60)
    return _PEAK * math.sin(math.pi * x) ** 1.5 if 0 < x < 1 else 0.0


def use(minute: int) -> float:
    """W of the house without the car."""
    morning = 900 * math.exp(-(((minute - 450) / 60) ** 2))
    evening = 1700 * math.exp(-(((minute - 1140) / 90) ** 2))
    return 280.0 + morning + evening


def day(rules: Rules, *, car: float = 0.0, soc: float = 35.0) -> list[Step]:
    """The steps of a day that begins with so much in the battery (%)."""
    steps = []
    for number in range(STEPS):
        minute = number * MINUTES
        step = _step(rules, minute, car if _CAR_AT[0] <= minute < _CAR_AT[1] else 0.0, soc)
        soc = step.soc
        steps.append(step)
    return steps


def _step(rules: Rules, minute: int, car: float, soc: float) -> Step:
    pv, load = sun(minute), use(minute) + car
    need, from_grid = load - pv, 0.0
    if rules.grid_charge and inside(minute, rules.charge):
        battery = -_MOST if soc < rules.charge_stop else 0.0
        from_grid = max(0.0, -battery - max(0.0, -need))
    elif need > 0:
        allowed = not rules.timed or inside(minute, rules.discharge)
        battery = min(need, _MOST) if allowed and soc > rules.discharge_stop else 0.0
    else:
        battery = max(need, -_MOST) if soc < 100 else 0.0
    after = min(100.0, max(0.0, soc - battery * _HOURS / CAPACITY * 100))
    return Step(pv, load, car, battery, need - battery, after, from_grid)


def energy(watts: Sequence[float]) -> float:
    """Energy of so many steps (kWh)."""
    return round(sum(watts) * _HOURS / 1000, 3)
