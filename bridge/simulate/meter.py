"""The grid meter: late, noisy, and the only eye of a policy."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bridge.simulate.scenario import MeterSpec

_NOISE_SEED = 500_000


class Reading(NamedTuple):
    """W, grid + import, battery + discharge; SoC in %. Without a battery 0 and None."""

    grid: float
    pv: float
    battery: float
    soc: float | None


class Meter:
    """Noise of its own for each reading; `due` is the second of the next one."""

    __slots__ = ("_draw", "_noise", "due", "lag", "period")

    def __init__(self, spec: MeterSpec, seed: int) -> None:
        self.lag, self.period = spec.lag_s, spec.period_s
        self.due = -(-self.lag // self.period) * self.period
        self._noise = spec.noise_w
        self._draw = Random(seed + _NOISE_SEED).random  # noqa: S311 - noise, no secret

    def read(self, grid: float) -> float:
        """What it shows for a grid power (W, + import)."""
        self.due += self.period
        return grid + (2 * self._draw() - 1) * self._noise
