"""A day by the minute from a number: sun through haze, a household, prices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from bridge.simulate.day import Day

MINUTES: Final = 1440
_LATITUDE: Final = math.radians(48.5)
_TILT: Final = 1.15  # panels towards the sun, seen as a steeper rise
_HAZE: Final = 20  # minutes between two values of the slow haze
_QUARTER: Final = 15


@dataclass(frozen=True, slots=True)
class Sky:
    """`days`: of the year, from and to; `haze`: least and most of the clear sun, over the hours."""

    days: tuple[int, int]
    haze: tuple[float, float]
    kwp: float


def make_day(sky: Sky, seed: int) -> Day:
    """The day of a number."""
    draw = Random(f"day {seed}")  # noqa: S311 - weather, no secret
    day = draw.randint(*sky.days)
    bought, sold = _prices(draw, day)
    return Day(_sun(sky, day, draw), _household(draw), bought, sold)


def _sun(sky: Sky, day: int, draw: Random) -> list[float]:
    """W of `kwp` through the haze; noon is at 12:20 or so."""
    declination = math.radians(-23.44 * math.cos(2 * math.pi * (day + 10) / 365))
    noon = 740 + draw.uniform(-15, 15)
    haze = _walk(draw, *sky.haze, MINUTES // _HAZE + 2)
    found = []
    for minute in range(MINUTES):
        angle = 2 * math.pi * (minute - noon) / MINUTES
        height = math.sin(_LATITUDE) * math.sin(declination)
        height += math.cos(_LATITUDE) * math.cos(declination) * math.cos(angle)
        at, part = divmod(minute, _HAZE)
        clear = haze[at] + (haze[at + 1] - haze[at]) * part / _HAZE
        found.append(round(850 * sky.kwp * max(0.0, height) ** _TILT * clear, 1))
    return found


def _walk(draw: Random, least: float, most: float, count: int) -> list[float]:
    """A value that wanders between two limits."""
    value = draw.uniform(least, most)
    found = []
    for _ in range(count):
        value += draw.uniform(-0.3, 0.3) * (most - least)
        value = min(most, max(least, value))
        found.append(value)
    return found


def _household(draw: Random) -> list[float]:
    """W: what stands by, a fridge, and what people switch on."""
    base, cold = draw.uniform(90, 240), draw.uniform(60, 110)
    on, off = draw.randint(10, 18), draw.randint(20, 40)
    load = [base + (cold if minute % (on + off) < on else 0.0) for minute in range(MINUTES)]

    def use(begin: float, length: float, watts: float, duty: float = 1.0) -> None:
        for minute in range(int(begin), min(MINUTES, int(begin + length))):
            load[minute] += watts if draw.random() < duty else 0.0

    for hour in (7, 12, 18.5):
        begin = 60 * hour + draw.gauss(0, 35)
        use(begin, draw.uniform(20, 50), draw.uniform(1200, 2600), 0.55)
    for _ in range(draw.randint(2, 6)):
        use(draw.uniform(380, 1320), draw.uniform(2, 4), 2000)
    if draw.random() < 2 / 3:
        begin = draw.uniform(480, 1080)
        use(begin, 22, 2000)
        use(begin + 22, 65, 220)
    use(draw.gauss(1150, 30), draw.uniform(90, 200), draw.uniform(120, 320))
    return [round(watts) for watts in load]


def _prices(draw: Random, day: int) -> tuple[list[float], list[float]]:
    """Per kWh by quarter hours: dear in the morning and the evening, cheap under the sun."""
    level, dip = draw.uniform(0.05, 0.11), draw.uniform(0.4, 1.3)
    summer = 0.5 - 0.5 * math.cos(2 * math.pi * (day - 10) / 365)
    bought, sold = [], []
    for quarter in range(MINUTES // _QUARTER):
        hour = quarter / 4
        shape = 1 + 0.5 * _bell(hour, 8, 1.6) + 0.8 * _bell(hour, 19, 2.0)
        shape -= dip * (0.3 + 0.7 * summer) * _bell(hour, 13, 2.6)
        spot = level * shape + draw.gauss(0, 0.004)
        bought += [round(1.19 * (spot + 0.14), 5)] * _QUARTER
        sold += [round(spot - 0.005, 5)] * _QUARTER
    return bought, sold


def _bell(hour: float, middle: float, wide: float) -> float:
    return math.exp(-(((hour - middle) / wide) ** 2))
