"""What makes the four consumers want power, and when they have had enough. Pure.

Each model is told what it got and how the house's time went on.
"""

from __future__ import annotations

from typing import Protocol

_DAY = 86400.0
_JOULES = 3_600_000.0  # in a kWh


class Model(Protocol):
    """Something that may want power."""

    @property
    def wants(self) -> bool:
        """True while it could use power."""

    def step(self, watts: float, dt: float, second: float) -> None:
        """`watts` were drawn for `dt` s of the house's time, up to this second of its day."""


class _Daily:
    """Notices that a new local day has begun."""

    def __init__(self) -> None:
        self._last: float | None = None

    def new(self, second: float) -> bool:
        before, self._last = self._last, second
        return before is not None and second < before


class Car:
    """A car's battery. `need` kWh are driven away each day and missing from midnight on."""

    ETA = 0.9

    def __init__(self, need: float) -> None:
        self.missing = need
        self._need = need
        self._daily = _Daily()
        self._capacity = max(60.0, need)

    @property
    def wants(self) -> bool:
        """True until it is as full as its driver wants it."""
        return self.missing > 1e-6

    def step(self, watts: float, dt: float, second: float) -> None:
        """Charge, and be driven at midnight."""
        if self._daily.new(second):
            self.missing = min(self._capacity, self.missing + self._need)
        self.missing = max(0.0, self.missing - watts * self.ETA * dt / _JOULES)


class Tank:
    """A hot water tank with a thermostat; `need` kWh of hot water are drawn from it each day."""

    LITRES = 300.0
    WARM, COLD = 60.0, 55.0
    _KWH_PER_KELVIN = LITRES * 4186.0 / _JOULES
    _ROOM = 18.0
    _LOSS = 0.0022  # kW per K towards the room
    # (from, to) in hours of the day and the share of the day's hot water
    _DRAWN = ((6.4, 7.4, 0.4), (12.4, 12.9, 0.15), (18.8, 20.0, 0.45))

    def __init__(self, need: float, temperature: float = 47.0) -> None:
        self.temperature = temperature
        self._need = need
        self._calls = temperature < self.WARM

    @property
    def wants(self) -> bool:
        """What the thermostat says: from COLD on until WARM."""
        return self._calls

    def step(self, watts: float, dt: float, second: float) -> None:
        """Heat up, cool down, and be showered with."""
        kwh = watts * dt / _JOULES
        kwh -= self._LOSS * (self.temperature - self._ROOM) * dt / 3600.0
        hour = second / 3600.0
        for begin, end, share in self._DRAWN:
            if begin <= hour < end:
                kwh -= self._need * share * dt / ((end - begin) * 3600.0)
        self.temperature = max(10.0, self.temperature + kwh / self._KWH_PER_KELVIN)
        if self.temperature >= self.WARM:
            self._calls = False
        elif self.temperature <= self.COLD:
            self._calls = True


class Pool:
    """A pool pump that wants to run `need` hours each day."""

    def __init__(self, need: float) -> None:
        self.left = need * 3600.0
        self._need = self.left
        self._daily = _Daily()

    @property
    def wants(self) -> bool:
        """True until it has run long enough today."""
        return self.left > 0

    def step(self, watts: float, dt: float, second: float) -> None:
        """Count the time that it runs."""
        if self._daily.new(second):
            self.left = self._need
        if watts > 0:
            self.left = max(0.0, self.left - dt)


class Cellar:
    """A damp cellar: `need` % of humidity come in each day, the dehumidifier takes them out."""

    DRY, DAMP = 50.0, 56.0
    _PER_KWH = 12.0  # % that a kWh takes out

    def __init__(self, need: float, humidity: float = 63.0) -> None:
        self.humidity = humidity
        self._need = need
        self._calls = humidity > self.DRY

    @property
    def wants(self) -> bool:
        """What the hygrostat says: from DAMP on until DRY."""
        return self._calls

    def step(self, watts: float, dt: float, second: float) -> None:
        """Dry while it runs, get damp by itself."""
        del second
        self.humidity += self._need * dt / _DAY - watts * dt / _JOULES * self._PER_KWH
        self.humidity = min(90.0, max(20.0, self.humidity))
        if self.humidity <= self.DRY:
            self._calls = False
        elif self.humidity >= self.DAMP:
            self._calls = True
