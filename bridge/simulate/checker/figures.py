"""The metrics once more, from the series of a trace."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bridge.simulate.checker.house import kept, stored_worth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.simulate.checker.device import Life

_KWH = 3.6e6


def energy(
    grid: Sequence[float], prices: Sequence[tuple[float, float]]
) -> tuple[float, float, float]:
    """(kWh imported, kWh exported, what both cost together)."""
    bought = sum(max(0.0, power) for power in grid) / _KWH
    sold = sum(max(0.0, -power) for power in grid) / _KWH
    cost = sum(
        max(0.0, power) * price[0] - max(0.0, -power) * price[1]
        for power, price in zip(grid, prices, strict=True)
    )
    return bought, sold, cost / _KWH


def changes(values: Sequence[float]) -> int:
    """How often a series changes, from 0 at the beginning."""
    return sum(before != after for before, after in pairwise([0, *values]))


def worth(scenario: Mapping[str, Any], lives: Mapping[str, Life], soc: float, cost: float) -> float:
    """The net value of a run that ends at `soc` % and has paid `cost`."""
    value = -cost
    for spec in scenario["consumers"] if lives else ():
        life = lives[spec["id"]]
        value += sum(life.draw) / _KWH * spec["value_per_kwh"]
        value -= (changes(life.on) + life.on[-1]) / 2 * spec["start_cost"]
        value -= life.phase_switches * spec["phase_switch_cost"]
    if scenario["battery"]:
        value += stored_worth(scenario["battery"], soc)
        value -= stored_worth(scenario["battery"], scenario["battery"]["soc_start"])
    return value


def grants(
    scenario: Mapping[str, Any],
    allowed: Mapping[str, Sequence[float]],
    lives: Mapping[str, Life],
    left: Sequence[float],
) -> tuple[float, float, float]:
    """(largest W, kWh) above what was left of the sun, and the largest W given twice."""
    most = over = twice = before = 0.0
    for k in range(len(left)):
        total = sum(
            min(allowed[spec["id"]][k], spec["max_w"])
            for spec in scenario["consumers"]
            if lives[spec["id"]].wanted[k]
        )
        most = max(most, total - left[k])
        over += max(0.0, total - left[k])
        if total > before:
            seen = max(left[max(0, k - 59) : k + 1])
            twice = max(twice, min(total - seen, total - before))
        before = total
    return most, over / _KWH, twice


def unmet(
    spec: Mapping[str, Any] | None,
    drawn: Sequence[float],
    left: Sequence[float],
    powers: Sequence[float],
    socs: Sequence[float],
) -> float:
    """KWh that consumers took of what was kept for the battery."""
    if not spec:
        return 0.0
    total = 0.0
    for k, soc in enumerate(socs):
        if soc < spec["soc_max"]:
            asked = min(kept(spec, soc), spec["max_charge_w"], left[k])
            total += max(0.0, min(drawn[k], asked - max(0.0, -powers[k])))
    return total / _KWH
