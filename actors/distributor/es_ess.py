"""The rule of es-ESS as it stands there, defects included: once a minute, without memory.

Pure. `minute.py` shares by it (`strategy: es_ess`), `heliograph simulate --compare es_ess` plays
it. What Heliograph does otherwise, and why, stands in docs/from-es-ess.md; `allocate.py` is the
same idea in a sane form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CYCLE: Final = 60.0
"""Seconds between two divisions."""
_SHIFT_EXTRA: Final = 0.0001


@dataclass(frozen=True, slots=True)
class Ask:
    """The fields of one automatic consumer; W."""

    key: str
    request: float
    step: float = 0.0
    minimum: float = 0.0
    priority: float = 100.0
    shift: float = 0.0
    ignores: bool = False
    consumption: float = 0.0


def overhead(grid: float, battery: float, asks: Sequence[Ask]) -> float:
    """What could be used, W. `grid` + = import and `battery` + = discharge, as with us."""
    return max(0.0, -grid + sum(ask.consumption for ask in asks) - battery)


def distribute(
    power: float, reservation: float, asks: Sequence[Ask], kept: Collection[str] = ()
) -> tuple[dict[str, float], list[tuple[str, float, float]]]:
    """Allowances in W, and the grants in order: (who, W, effective priority before it).

    Every grant goes to the first that can have one; an exact fit is refused, the last step may
    exceed the request. Ours alone: who is in `kept` has its first grant whatever there is.
    """
    given = {ask.key: 0.0 for ask in asks}
    ranks = {ask.key: 0.0 if ask.ignores else ask.priority for ask in asks}
    grants: list[tuple[str, float, float]] = []
    for ask in asks:
        if ask.key in kept:
            given[ask.key] = first(ask)
            power -= given[ask.key]
            ranks[ask.key] += ask.shift + _SHIFT_EXTRA if ask.shift > 0 else 0.0
    while True:
        order = sorted(asks, key=lambda ask: ranks[ask.key])
        chosen = next(
            (ask for ask in order if _fits(ask, given[ask.key], power, reservation)), None
        )
        if chosen is None:
            return given, grants
        increment = _increment(chosen, given[chosen.key])
        grants.append((chosen.key, increment, ranks[chosen.key]))
        given[chosen.key] += increment
        power -= increment
        if chosen.shift > 0:
            ranks[chosen.key] += chosen.shift + _SHIFT_EXTRA


def first(ask: Ask) -> float:
    """W of the first grant."""
    return ask.minimum or ask.step


def _increment(ask: Ask, given: float) -> float:
    return ask.step if given > 0 or not ask.minimum else ask.minimum


def _fits(ask: Ask, given: float, power: float, reservation: float) -> bool:
    increment = _increment(ask, given)
    if not increment or given >= ask.request:
        return False
    # Who ignores the reservation is tested by its step there, also for its first grant.
    return increment < power - reservation or (ask.ignores and ask.step < power)
