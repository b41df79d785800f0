"""What a net meter shows: the sum's power, and two counters that never fall. Pure.

Only what was saved is shown, so nothing that anybody has seen can be lost by a crash. A save is due
at most once in `pause` s, and only when a counter has moved by a step that can be seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from bridge.netting import Netting

STEP: Final = 0.01
"""kWh by which a counter moves before it is worth a write."""
_PATIENCE: Final = 10.0
_MOST: Final = 1e9
_COUNTERS: Final = {
    "GridPower": ("GridImportEnergy", "GridExportEnergy"),
    "Power": ("Energy", "ReturnedEnergy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """pause: s between two saves at least; gap: s that are bridged.

    start: kWh of both counters at the very first start; None: where the meter itself stands.
    """

    pause: float = 60.0
    gap: float = 60.0
    start: tuple[float, float] | None = (0.0, 0.0)


@dataclass(slots=True)
class State:
    """The counters, those that were saved (kWh), the number of the save, what was not counted.

    open: it is not known yet where they begin.
    """

    net: Netting
    saved: tuple[float, float]
    number: int = 0
    saved_at: float = -math.inf
    missed: float = field(default=0.0)
    open: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one reading. gap: s that were not counted, 0 for none; save: it is due."""

    gap: float
    save: bool


def begin(plan: Plan, *copies: dict[str, Any] | None) -> State:
    """Go on with the newest copy that can be read, else with the owner's start."""
    best: tuple[int, float, float] | None = None
    for copy in copies:
        found = _read(copy)
        if found is not None and (best is None or found > best):
            best = found
    number, imported, exported = best or (0, *(plan.start or (0.0, 0.0)))
    counters = Netting(imported, exported, plan.gap)
    unknown = best is None and plan.start is None
    return State(counters, (imported, exported), number, open=unknown)


def begin_at(state: State, imported: float | None, exported: float | None) -> None:
    """At the very first start: go on from the meter's own counters (kWh), once it tells both.

    A meter counts at least as much in each direction as the phases' sum, so the difference of the
    two stays what the meter counts. Once a save is made they begin where they are. A save is due.
    """
    if not state.open or state.number:
        return
    if imported is None or exported is None:
        return
    if min(imported, exported) < 0 or max(imported, exported) > _MOST:
        return
    state.net.imported += imported
    state.net.exported += exported
    state.open = False


def decide(plan: Plan, state: State, power: float | None, now: float) -> Decision:
    """Count one reading (W, + import; None = unknown) made at `now` (monotonic s)."""
    gap = state.net.add(now, power)
    state.missed += gap
    return Decision(gap, _due(plan, state, now))


def content(state: State) -> dict[str, Any]:
    """What to save now."""
    found = {"number": state.number + 1}
    return found | {"imported": state.net.imported, "exported": state.net.exported}


def kept(state: State, saved: dict[str, Any], now: float) -> None:
    """Show from now on what was saved."""
    state.number = saved["number"]
    state.saved = (saved["imported"], saved["exported"])
    state.saved_at = now


def failed(state: State, now: float) -> None:
    """The disk refuses: show what is counted, which is better than nothing, and try later."""
    state.saved = (state.net.imported, state.net.exported)
    state.saved_at = now


def counters_of(values: dict[str, Any], quantity: str) -> tuple[float | None, float | None]:
    """The meter's own two counters (import, export; kWh) in one reading."""
    names = _COUNTERS[quantity]
    return _number(values.get(names[0])), _number(values.get(names[1]))


def sum_of(values: dict[str, Any], quantity: str) -> float | None:
    """The power of all phases in one reading: the total, else the sum of what phases there are."""
    total = _number(values.get(quantity))
    if total is not None or quantity in values:
        return total
    phases = [values[name] for name in (f"{quantity}L{n}" for n in (1, 2, 3)) if name in values]
    known = [found for found in map(_number, phases) if found is not None]
    return sum(known) if phases and len(known) == len(phases) else None


def _due(plan: Plan, state: State, now: float) -> bool:
    if now - state.saved_at < plan.pause:
        return False
    shown, live = state.saved, (state.net.imported, state.net.exported)
    moved = max(new - old for new, old in zip(live, shown, strict=True))
    late = now - state.saved_at >= _PATIENCE * plan.pause
    return moved >= STEP or (late and moved > 0)


def _read(copy: dict[str, Any] | None) -> tuple[int, float, float] | None:
    if copy is None:
        return None
    number = copy.get("number")
    pair = [_number(copy.get(name)) for name in ("imported", "exported")]
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    imported, exported = pair
    if imported is None or exported is None or not 0 <= min(imported, exported) <= _MOST:
        return None
    return (number, imported, exported) if max(imported, exported) <= _MOST else None


def _number(value: Any) -> float | None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if good and math.isfinite(value) else None
