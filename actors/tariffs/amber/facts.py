"""What Amber tells of the interval of now besides its price, published beside it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.curves import CENTS
from actors.tariffs.amber.interval import CURRENT, SPIKES, interval_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from actors.tariffs.amber.interval import Interval
    from bridge.clock import Clock

NAMES: Final = (
    "SpotPrice",
    "PriceEstimate",
    "PriceDescriptor",
    "SpikeStatus",
    "DemandWindow",
    "Renewables",
)
_LOOK: Final = 60.0
_REPEAT: Final = timedelta(minutes=5)
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def facts(found: Interval | None) -> dict[str, Any]:
    """Values by their names in topics.yaml; None is unknown."""
    if found is None:
        return dict.fromkeys(NAMES)
    share = found.renewables
    return {
        "SpotPrice": None if found.spot is None else round(found.spot / CENTS, 6),
        # A forecast that is taken for the price of now is one, too.
        "PriceEstimate": found.estimate if found.kind == CURRENT else True,
        "PriceDescriptor": None if found.descriptor is None else snake(found.descriptor),
        "SpikeStatus": found.spike if found.spike in SPIKES else None,
        "DemandWindow": found.demand_window,
        "Renewables": share if share is not None and 0 <= share <= 100 else None,  # noqa: PLR2004 - %
    }


def snake(word: str) -> str | None:
    """The service's `extremelyLow` as `extremely_low`; None for what is no word."""
    found = _HUMP.sub("_", word).lower()
    return found if re.fullmatch(r"[a-z0-9_]{1,32}", found) else None


class Facts:
    """A companion of the actor: at each moment, what is known of the interval that it is in.

    `publish` takes a name and a value. From one answer to the next the forecasts of the last one
    serve, and when they end all is unknown.
    """

    def __init__(self, clock: Clock, publish: Callable[[str, Any], Awaitable[object]]) -> None:
        self._clock, self._publish = clock, publish
        self._answers: list[Sequence[Interval]] = []
        self._shown: dict[str, Any] = {}
        self._repeated = _LONG_AGO

    async def take(self, intervals: Sequence[Interval]) -> None:
        """News of one channel: they count first, and what they do not reach as before."""
        last = intervals[-1].end if intervals else _LONG_AGO
        older = [each for each in self._answers if each and each[-1].end > last]
        self._answers = [intervals, *older[:1]]
        await self.show()

    async def show(self) -> None:
        """Publish what has changed, and all of it every five minutes."""
        now = self._clock.utc()
        found = (interval_at(answer, now) for answer in self._answers)
        values = facts(next((each for each in found if each is not None), None))
        again = now - self._repeated >= _REPEAT or now < self._repeated
        for name, value in values.items():
            if again or name not in self._shown or self._shown[name] != value:
                await self._publish(name, value)
        if again:
            self._repeated = now
        self._shown = values

    async def run(self) -> None:
        """Follow the time: intervals begin at full minutes."""
        while True:
            await self.show()
            await self._clock.sleep(_LOOK - self._clock.utc().timestamp() % _LOOK + 0.05)

    async def safe(self) -> None:
        """Nothing to give back."""
