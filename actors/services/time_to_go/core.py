"""How long a battery lasts. Pure: W (+ discharge), %, Wh, seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bridge.known import known

_FULL: Final = 100.0
_HOUR: Final = 3600.0
_LONGEST: Final = 10 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """smoothing: s, the time constant of the average power; idle: W below which nothing flows."""

    smoothing: float = 60.0
    idle: float = 20.0


@dataclass(slots=True)
class State:
    """The smoothed power (W), and when it was taken (monotonic s)."""

    power: float | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """power: W, + discharge; soc, limit: %; capacity: Wh. None is unknown, and `why` says why.

    limit: the state of charge down to which the battery is discharged.
    """

    power: float | None
    soc: float | None
    capacity: float | None
    limit: float = 0.0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Seconds until it is empty (or at its limit) and until it is full; None is unknown.

    code: `discharging`, `charging`, `idle`, `empty`, `long` or `unknown`.
    """

    to_go: float | None
    to_full: float | None
    code: str
    sentence: str


def decide(plan: Plan, state: State, inputs: Inputs, now: float) -> Decision:
    """How long it lasts at the smoothed power; changes `state`."""
    power, soc = known(inputs.power), known(inputs.soc, 0.0, _FULL)
    capacity, limit = known(inputs.capacity, 0.0), known(inputs.limit, 0.0, _FULL)
    if power is None or soc is None or not capacity or limit is None:
        # What was averaged before a gap says nothing about what flows after it.
        state.power = None
        return Decision(None, None, "unknown", inputs.why or "the battery is not known")
    power = smooth(plan, state, power, now)
    if power >= plan.idle:
        return _discharging(limit, soc, capacity, power)
    if power <= -plan.idle:
        missing = (_FULL - soc) / _FULL * capacity
        seconds = missing / -power * _HOUR
        if seconds > _LONGEST:
            return Decision(None, None, "long", "at this power it takes more than 10 days to fill")
        text = f"full in {_words(seconds)} at {-power:.0f} W"
        return Decision(None, seconds, "charging", text)
    return Decision(None, None, "idle", "the battery rests")


def smooth(plan: Plan, state: State, power: float, now: float) -> float:
    """Move the average towards `power` by the share that the time gone by has of `smoothing`.

    It begins anew where charging turns into discharging: their mean would mean neither.
    """
    before, gone = state.power, max(0.0, now - state.at)
    turned = before is not None and before * power < 0 and abs(power) >= plan.idle
    if before is None or turned or not plan.smoothing:
        state.power = power
    else:
        state.power = before + (power - before) * -math.expm1(-gone / plan.smoothing)
    state.at = now
    return state.power


def _discharging(limit: float, soc: float, capacity: float, power: float) -> Decision:
    left = (soc - limit) / _FULL * capacity
    if left <= 0:
        text = f"the battery is at its limit of {limit:g} %"
        return Decision(0.0, None, "empty", text)
    seconds = left / power * _HOUR
    if seconds > _LONGEST:
        return Decision(None, None, "long", "at this power it lasts more than 10 days")
    down = f"down to {limit:g} %" if limit else "until it is empty"
    text = f"lasts {_words(seconds)} {down} at {power:.0f} W"
    return Decision(seconds, None, "discharging", text)


def _words(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
