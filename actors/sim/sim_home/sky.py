"""Clouds: which share of a clear sky's light arrives, as a function of time. Pure, seeded.

A day is a row of segments, each with a level and a length; the share follows the level with a time
constant. Both are kept in closed form, so that any moment can be asked for in any order.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random

Sky = Literal["clear", "broken", "overcast"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one sky behaves: its levels, how long each stays (s), how quickly it changes (s)."""

    levels: tuple[float, ...]
    dwell_min: float
    dwell_mean: float
    smooth: float


SKIES: dict[Sky, Kind] = {
    "clear": Kind((1.0, 0.99, 0.97), 600.0, 1800.0, 120.0),
    # 1.06: the bright edge of a cloud adds to the direct sun.
    "broken": Kind((1.0, 1.0, 0.95, 1.06, 0.55, 0.35, 0.22), 25.0, 110.0, 6.0),
    "overcast": Kind((0.10, 0.16, 0.22, 0.30, 0.45), 180.0, 900.0, 90.0),
}


class Clouds:
    """The clouds of one day of `length` seconds."""

    def __init__(self, rng: random.Random, sky: Sky, length: float = 86400.0) -> None:
        kind = SKIES[sky]
        self._smooth = kind.smooth
        self._starts: list[float] = []
        self._levels: list[float] = []
        self._reached: list[float] = []
        start, share = 0.0, None
        while start < length:
            level = kind.levels[int(rng.random() * len(kind.levels))]
            share = level if share is None else share
            self._starts.append(start)
            self._levels.append(level)
            self._reached.append(share)
            dwell = kind.dwell_min - math.log(1.0 - rng.random()) * kind.dwell_mean
            share = level + (share - level) * math.exp(-dwell / kind.smooth)
            start += dwell

    def share(self, second: float) -> float:
        """The share at a second of the day; about 1 is clear."""
        index = max(0, bisect_right(self._starts, second) - 1)
        level = self._levels[index]
        passed = max(0.0, second - self._starts[index])
        return level + (self._reached[index] - level) * math.exp(-passed / self._smooth)
