"""What a household uses in a day apart from the consumers that ask for power. Pure, seeded.

Appliances are intervals of constant power; their sum is a staircase that is looked up by bisection.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_DAY = 86400.0
_STANDBY = 130.0
_WAVER = 12.0  # W, of all the small things


class Household:
    """The uncontrolled load of one day, in W, at least what stands by.

    `dark` are the local hours (sunrise, sunset) outside of which lamps burn.
    """

    def __init__(
        self, rng: random.Random, *, weekend: bool = False, dark: tuple[float, float] = (6.0, 20.0)
    ) -> None:
        self._steps: list[tuple[float, float]] = []
        self._fridge(rng)
        self._kettle(rng, weekend=weekend)
        self._cooking(rng, weekend=weekend)
        self._washing(rng)
        self._evening(rng, dark)
        self._steps.sort()
        self._times = [at for at, _ in self._steps]
        self._levels = [0.0, *accumulate(change for _, change in self._steps)]
        self._waver = [rng.uniform(-_WAVER, _WAVER) for _ in range(1441)]

    def power(self, second: float) -> float:
        """W at a second of the local day."""
        level = self._levels[bisect_right(self._times, second)]
        minute, inside = divmod(min(max(second, 0.0), _DAY - 1e-6), 60.0)
        here, there = self._waver[int(minute)], self._waver[int(minute) + 1]
        return max(_STANDBY - _WAVER, _STANDBY + level + here + (there - here) * inside / 60.0)

    def _use(self, start: float, length: float, watts: float) -> None:
        self._steps += [(start, watts), (start + length, -watts)]

    def _fridge(self, rng: random.Random) -> None:
        at = -rng.uniform(0, 2400)
        while at < _DAY:
            running = rng.uniform(840, 1260)
            self._use(at, running, 85.0)
            at += running + rng.uniform(1500, 2400)

    def _kettle(self, rng: random.Random, *, weekend: bool) -> None:
        first = 8.0 if weekend else 6.4
        for hour, chance in ((first, 1.0), (10.5, 0.7), (13.2, 0.5), (16.0, 0.8), (20.5, 0.5)):
            if rng.random() < chance:
                start = (hour + rng.uniform(0, 0.8)) * 3600
                self._use(start, rng.uniform(120, 240), rng.uniform(1850, 2150))

    def _cooking(self, rng: random.Random, *, weekend: bool) -> None:
        for hour, chance in ((12.0, 0.9 if weekend else 0.4), (18.3, 0.85)):
            if rng.random() >= chance:
                continue
            at = (hour + rng.uniform(0, 0.8)) * 3600
            end = at + rng.uniform(1200, 2700)
            watts = rng.uniform(1400, 2300)
            self._use(at, 240, watts)  # until it boils, then the plate clicks on and off
            at += 260
            while at < end:
                burst = rng.uniform(15, 40)
                self._use(at, burst, watts)
                at += burst + rng.uniform(25, 60)

    def _washing(self, rng: random.Random) -> None:
        if rng.random() < 0.45:
            at = rng.uniform(8.5, 16.0) * 3600
            self._use(at, rng.uniform(780, 1140), 1950.0)
            self._use(at, rng.uniform(4500, 6000), 160.0)
        if rng.random() < 0.6:
            at = rng.uniform(19.2, 20.5) * 3600
            self._use(at + 300, 900, 1800.0)
            self._use(at + 3000, 720, 1800.0)
            self._use(at, 5400, 60.0)

    def _evening(self, rng: random.Random, dark: tuple[float, float]) -> None:
        rise, dusk = (3600 * hour for hour in dark)
        up, bed = (3600 * rng.uniform(6.2, 7.0), 3600 * rng.uniform(22.0, 23.3))
        if up < rise:
            self._use(up, min(rise, 9.0 * 3600) - up, 110.0)
        if dusk < bed:
            begin = max(dusk, 15.5 * 3600)
            self._use(begin, bed - begin, rng.uniform(120.0, 190.0))
        start = rng.uniform(18.8, 20.0) * 3600
        self._use(start, max(600.0, bed - start), rng.uniform(90.0, 150.0))
