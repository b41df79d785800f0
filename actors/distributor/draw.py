"""What one consumer draws, as far as it counts, and what it drew a moment ago.

A report and the meter never arrive at the same moment. So the values of the last seconds are kept:
the lowest of them decides what may be newly given, the highest what may be kept.
See docs/decisions/0003-settle-window.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from actors.distributor.allocate import MICRO

PATIENCE: Final = 60.0
_PROOF: Final = 60.0
_WATT_SECONDS_PER_KWH: Final = 3.6e6
_MOST_CHANGES: Final = 64


@dataclass(slots=True)
class Doubt:
    """A silent consumer was raised from `value` at `since`, when the meter's base was `base`."""

    value: int
    base: int
    since: float


@dataclass(slots=True)
class Draw:
    """Counted consumption in microwatts over time. `kwh` is what was drawn under allowances."""

    value: int = 0
    kwh: float = 0.0
    over_since: float | None = None
    overdrawn: bool = False
    doubt: Doubt | None = None  # whether what it is taken to draw must show first
    expected: int = 0  # after a raise: what it may draw by now without having said so
    _changes: list[tuple[float, int]] = field(default_factory=list)
    _counted_at: float | None = None

    def report(self, now: float, consumption: int, allowance: int, most: int, margin: int) -> None:
        """It says what it draws. `most` is its request, `margin` what is no overdraft yet."""
        if consumption <= allowance + margin:
            self.over_since = None
        elif self.over_since is None:
            self.over_since = now
        self.overdrawn = self.over_since is not None and now >= self.over_since + PATIENCE
        self.doubt = None
        counted = min(consumption, most)
        if self.overdrawn:
            counted = min(counted, allowance)
        if counted != self.value or not self._changes:
            self._set(now, counted)

    def follow(self, now: float, allowance: int) -> None:
        """It says nothing: it is taken to draw what it is allowed."""
        self.over_since, self.overdrawn = None, False
        self._set(now, allowance)

    def suspect(self, now: float, before: int, base: int) -> None:
        """It says nothing and is raised from `before`: whether it draws more must show first."""
        if self.doubt is None:
            self.doubt = Doubt(before, base, now)
        self.doubt.since = now

    def proven(self, now: float, base: int) -> int:
        """What of the assumed draw the meter has borne out (microwatts); all of it after 60 s.

        Half of the raise must be seen: the sun may have risen by the other half meanwhile.
        """
        doubt = self.doubt
        if (
            doubt is None
            or self.value <= doubt.value
            or now >= doubt.since + _PROOF
            or 2 * (doubt.base - base) >= self.value - doubt.value
        ):
            self.doubt = None
        else:
            return doubt.value
        return self.value

    @property
    def doubted_until(self) -> float:
        """When the assumed draw counts in any case; -inf when nothing is doubted."""
        return -math.inf if self.doubt is None else self.doubt.since + _PROOF

    @property
    def patient_until(self) -> float:
        """When what it draws above its allowance becomes ordinary load; inf when it does not."""
        return math.inf if self.over_since is None else self.over_since + PATIENCE

    def settle_now(self, now: float) -> None:
        """The present value has always been so: the meter has seen it already."""
        self._changes = [(now, self.value)]

    def integrate(self, now: float, allowance: int) -> None:
        """Add the energy since the last call; to be called before anything changes."""
        since = self._counted_at
        if since is not None and now <= since:
            return
        if since is not None and allowance > 0:
            drawn = self.value / MICRO * (now - since)
            self.kwh += drawn / _WATT_SECONDS_PER_KWH
        self._counted_at = now

    def span(self, since: float) -> tuple[int, int]:
        """The lowest and the highest value that was in force at or after `since`."""
        changes = self._changes
        if len(changes) <= 1:
            return self.value, self.value
        while len(changes) > 1 and changes[1][0] <= since:
            del changes[0]
        values = [value for _, value in changes]
        return min(values), max(values)

    def _set(self, now: float, value: int) -> None:
        changes = self._changes
        if changes and changes[-1][1] == value:
            self.value = value
            return
        self.value = value
        at = max(now, changes[-1][0]) if changes else now
        changes.append((at, value))
        if len(changes) > _MOST_CHANGES:
            # Nobody asks while the meter is silent; the extremes are all that will matter.
            values = [value for _, value in changes]
            changes[:-1] = [(at, min(values)), (at, max(values))]
