"""What the sun may do next, by what it has done in the last minutes.

The surplus of the near future is taken to be the present one for a while, and after that any of
those that were seen lately: clouds pass, and what has passed once passes again.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

_EVERY: Final = 10.0
_PARTS: Final = 12


class Belief:
    """A ring of samples of the surplus (W). `span`: s remembered; `hold`: s a state lasts."""

    __slots__ = ("_at", "_quantiles", "_ring", "hold")

    def __init__(self, span: float = 1200.0, hold: float = 150.0) -> None:
        self.hold = hold
        self._ring: deque[float] = deque(maxlen=max(1, round(span / _EVERY)))
        self._at = -math.inf
        self._quantiles: list[float] = []

    def see(self, surplus: float, now: float) -> None:
        """The surplus as it is now; one sample in 10 s is kept."""
        if now < self._at + _EVERY:
            return
        self._at = now
        self._ring.append(surplus)
        self._quantiles.clear()

    def forget(self) -> None:
        """What was seen is no guide any more: the meter was away."""
        self._ring.clear()
        self._quantiles.clear()

    def samples(self, surplus: float) -> list[float]:
        """The present surplus first, then equally likely others."""
        if not self._quantiles:
            known = sorted(self._ring) or [surplus]
            last = len(known) - 1
            self._quantiles = [known[round(last * (part + 0.5) / _PARTS)] for part in range(_PARTS)]
        return [surplus, *self._quantiles]

    def weight(self, horizon: float) -> float:
        """How much of the next `horizon` s the present surplus lasts, as a share."""
        if horizon <= 0:
            return 1.0
        return self.hold / horizon * (1 - math.exp(-horizon / self.hold))

    @property
    def remembers(self) -> float:
        """How many s are remembered by now."""
        return len(self._ring) * _EVERY

    def share_above(self, watts: float) -> float:
        """The share of the remembered time in which the surplus was at least `watts`."""
        if not self._ring:
            return 0.0
        return sum(one >= watts for one in self._ring) / len(self._ring)
