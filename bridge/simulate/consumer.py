"""One consumer as a device: lag, locks, steps, ramp, phases. It moves only when something is due.

Powers in W, times in whole seconds of the run, energy in watt-seconds.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from bridge.simulate.phases import Phases

if TYPE_CHECKING:
    from bridge.simulate.record import Record
    from bridge.simulate.scenario import ConsumerSpec

_SECONDS = 3600.0
_NEVER = 1 << 60
# Steps are counted from decimals: 1380.3 - 1380 must not miss a step by the last binary digit.
_FUZZ = 1e-9


class Device:
    """`draw` is what it drew in the last second, `due` the next second in which it may change."""

    __slots__ = (
        "_allowed", "_counted", "_index", "_phases", "_pipe", "_record", "_spec", "_started",
        "_stopped", "allowance", "delivered", "draw", "due", "id", "need", "on", "period",
        "wanting",
    )  # fmt: skip

    def __init__(self, index: int, spec: ConsumerSpec, record: Record) -> None:
        self._index, self._spec, self._record = index, spec, record
        self._pipe: deque[tuple[int, float]] = deque()
        self._allowed = 0.0  # what has reached it
        self._started = self._stopped = -_NEVER
        self._counted = 0
        self._phases = Phases(spec) if spec.switches_phases else None
        self.id, self.period = spec.id, spec.report_period_s
        self.need = spec.need_wh * _SECONDS
        self.allowance = 0.0  # what was sent last
        self.delivered = 0.0
        self.draw = 0.0
        self.due = 0
        self.on = self.wanting = False

    def send(self, second: int, allowance: float) -> None:
        """An allowance on its way, 0.1 W exactly; it acts after the device's response time."""
        allowance = round(allowance, 1)
        if allowance == self.allowance:
            return
        self.allowance = allowance
        self._record.allowances.append((second, self._index, allowance))
        self._pipe.append((second + self._spec.response_lag_s, allowance))
        self.due = min(self.due, self._pipe[0][0])

    def request(self, second: int) -> float:
        """What it asks for at the beginning of `second`, W."""
        wants = self.wanting if second < self.due else self._wants(second)
        return self._spec.max_w if wants else 0.0

    def count(self, second: int) -> None:
        """Bring the delivered energy up to the beginning of `second`."""
        self.delivered += self.draw * (second - self._counted)
        self._counted = second

    def step(self, second: int) -> None:
        """What it does in `second`."""
        self.count(second)
        self._hear(second)
        wants = self._wants(second)
        if wants != self.wanting:
            self.wanting = wants
            self._record.wanting.append((second, self._index, wants))
        if not wants:
            if self.on:
                self._switch(second, on=False)
        elif self._allowed >= self._spec.min_w:
            if not self.on:
                self._start(second)
        elif self.on:
            self._stop(second)
        target = self._target(second) if self.on else 0.0
        draw = self._ramped(target, second)
        if draw != self.draw:
            self.draw = draw
            self._record.draws.append((second, self._index, draw))
        self.due = second + 1 if draw != target else self._next(second)

    # ---------------------------------------------------------------- inside

    def _hear(self, second: int) -> None:
        pipe = self._pipe
        while pipe and pipe[0][0] <= second:
            self._allowed = pipe.popleft()[1]
            self._record.effective.append((second, self._index, self._allowed))

    def _wants(self, second: int) -> bool:
        spec = self._spec
        if not spec.window_start_s <= second < spec.window_end_s:
            return False
        return self.delivered + self.draw * (second - self._counted) < self.need

    def _start(self, second: int) -> None:
        missing = self._spec.min_off_s - (second - self._stopped)
        if missing > 0:
            if self._spec.enforces_locks:
                return
            self._record.missing.append((second, self._index, missing))
        self._switch(second, on=True)

    def _stop(self, second: int) -> None:
        missing = self._spec.min_on_s - (second - self._started)
        if missing > 0:
            if self._spec.enforces_locks:
                return  # it runs on at its minimum
            self._record.missing.append((second, self._index, missing))
        self._switch(second, on=False)

    def _switch(self, second: int, *, on: bool) -> None:
        self.on = on
        self._record.switches.append((second, self._index, on))
        if on:
            self._started = second
        else:
            self._stopped = second
        if self._phases is not None and on and self._phases.start(second, self._allowed):
            self._tell_phases(second)

    def _tell_phases(self, second: int) -> None:
        if self._phases is not None:
            self._record.phases.append((second, self._index, self._phases.count))

    def _target(self, second: int) -> float:
        """What it settles at, W."""
        spec, phases = self._spec, self._phases
        least, most, step = spec.min_w, spec.max_w, spec.step_w
        if phases is not None:
            if second > self._started and phases.step(second, self._allowed):
                self._tell_phases(second)
            if second < phases.pause_until:
                return 0.0
            least, most, step = phases.ladder
        over = self._allowed - least
        if over < 0 or not step:
            return least * spec.draw_factor
        power = least + math.floor(over / step + _FUZZ) * step
        return min(most, power) * spec.draw_factor

    def _ramped(self, target: float, second: int) -> float:
        ramp = self._spec.ramp_w_per_s
        if not ramp or not target:
            return target
        if second == self._started:
            least = self._spec.min_w if self._phases is None else self._phases.ladder[0]
            return min(target, least)
        return max(self.draw - ramp, min(self.draw + ramp, target))

    def _next(self, second: int) -> int:
        """The next second in which anything may change, when it has settled."""
        spec = self._spec
        due = float(self._pipe[0][0]) if self._pipe else float(_NEVER)
        if not self.wanting:
            return int(min(due, spec.window_start_s) if second < spec.window_start_s else due)
        due = min(due, spec.window_end_s)
        if self.draw:
            due = min(due, second + (self.need - self.delivered) / self.draw)
        if self.on and self._allowed < spec.min_w:
            due = min(due, self._started + spec.min_on_s)
        elif not self.on and self._allowed >= spec.min_w:
            due = min(due, self._stopped + spec.min_off_s)
        if self.on and self._phases is not None:
            due = min(due, self._phases.due(second))
        return max(second + 1, math.ceil(due))
