"""Tibber's word for the price of now, which follows the time and outlives restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.tariffs.tibber.decode import Level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.clock import Clock
    from bridge.state import StateFolder

_LOOK: Final = 60.0
_REPEAT: Final = timedelta(minutes=5)
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FILE: Final = "levels"


class Levels:
    """A companion of the actor. `publish` takes the word, or None for unknown."""

    def __init__(
        self, clock: Clock, state: StateFolder, publish: Callable[[str | None], Awaitable[object]]
    ) -> None:
        self._clock, self._state, self._publish = clock, state, publish
        self._known: tuple[Level, ...] = _read(state.load(_FILE))
        self._shown: str | None = None
        self._shown_at = _LONG_AGO

    async def take(self, levels: Sequence[Level]) -> None:
        """News: they count, and what they do not reach as before."""
        if not levels:
            return
        first, last = levels[0].start, levels[-1].end
        yesterday = self._clock.utc() - timedelta(days=1)
        older = [
            each
            for each in self._known
            if (each.end <= first or each.start >= last) and each.end > yesterday
        ]
        self._known = tuple(sorted((*older, *levels), key=lambda each: each.start))
        self._state.save(_FILE, {"levels": msgspec.to_builtins(self._known)})
        await self.show()

    def at(self, moment: datetime) -> str | None:
        """The word at `moment`."""
        return next((each.word for each in self._known if each.start <= moment < each.end), None)

    async def show(self) -> None:
        """Publish it when it has changed, and every five minutes."""
        now = self._clock.utc()
        word = self.at(now)
        again = now - self._shown_at >= _REPEAT or now < self._shown_at
        if again or word != self._shown:
            await self._publish(word)
            self._shown, self._shown_at = word, now

    async def run(self) -> None:
        """Follow the time: slots begin at full minutes."""
        while True:
            await self.show()
            await self._clock.sleep(_LOOK - self._clock.utc().timestamp() % _LOOK + 0.05)

    async def safe(self) -> None:
        """Nothing to give back."""


def _read(raw: dict[str, Any] | None) -> tuple[Level, ...]:
    try:
        found = msgspec.convert((raw or {}).get("levels", []), tuple[Level, ...])
    except msgspec.ValidationError:
        return ()
    return found if all(each.start.tzinfo and each.end.tzinfo for each in found) else ()
