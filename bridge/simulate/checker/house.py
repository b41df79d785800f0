"""Battery and grid of each second, given what else flows."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def battery(spec: Mapping[str, Any], lacked: Sequence[float]) -> tuple[list[float], list[float]]:
    """(W, % at the end of the second) for each second; `lacked` is load + consumers - PV."""
    full_wh = spec["capacity_wh"]
    stored = full_wh * spec["soc_start"] / 100
    lowest, highest = full_wh * spec["soc_min"] / 100, full_wh * spec["soc_max"] / 100
    powers, socs = [], []
    for k in range(len(lacked)):
        net = lacked[k - 1] if k else 0.0
        if net >= 0:
            there = (stored - lowest) * 3600 * spec["eta_discharge"]
            power = max(0.0, min(net, spec["max_discharge_w"], there))
            stored -= power / spec["eta_discharge"] / 3600
        else:
            room = (highest - stored) * 3600 / spec["eta_charge"]
            power = -max(0.0, min(-net, spec["max_charge_w"], room))
            stored += -power * spec["eta_charge"] / 3600
        powers.append(power)
        socs.append(stored / full_wh * 100)
    return powers, socs


def kept(spec: Mapping[str, Any], soc: float) -> float:
    """The reservation in W."""
    points = spec["reservation_curve"]
    if soc <= points[0][0]:
        return float(points[0][1])
    for (a, low), (b, high) in pairwise(points):
        if a < soc <= b:
            return float(low + (high - low) * (soc - a) / (b - a))
    return float(points[-1][1])


def stored_worth(spec: Mapping[str, Any], soc: float) -> float:
    """What is in the battery, in the day's currency."""
    total, floor = 0.0, 0.0
    for tier in spec["stored_value_tiers"]:
        top = tier["up_to_soc"]
        if soc > floor:
            total += (min(soc, top) - floor) / 100 * spec["capacity_wh"] / 1000 * tier["per_kwh"]
        floor = top
    return total
