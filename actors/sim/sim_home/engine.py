"""The house in motion: real time comes in, the house's own time passes `speed` times as fast. Pure.

Each tick is cut into small steps of the house's time, so that a battery or a thermostat behaves the
same at every speed.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from actors.sim.sim_home.day import DAY
from actors.sim.sim_home.house import Counters, Flow, phases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.sim.sim_home.consumers import Consumer
    from actors.sim.sim_home.day import Source
    from actors.sim.sim_home.house import House
    from actors.sim.sim_home.loads import Load

T = TypeVar("T")

_STEP = 1.0  # s of the house's time that one step takes, if that makes no more steps than:
_MOST_STEPS = 240
# After a pause (a suspended laptop) the house goes on from where it was.
_LONGEST_TICK = 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What instruments could show of one moment: powers in W, counters in kWh.

    `imported` and `exported` are what the meter has counted on each phase, in Wh.
    """

    flow: Flow
    counters: Counters
    pv_today: float = 0.0
    imported: Sequence[float] = (0.0, 0.0, 0.0)
    exported: Sequence[float] = (0.0, 0.0, 0.0)


@dataclass(slots=True)
class Engine:
    """Moves a house on. `at` is the house's time, in UTC seconds of the Unix epoch."""

    house: House
    source: Source
    consumers: Mapping[str, Consumer]
    at: float
    speed: float = 1.0
    offset: float = 0.0
    pv_today: float = 0.0
    loads: Mapping[str, Load] = field(default_factory=dict)
    flow: Flow = field(default_factory=Flow)
    _now: float | None = None
    _imported: list[float] = field(default_factory=lambda: [0.0] * 3)
    _exported: list[float] = field(default_factory=lambda: [0.0] * 3)

    @property
    def over(self) -> bool:
        """True when the source has nothing more."""
        return self.at >= self.source.end

    @property
    def local(self) -> datetime:
        """The house's local time; its zone is not set."""
        moment = datetime.fromtimestamp(self.at, UTC).replace(tzinfo=None)
        return moment + (datetime.fromtimestamp(self.offset, UTC) - datetime.fromtimestamp(0, UTC))

    def read(self, now: float) -> Reading:
        """Move on to `now`, and take down what can be seen there."""
        flow = self.tick(now)
        counters = replace(self.house.counters)
        return Reading(flow, counters, self.pv_today, tuple(self._imported), tuple(self._exported))

    def tick(self, now: float) -> Flow:
        """Move on to the real monotonic second `now`; returns the powers at its end."""
        before = now if self._now is None else self._now
        real = min(max(0.0, now - before), _LONGEST_TICK)
        self._now = now
        span = min(real * self.speed, self.source.end - self.at)
        if span <= 0:
            return self._look(now)
        count = min(_MOST_STEPS, math.ceil(span / _STEP))
        for index in range(1, count + 1):
            self._step(now - real + real * index / count, real / count, span / count)
        return self.flow

    def _step(self, now: float, real: float, dt: float) -> None:
        sample = self.source.sample(self.at)
        self.at += dt
        second = (self.at + self.offset) % DAY
        draws = {
            name: consumer.step(now, real, dt, second) for name, consumer in self.consumers.items()
        }
        draws |= {name: load.draw(now) for name, load in self.loads.items()}
        if second < dt:
            self.pv_today = 0.0
        self.flow = self.house.step(dt, pv=sample.pv, load=sample.load, draws=draws)
        self.pv_today += sample.pv * dt / 3_600_000.0
        for index, watts in enumerate(phases(self.flow)):
            counted = self._imported if watts > 0 else self._exported
            counted[index] += abs(watts) * dt / 3600.0

    def _look(self, now: float) -> Flow:
        """No time has passed: only the very first look makes powers of its own."""
        if self.flow.load == 0 and not self.over:
            self._step(now, 0.0, 1e-3)
        return self.flow


class Delayed(Generic[T]):
    """Shows what was put in `lag` seconds ago: meters and inverters speak of the past."""

    def __init__(self, lag: float, first: T) -> None:
        self._lag = lag
        self._waiting: deque[tuple[float, T]] = deque()
        self._seen = first

    def put(self, now: float, item: T) -> T:
        """Add what is true now and return what is seen now."""
        self._waiting.append((now, item))
        while self._waiting and self._waiting[0][0] <= now - self._lag + 1e-9:
            self._seen = self._waiting.popleft()[1]
        return self._seen
