"""Curves over the state of charge: the reservation in W, and the worth of what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.simulate.scenario import BatterySpec, Tier


def reservation(points: Sequence[tuple[float, float]], soc: float) -> float:
    """W kept for the battery at `soc` %: linear between the points, flat outside."""
    before_soc, before = points[0]
    if soc <= before_soc:
        return before
    for at, watts in points[1:]:
        if soc <= at:
            return before + (watts - before) * (soc - before_soc) / (at - before_soc)
        before_soc, before = at, watts
    return before


def expression(points: Sequence[tuple[float, float]]) -> str:
    """The same curve as an owner writes it in the configuration: an expression of SOC."""
    parts: list[tuple[str, float]] = []
    before_soc, before = points[0]
    for at, watts in points:
        if at == before_soc or watts == before:
            part = f"{before:g}"
        else:
            slope = (watts - before) / (at - before_soc)
            part = f"{before:g}{slope:+.10g}*(SOC-{before_soc:g})"
        if parts and part == parts[-1][0]:
            parts.pop()
        parts.append((part, at))
        before_soc, before = at, watts
    last = f"{before:g}"
    while parts and parts[-1][0] == last:
        parts.pop()
    return "".join(f"{part} if SOC <= {at:g} else " for part, at in parts) + last


def stored_value(tiers: Sequence[Tier], capacity_wh: float, soc: float) -> float:
    """What the energy in the battery is worth, in the day's currency."""
    worth, below = 0.0, 0.0
    for tier in tiers:
        part = max(0.0, min(soc, tier.up_to_soc) - below)
        worth += part / 100 * capacity_wh / 1000 * tier.per_kwh
        below = max(below, tier.up_to_soc)
    return worth


def worth(battery: BatterySpec | None, soc: float | None) -> float:
    """The same for a battery that may not be there."""
    if battery is None or soc is None:
        return 0.0
    return stored_value(battery.stored_value_tiers, battery.capacity_wh, soc)
