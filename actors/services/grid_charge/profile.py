"""What the house usually needs in each hour of the day, learnt from what it needs. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

_HOURS: Final = 24
# How much one new day counts against what was known of that hour.
_NEW: Final = 0.25
# Seconds of an hour that must have been seen, and the longest step between two values.
_ENOUGH, _LONGEST = 1800.0, 60.0
_MOST: Final = 1_000_000.0


@dataclass(slots=True)
class Profile:
    """The mean load, W, of each UTC hour; `usual` where nothing is known yet."""

    usual: float
    hours: list[float | None] = field(default_factory=lambda: [None] * _HOURS)
    _hour: datetime | None = None
    _energy: float = 0.0
    _seconds: float = 0.0

    def see(self, load: float, seconds: float, utc: datetime) -> bool:
        """Note a load that stood for some seconds; true when an hour was learnt."""
        hour = utc.replace(minute=0, second=0, microsecond=0)
        learnt = False
        if hour != self._hour:
            learnt = self._close()
            self._hour, self._energy, self._seconds = hour, 0.0, 0.0
        seconds = min(max(seconds, 0.0), _LONGEST)
        self._energy += max(load, 0.0) * seconds
        self._seconds += seconds
        return learnt

    def _close(self) -> bool:
        if self._hour is None or self._seconds < _ENOUGH:
            return False
        mean, known = self._energy / self._seconds, self.hours[self._hour.hour]
        new = mean if known is None else known + _NEW * (mean - known)
        self.hours[self._hour.hour] = round(new, 1)
        return True

    def at(self, utc: datetime) -> float:
        """The load to expect, W."""
        known = self.hours[utc.hour]
        return self.usual if known is None else known

    def export(self) -> dict[str, Any]:
        """What a restart must not lose."""
        return {"hours": self.hours}

    def restore(self, content: dict[str, Any] | None) -> None:
        """Take what `export` gave; what is no list of 24 loads is left aside."""
        hours = (content or {}).get("hours")
        if isinstance(hours, list) and len(hours) == _HOURS and all(map(_is_load, hours)):
            self.hours = [None if each is None else float(each) for each in hours]


def _is_load(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and 0 <= value <= _MOST
