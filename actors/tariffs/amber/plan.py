"""When to ask Amber next. Pure.

The market sets a price every five minutes, which Amber shows 20 to 45 s later, at first as an
estimate. So: half a minute into an interval, then three times more ten seconds apart while it is an
estimate, then once a minute; a final price stands until the next one can be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from actors.tariffs.amber.interval import Interval
    from actors.tariffs.amber.limits import RateLimits

SECOND: Final = 30.0
SPREAD: Final = 8.0
"""s over which the houses are spread."""
TRIES: Final = 3
AGAIN: Final = 10.0
MINUTE: Final = 60.0
DISPATCH: Final = 300.0
RESERVE: Final = 10
"""Requests of a window that are left to what else uses the account."""
FULL: Final = 1800.0
"""s between two looks at the whole forecast."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last answer.

    current: the interval that was the current one by its own times; begin: when it began; tries:
    how often it was asked for before.
    """

    current: Interval | None = None
    begin: datetime | None = None
    tries: int = 0


def seen(before: Seen, current: Interval | None, now: datetime) -> Seen:
    """Note an answer; while none covers `now`, the one of the last five minutes is waited for."""
    begin = _floor(now) if current is None else current.start
    tries = before.tries + 1 if begin == before.begin else 0
    return Seen(current, begin, tries)


def wait(last: Seen, now: datetime, share: float, limits: RateLimits | None = None) -> float:
    """Seconds from `now` until Amber should be asked again; `share`: this house's place."""
    second = SECOND + SPREAD * share
    open_ = last.current is None or not last.current.final
    if open_ and last.tries < TRIES:
        found = AGAIN
    else:
        found = _until(now, MINUTE if open_ else DISPATCH, second)
    if limits is not None and limits.remaining is not None and limits.remaining <= RESERVE:
        reset = limits.estimated_reset
        if reset is not None and reset > now:
            found = max(found, min((reset - now).total_seconds(), 2 * DISPATCH))
    return found


def amounts(
    now: datetime, since: datetime, hours: float, length: timedelta, *, full: bool
) -> tuple[int, int]:
    """How many intervals before and after the current one to ask for.

    full: from `since` to `hours` ahead; else what changes from one price to the next.
    """
    if not full:
        return 1, max(2, round(timedelta(hours=1) / length))
    before = max(0, -(-(now - since) // length))
    return before, -(-timedelta(hours=hours) // length)


def _until(now: datetime, beat: float, second: float) -> float:
    """Seconds until `second` s after the next full `beat`; ten at least, or none is new."""
    passed = (now.astimezone(UTC).timestamp() - second) % beat
    found = beat - passed
    return found if found >= AGAIN else found + beat


def _floor(now: datetime) -> datetime:
    stamp = now.timestamp()
    return datetime.fromtimestamp(stamp - stamp % DISPATCH, UTC)
