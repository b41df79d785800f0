"""What the sun may do next, by what it has done in the last minutes.

The surplus of the near future is taken to be the present one for a while, and after that any of
those that were seen lately: clouds pass, and what has passed once passes again. How long a state
lasts is learned: the share of a lasting difference that one minute already makes tells it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from typing import Final

_EVERY: Final = 10.0
_PARTS: Final = 12
# Samples of the minute whose change is compared with the change over the whole ring.
_MINUTE: Final = 6
# How long the comparison remembers, and how much it must have seen to be believed, in samples.
_MEMORY: Final = 720
_ENOUGH: Final = 120
# Between these shares: a state lasts at least 60 s, and 900 s at most.
_MOST: Final = 0.632
_LEAST: Final = 0.0645


class Belief:
    """A ring of samples of the surplus (W). `span`: s remembered.

    `hold`: s that a state lasts, until this sky has shown it (where the belief `learns`).
    """

    __slots__ = (
        "_at",
        "_far",
        "_learns",
        "_near",
        "_pairs",
        "_quantiles",
        "_ring",
        "_sorted",
        "hold",
        "mean",
    )

    def __init__(self, span: float = 1200.0, hold: float = 150.0, *, learns: bool = True) -> None:
        self.hold = hold
        self.mean = 0.0  # of what is remembered
        self._learns = learns
        self._ring: deque[float] = deque(maxlen=max(1, round(span / _EVERY)))
        self._at = -math.inf
        self._sorted: list[float] = []
        self._quantiles: list[float] = []
        self._near = self._far = 0.0  # mean change over a minute, and over the whole ring
        self._pairs = 0

    def see(self, surplus: float, now: float) -> None:
        """The surplus as it is now; one sample in 10 s is kept."""
        if now < self._at + _EVERY:
            return
        self._at = now
        self._learn(surplus)
        self._ring.append(surplus)
        self._sorted = sorted(self._ring)
        self.mean = sum(self._ring) / len(self._ring)
        self._quantiles.clear()

    def _learn(self, surplus: float) -> None:
        """How long a state lasts: a minute's change is 1 - exp(-minute / hold) of any change."""
        ring = self._ring
        if not self._learns or len(ring) < (ring.maxlen or 0) or len(ring) <= _MINUTE:
            return
        self._pairs = min(_MEMORY, self._pairs + 1)
        self._near += (abs(surplus - ring[-_MINUTE]) - self._near) / self._pairs
        self._far += (abs(surplus - ring[0]) - self._far) / self._pairs
        if self._pairs < _ENOUGH or not self._far:
            return
        share = min(_MOST, max(_LEAST, self._near / self._far))
        self.hold = -_MINUTE * _EVERY / math.log1p(-share)

    def forget(self) -> None:
        """What was seen is no guide any more: the meter was away."""
        self._ring.clear()
        self.mean = 0.0
        self._sorted.clear()
        self._quantiles.clear()

    def samples(self, surplus: float) -> list[float]:
        """The present surplus first, then equally likely others."""
        if not self._quantiles:
            known = self._sorted or [surplus]
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
        below = bisect_left(self._sorted, watts)
        return (len(self._sorted) - below) / len(self._sorted)
