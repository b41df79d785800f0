"""Counts writes to the charger's EEPROM, a day in UTC at a time; the count survives a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.clock import Clock
    from bridge.state import StateFolder

_NAME = "eeprom"


class Wear:
    """How often the EEPROM was written today, of at most `limit` times."""

    def __init__(self, state: StateFolder, clock: Clock, limit: int) -> None:
        self._state, self._clock, self.limit = state, clock, limit
        self._day, self._count = self._today(), 0
        found = state.load(_NAME) or {}
        if found.get("day") == self._day and type(found.get("count")) is int:
            self._count = found["count"]

    @property
    def today(self) -> int:
        """Writes so far today."""
        if (day := self._today()) != self._day:
            self._day, self._count = day, 0
        return self._count

    @property
    def spent(self) -> bool:
        """True when today's writes are used up."""
        return self.today >= self.limit

    def count(self) -> None:
        """Note one write."""
        self._count = self.today + 1
        self._state.save(_NAME, {"day": self._day, "count": self._count})

    def _today(self) -> str:
        return self._clock.utc().date().isoformat()
