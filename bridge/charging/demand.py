"""From amperes and phases to the ladder of a request, and from an allowance back to amperes. Pure.

A ladder is `Minimum` + n x `StepSize` up to `Request`, in W; one step is 1 A on each phase that the
car uses. It is made for the phases that are switched through now:

- one phase, and three are possible: from 6 A on one phase to what calls for three phases, so that
  the top of the ladder is the sign that the sun carries them, and hardly more is held than used;
- three phases: from 6 A on three phases. When that is not given any more, the allowance is 0 (after
  the delays of the distributor), and the ladder of one phase is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.charging.model import ChargerReading, Inputs

ONE, THREE = 1, 3
_GRACE: Final = 1e-6
_LOWEST, _HIGHEST = 90.0, 300.0
_GRAIN: Final = 5.0
_SLACK: Final = 2.0
# A car that takes no more than this (A) on one phase has no use for three.
_LITTLE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """W. `base`: 6 A on the phases in force; `unit`: 1 A; `top`: the most that is asked for.

    `up`: the allowance that calls for three phases; infinite when there is no such.
    `amps`: the most per phase that the car can use.
    """

    base: float
    unit: float
    top: float
    up: float
    amps: float

    def current(self, watts: float) -> float:
        """Whole A per phase that `watts` carry; 0 when they do not carry the least."""
        if watts < self.base - _GRACE:
            return 0.0
        return min(self.amps, math.floor(watts / self.unit + _GRACE))


@dataclass(frozen=True, slots=True)
class Frame:
    """What is there to work with: limits (A per phase, most 0 = none), choices and volts.

    `phases` are those that the ladder is for, `car_phases` those that the car was seen to use of
    three, `cap` is the most A that it was seen to take.
    """

    min_current: float
    max_current: float
    choices: frozenset[int]
    phases: int
    car_phases: int
    volts: float
    cap: float | None = None

    def width(self, phases: int) -> int:
        """How many phases the car uses when so many are switched through."""
        return 1 if phases == ONE else self.car_phases

    @property
    def both(self) -> bool:
        """Whether the phases are ours to choose."""
        return {ONE, THREE} <= self.choices

    def ladder(self) -> Ladder:
        """The ladder for the phases in force."""
        width = self.width(self.phases)
        unit = self.volts * width
        amps = self.max_current
        if self.cap is not None:
            amps = min(amps, max(self.cap, self.min_current))
        # Where less than the least is left (a hot plug, a small cable), nothing is asked for.
        top, up = unit * amps, math.inf
        if top and self.phases == ONE and self.both and (self.cap is None or self.cap >= _LITTLE):
            least = self.volts * self.width(THREE) * self.min_current
            up = max(least, top + unit)
            top = up
        return Ladder(self.min_current * unit, unit, top, up, amps)


def frame(
    inputs: Inputs, volts: float, car_phases: int | None, cap: float | None, phases: int | None
) -> Frame:
    """Join the owner's limits with what the charger and the car can do now.

    `phases` are taken to be in force where the reading does not say.
    """
    plan, reading = inputs.plan, inputs.reading
    least, most = math.ceil(plan.min_current), math.floor(plan.max_current)
    possible = frozenset({ONE, THREE})
    if reading is not None:
        least = max(least, math.ceil(reading.min_current or 0.0))
        if reading.max_current is not None:
            most = min(most, math.floor(reading.max_current))
        possible = reading.phases_possible or possible
        phases = reading.phases or phases
    if inputs.owner.current is not None:
        most = min(most, math.floor(inputs.owner.current))
    phases = phases or max(possible)
    chosen = inputs.owner.phases or plan.phases
    choices = frozenset({chosen}) & possible if chosen else possible
    if car_phases == ONE and not chosen:
        # One phase of three or the only one is the same to it: nothing is worth a change.
        choices = frozenset({phases})
    return Frame(
        min_current=least,
        max_current=most if most >= least else 0.0,
        choices=choices or frozenset({phases}),
        phases=phases,
        car_phases=car_phases or THREE,
        volts=volts,
        cap=cap,
    )


def volts_of(reading: ChargerReading | None, before: float) -> float:
    """Volts of a phase for the ladder, in whole 5 V and rather too many than too few.

    They follow the measured ones only once these leave a band, so that a request stays as it is.
    """
    if reading is None:
        return before
    known = [volts for volts in reading.voltages if volts and _LOWEST <= volts <= _HIGHEST]
    if not known:
        return before
    most = max(known)
    if before - _GRAIN - _SLACK <= most <= before:
        return before
    return math.ceil(most / _GRAIN) * _GRAIN
