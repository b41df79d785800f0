"""How often a value that follows a moving one may be written: steps, pauses, writes a day.

Pure: no clock, no I/O. Many devices keep what they are told in flash memory, which wears out.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from bridge.known import known

_DAY: Final = 86400.0
_SLOWEST: Final = 16.0

Urgent = Literal["down", "up", "both", "none"]


@dataclass(slots=True)
class Pace:
    """Follows a value in steps.

    step: the grid on which values lie; a smaller change is no change. interval: s between two
    changes that can wait, stretched up to 16 times as the day's writes run out. writes: most
    changes in 24 h, 0 for any number. urgent: the direction that cannot wait. Towards it the value
    is rounded and changed at once, and where no write is left for that, everything is given back.
    `none` rounds to the nearest step, and nothing is urgent.
    """

    step: float
    interval: float
    writes: int = 0
    urgent: Urgent = "none"
    held: float | None = None
    exhausted: bool = False
    _changed_at: float = -math.inf
    _written: deque[float] = field(default_factory=deque)

    def follow(self, wanted: float | None, now: float) -> float | None:
        """The value to hold at `now` (monotonic s), None for nothing; giving back is free."""
        self.exhausted = self._left(now) <= 0
        wanted = known(wanted)
        if wanted is None:
            self._give_back(now)
            return None
        if self.held is not None and self._must(wanted, self.held):
            if self.exhausted:
                self._give_back(now)
                return None
            return self._change(self._rounded(wanted), now)
        if self.exhausted or now < self._changed_at + self._pause(now):
            return self.held
        target = self._calm(wanted)
        if target is not None and target != self.held:
            return self._change(target, now)
        return self.held

    def spend(self, now: float) -> bool:
        """Count a change of something that is no number; false when no write is left."""
        self.exhausted = self._left(now) <= 0
        if not self.exhausted:
            self._written.append(now)
        return not self.exhausted

    def used(self, now: float) -> int:
        """Changes in the last 24 h."""
        while self._written and self._written[0] <= now - _DAY:
            self._written.popleft()
        return len(self._written)

    def _left(self, now: float) -> float:
        return self.writes - self.used(now) if self.writes else math.inf

    def _pause(self, now: float) -> float:
        share = self.used(now) / self.writes if self.writes else 0.0
        return self.interval * math.pow(_SLOWEST, share)

    def _must(self, wanted: float, held: float) -> bool:
        if self.urgent == "both":
            return abs(wanted - held) >= self.step
        if self.urgent == "down":
            return wanted < held
        return self.urgent == "up" and wanted > held

    def _rounded(self, wanted: float) -> float:
        steps = wanted / self.step
        if self.urgent == "down":
            return math.floor(steps) * self.step
        if self.urgent == "up":
            return math.ceil(steps) * self.step
        return math.floor(steps + 0.5) * self.step

    def _calm(self, wanted: float) -> float | None:
        """Where to go when nothing presses: not onto a step whose edge is a breath away."""
        target = self._rounded(wanted)
        if self.held is None:
            return target
        if self.urgent == "down" and wanted - target < self.step / 4:
            target -= self.step
        elif self.urgent == "up" and target - wanted < self.step / 4:
            target += self.step
        if self.urgent == "down":
            return max(target, self.held)
        if self.urgent == "up":
            return min(target, self.held)
        return target if abs(wanted - self.held) >= self.step else self.held

    def _change(self, value: float, now: float) -> float:
        self.held, self._changed_at = value, now
        self._written.append(now)
        return value

    def _give_back(self, now: float) -> None:
        if self.held is not None:
            self.held, self._changed_at = None, now
