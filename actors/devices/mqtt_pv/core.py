"""Zero feed-in: how much an inverter may produce so that nothing flows into the grid. Pure.

Several inverters may do this side by side without knowing of each other: each takes the share of
the correction that it has of the house's production. W throughout, % of SoC, monotonic s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bridge.known import known

_SOC_BAND: Final = 2.0
_FINEST: Final = 0.01
_CLOSE: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """rated: W, the most it can produce; distance: W of import that are left; interval: s.

    soc: % from which the battery takes no more; step: share of `rated` by which the limit is raised
    at once; least: share of `rated` that is the lowest limit; interval: between two changes.
    """

    rated: float
    distance: float = 50.0
    soc: float = 100.0
    step: float = 0.05
    least: float = 0.0
    interval: float = 10.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """grid: + import; battery: + discharge; pv: all of the house; own: this inverter's; soc: %.

    None is unknown, and `why` says why. A house without a battery has battery 0 and soc 100.
    """

    grid: float | None
    battery: float | None
    pv: float | None
    own: float | None
    soc: float | None
    why: str | None = None


@dataclass(slots=True)
class State:
    """The limit that is held (None: none), what it would be unrounded, and the last look."""

    limit: float | None = None
    target: float = 0.0
    changed_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class Decision:
    """limit: W, None to give back. code: `throttle`, `free` (the battery takes it) or `unknown`."""

    limit: float | None
    code: str
    sentence: str


def decide(plan: Plan, state: State, inputs: Inputs, now: float) -> Decision:
    """The limit to hold now; changes `state`."""
    found = _all_known(inputs)
    if found is None:
        state.limit = None
        return Decision(None, "unknown", inputs.why or "the house is not known")
    grid, battery, pv, own, soc = found
    start = plan.soc if state.limit is None else plan.soc - _SOC_BAND
    if soc < start:
        state.limit = None
        return Decision(None, "free", f"the battery takes what is left at {soc:g} %")
    if now - state.changed_at >= plan.interval or state.limit is None:
        # What the battery delivers could be produced instead.
        missing = grid + max(battery, 0.0) - plan.distance
        state.target = _wanted(plan, state, missing, pv, own)
        if state.limit is None or abs(state.target - state.limit) >= _FINEST * plan.rated:
            state.limit = state.target
        state.changed_at = now
    limit = state.limit
    return Decision(limit, "throttle", f"it may produce {limit:.0f} W: nothing is to be fed in")


def _all_known(inputs: Inputs) -> tuple[float, float, float, float, float] | None:
    flows = (inputs.grid, inputs.battery, inputs.pv, inputs.own)
    grid, battery, pv, own = map(known, flows)
    soc = known(inputs.soc, 0.0, 100.0)
    if grid is None or battery is None or pv is None or own is None or soc is None:
        return None
    return grid, battery, pv, own, soc


def _wanted(plan: Plan, state: State, missing: float, pv: float, own: float) -> float:
    """Down at once, up by a step. missing: W that may be produced more (less when negative)."""
    share = min(1.0, own / pv) if pv > 0 and own > 0 else 1.0
    follows = state.limit is not None and abs(own - state.limit) <= _CLOSE * plan.rated
    # Small corrections add up, where an inverter is at its limit and has a small share.
    wanted = (state.target if follows else max(own, 0.0)) + share * missing
    if state.limit is not None:
        wanted = min(wanted, state.limit + plan.step * plan.rated)
    return min(max(wanted, plan.least * plan.rated), plan.rated)


def percent(watts: float | None, rated: float) -> float:
    """What the limit's topic is told: % of the rated power; without a limit all of it."""
    if watts is None:
        return 100.0
    return round(min(max(watts / rated, 0.0), 1.0) * 100.0, 1)
