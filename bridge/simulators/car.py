"""A car at a charger: a battery, a charger on board, a plug. Pure: time is handed in.

A per phase, V, W (+ = what the car takes), Wh, %. What it takes follows what it is offered after a
moment, as the standard (IEC 61851) lets it: within some seconds, and nothing below 6 A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CarState = Literal["disconnected", "waiting", "charging", "complete"]

_LEAST = 6.0
_HOUR = 3600.0


@dataclass(slots=True)
class Car:
    """A car; `capacity` Wh, `soc` and `target` %, `phases` and `max_current` of its own charger.

    tapers: % of charge from which on it takes less and less, down to 6 A at its target. wakes: s
    until it takes power that it is offered. slew: A/s by which it follows. loss: the share that
    does not arrive in the battery. taken: Wh since it was plugged in.
    """

    capacity: float = 60_000.0
    soc: float = 40.0
    target: float = 80.0
    phases: int = 3
    max_current: float = 16.0
    tapers: float = 100.0
    wakes: float = 3.0
    slew: float = 4.0
    loss: float = 0.1
    plugged: bool = True
    taken: float = 0.0
    current: float = 0.0
    width: int = 0
    _offered_for: float = 0.0

    def plug(self, soc: float | None = None) -> None:
        """It comes home, perhaps with another charge."""
        if soc is not None:
            self.soc = soc
        self.plugged, self.taken = True, 0.0

    def unplug(self) -> None:
        """It leaves."""
        self.plugged = False
        self._stop()

    @property
    def full(self) -> bool:
        """Whether it wants nothing more."""
        return self.soc >= self.target

    def state(self, offered: float) -> CarState:
        """What the charger sees of it while it offers so much (A; 0 = nothing)."""
        if not self.plugged:
            return "disconnected"
        if self.current > 0:
            return "charging"
        return "complete" if self.full and offered > 0 else "waiting"

    @property
    def currents(self) -> tuple[float, float, float]:
        """A on L1 to L3."""
        first, second, third = (self.current if self.width > n else 0.0 for n in range(3))
        return first, second, third

    def power(self, volts: float) -> float:
        """W that it takes now."""
        return self.current * self.width * volts

    def step(self, seconds: float, offered: float, phases: int, volts: float) -> None:
        """Let time pass with `offered` A on each of `phases` phases; 0 A is nothing.

        What it is offered less is followed at once; a contactor that opens ends it at once.
        """
        wanted = self._wanted(offered)
        if wanted <= 0 or phases <= 0:
            self._stop()
            return
        self._offered_for += seconds
        self.width = min(phases, self.phases)
        if self._offered_for <= self.wakes:
            return
        rise = self.slew * seconds
        self.current = min(wanted, max(self.current, _LEAST) + rise)
        energy = self.power(volts) * seconds / _HOUR
        self.taken += energy
        if self.capacity > 0:
            self.soc = min(100.0, self.soc + 100.0 * energy * (1 - self.loss) / self.capacity)

    def _wanted(self, offered: float) -> float:
        if not self.plugged or self.full or offered < _LEAST:
            return 0.0
        most = self.max_current
        if self.soc > self.tapers:
            share = (self.target - self.soc) / max(self.target - self.tapers, 1e-9)
            most = _LEAST + (most - _LEAST) * max(0.0, share)
        return min(offered, most)

    def _stop(self) -> None:
        self.current, self.width, self._offered_for = 0.0, 0, 0.0
