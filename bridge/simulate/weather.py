"""What comes from outside: production, load and prices of every second of a scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from bridge.simulate.day import Day
    from bridge.simulate.scenario import Flicker, Scenario

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Weather:
    """`pv` and `load` in W for each second; prices per kWh for each minute of the run."""

    pv: list[float]
    load: list[float]
    import_price: list[float]
    export_price: list[float]


def make_weather(scenario: Scenario, day: Day) -> Weather:
    """The whole run. Raises ScenarioError when the day is too short for it or has no prices."""
    seconds, first = scenario.duration_s, scenario.first_row
    minutes = -(-seconds // MINUTE)
    if first + minutes > len(day.pv_w):
        raise ScenarioError(f"{scenario.id} runs beyond the last row of {scenario.day_csv}")
    prices = scenario.prices
    rows = slice(first, first + minutes)
    if prices.from_day_file:
        bought, sold = day.import_price[rows], day.export_price[rows]
        if len(bought) < minutes or len(sold) < minutes:
            raise ScenarioError(f"{scenario.day_csv} has no prices, {scenario.id} asks for them")
    else:
        bought = [prices.import_per_kwh or 0.0] * minutes
        sold = [prices.export_per_kwh or 0.0] * minutes
    load = [watts for row in day.load_w[rows] for watts in [row * scenario.load_scale] * MINUTE]
    return Weather(_production(scenario, day), load[:seconds], bought, sold)


def _production(scenario: Scenario, day: Day) -> list[float]:
    factors = flicker(scenario.pv_flicker, scenario.seed, scenario.duration_s)
    rows, scale, most = day.pv_w, scenario.pv_scale, scenario.inverter_max_w
    last = len(rows) - 1
    produced: list[float] = []
    for begin in range(0, scenario.duration_s, MINUTE):
        row = scenario.first_row + begin // MINUTE
        base = rows[row] * scale
        rise = (rows[min(row + 1, last)] * scale - base) / MINUTE
        if not base and not rise:
            produced += [0.0] * min(MINUTE, scenario.duration_s - begin)
            continue
        produced += [
            min(most, (base + rise * second) * factor)
            for second, factor in enumerate(factors[begin : begin + MINUTE])
        ]
    return produced


def flicker(spec: Flicker, seed: int, seconds: int) -> list[float]:
    """The factor on the production for each second: segments of a level, followed smoothly."""
    draw = Random(seed).random  # noqa: S311 - a cloud needs no cryptography
    levels, least, mean, smooth = spec.levels, spec.dwell_min_s, spec.dwell_mean_s, spec.smooth_s
    factors: list[float] = []
    factor, end = math.nan, 0.0
    while len(factors) < seconds:
        level = levels[int(draw() * len(levels))]
        end += least - math.log(1 - draw()) * mean
        if not factors:
            factor = level
            factors.append(factor)
        for _ in range(min(math.ceil(end), seconds) - len(factors)):
            factor += (level - factor) / smooth
            factors.append(factor)
    return factors
