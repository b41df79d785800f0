"""Sun, load and prices of each second, from the scenario and the rows of its day."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def factors(scenario: Mapping[str, Any]) -> list[float]:
    """The flicker on the production."""
    spec = scenario["pv_flicker"]
    dice = random.Random(scenario["seed"])  # noqa: S311 - the format says so
    end, level, factor = 0.0, 0.0, 0.0
    found = []
    for k in range(scenario["duration_s"]):
        while k >= end:
            level = spec["levels"][int(dice.random() * len(spec["levels"]))]
            end += spec["dwell_min_s"] - math.log(1 - dice.random()) * spec["dwell_mean_s"]
        factor = level if k == 0 else factor + (level - factor) / spec["smooth_s"]
        found.append(factor)
    return found


def production(scenario: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> list[float]:
    """PV in W."""
    found = []
    for k, factor in enumerate(factors(scenario)):
        row = scenario["first_row"] + k // 60
        here = float(rows[row]["pv_w"])
        there = float(rows[min(row + 1, len(rows) - 1)]["pv_w"])
        base = here + (there - here) * ((k % 60) / 60)
        found.append(min(scenario["inverter_max_w"], base * scenario["pv_scale"] * factor))
    return found


def load(scenario: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> list[float]:
    """The uncontrolled load in W."""
    return [
        float(rows[scenario["first_row"] + k // 60]["load_w"]) * scenario["load_scale"]
        for k in range(scenario["duration_s"])
    ]


def prices(
    scenario: Mapping[str, Any], rows: Sequence[Mapping[str, str]]
) -> list[tuple[float, float]]:
    """(import, export) per kWh."""
    fixed = scenario["prices"]
    if not fixed.get("from_day_file"):
        return [(fixed["import_per_kwh"], fixed["export_per_kwh"])] * scenario["duration_s"]
    at = (rows[scenario["first_row"] + k // 60] for k in range(scenario["duration_s"]))
    return [(float(row["import_price"]), float(row["export_price"])) for row in at]
