"""What a sink tells its owner: health, one warning, one error, and how much waits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.actor import Actor
    from bridge.sinks.delivery import Refused, Undelivered
    from bridge.sinks.spool import Spool

_STANDS = 600.0
_NEWS_EVERY = 60.0


class Report:
    """Counts, and says what changed; warnings stand together in one line."""

    def __init__(self, actor: Actor) -> None:
        self.delivered = self.unreadable = self.overrun = self.unset_clock = 0
        self._actor = actor
        self._warnings: dict[str, str] = {}
        self._until: dict[str, float] = {}
        self._told: str | None = None
        self._said: tuple[int, int] | None = None
        self._said_at = -math.inf
        self._lost = self._damaged = self._clock_seen = 0

    # ---------------------------------------------------------------- how delivering goes

    async def failing(self, error: Undelivered, waiting: int) -> None:
        """Tell health why nothing gets through and how much waits; the owner's part as an Error."""
        await self._actor.health(f"{error}; {_values(waiting)}")
        await self._actor.message("Error", str(error) if error.mend else None)

    async def succeeding(self) -> None:
        """All is well again."""
        await self._actor.health(None)
        await self._actor.message("Error", None)

    async def refused(self, refused: Sequence[Refused], name_of: Callable[[bytes], str]) -> None:
        """Name a line that was dropped because the other side refuses it."""
        if not refused:
            return
        line, why = refused[-1]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        await self._warn("refused", f"{name_of(line)} was dropped{more}: {why}")

    async def look(self, waiting: int, spool: Spool) -> None:
        """Once a second: what the bounds cost, and now and then how much was delivered."""
        lost = spool.dropped + self.overrun
        if lost > self._lost:
            self._lost = lost
            place = "spool is full" if spool.dropped else "disk is too slow"
            await self._warn("lost", f"{_many(lost)} lost because the {place}")
        if spool.damaged > self._damaged:
            self._damaged = spool.damaged
            await self._warn("damaged", f"{_many(self._damaged)} lost, half written at a crash")
        if self.unset_clock > self._clock_seen:
            self._clock_seen = self.unset_clock
            await self._warn("clock", "values are left out: the clock of this computer is not set")
        if spool.trouble:
            await self._warn(
                "disk", f"the spool cannot be written or read: {spool.trouble}", stands=5.0
            )
        await self._forget()
        await self._operational(waiting)

    async def _operational(self, waiting: int) -> None:
        said, now = (self.delivered, waiting), self._actor.clock.now()
        if said == self._said or now - self._said_at < _NEWS_EVERY:
            return
        self._said, self._said_at = said, now
        sentence = f"{self.delivered} values delivered since the start; {_values(waiting)}"
        await self._actor.message("Operational", sentence)

    # ---------------------------------------------------------------- warnings

    async def _warn(self, key: str, text: str, *, stands: float = _STANDS) -> None:
        if key not in self._warnings:
            self._actor.log.warning(text)
        self._warnings[key] = text
        self._until[key] = self._actor.clock.now() + stands
        await self._tell()

    async def _forget(self) -> None:
        now = self._actor.clock.now()
        for key in [key for key, until in self._until.items() if until <= now]:
            del self._until[key], self._warnings[key]
        await self._tell()

    async def _tell(self) -> None:
        text = "; ".join(self._warnings.values()) or None
        if text != self._told:
            self._told = text
            await self._actor.message("Warning", text)


def _values(count: int) -> str:
    return "1 value waits" if count == 1 else f"{count} values wait"


def _many(count: int) -> str:
    return "1 value was" if count == 1 else f"{count} values were"
