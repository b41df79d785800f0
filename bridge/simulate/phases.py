"""A charger that draws on one phase or on three, and pauses when it changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.simulate.scenario import ConsumerSpec

_ALL = 3


class Phases:
    """`count` is 1 (at first) or 3; `ladder` is least, most and step (W) on so many."""

    __slots__ = ("_above", "_below", "_changed", "_spec", "count", "ladder", "pause_until")

    def __init__(self, spec: ConsumerSpec) -> None:
        self._spec = spec
        self._changed = -math.inf
        self._above: int | None = None  # since when it may have all three
        self._below: int | None = None
        self.pause_until = -1
        self.count = 1
        self.ladder = self._ladder()

    def _ladder(self) -> tuple[float, float, float]:
        spec = self._spec
        if self.count == 1:
            return spec.min_w, spec.max_w / _ALL, spec.step_w
        return _ALL * spec.min_w, spec.max_w, _ALL * spec.step_w

    def start(self, second: int, allowed: float) -> bool:
        """At a start it takes what fits, without a pause. True when that is a change."""
        self._above = self._below = None
        self._watch(second, allowed)
        fits = _ALL if allowed >= _ALL * self._spec.min_w else 1
        if fits == self.count or second - self._changed < self._spec.phase_interval_s:
            return False
        self._change(second, fits)
        return True

    def step(self, second: int, allowed: float) -> bool:
        """While on. True when it changes now."""
        self._watch(second, allowed)
        if second < self._change_at():
            return False
        self._change(second, _ALL if self.count == 1 else 1)
        self.pause_until = second + math.ceil(self._spec.phase_pause_s)
        return True

    def due(self, second: int) -> float:
        """The next second in which it may change or its pause ends."""
        at = self._change_at()
        return min(at, self.pause_until) if self.pause_until > second else at

    def _watch(self, second: int, allowed: float) -> None:
        if allowed >= _ALL * self._spec.min_w:
            self._below = None
            self._above = second if self._above is None else self._above
        else:
            self._above = None
            self._below = second if self._below is None else self._below

    def _change_at(self) -> float:
        spec = self._spec
        if self.count == 1:
            since, delay = self._above, spec.phase_up_delay_s
        else:
            since, delay = self._below, spec.phase_down_delay_s
        if since is None:
            return math.inf
        return max(since + delay, self._changed + spec.phase_interval_s)

    def _change(self, second: int, count: int) -> None:
        self.count, self._changed = count, second
        self.ladder = self._ladder()
