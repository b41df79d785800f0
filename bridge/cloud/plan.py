"""When to ask a service next: pure arithmetic, the same each time for the same house.

Every function gives the seconds from `now` to the next asking, `now` being the end of the last
one; never 0, so that a loop around it cannot run hot. `share` is this house's place between 0 and
1 (`Installation.share`): it spreads the houses, and stays the same over restarts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bridge.curve.days import at_clock, day_of

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

SHORTEST: Final = 60.0
_HOUR: Final = 3600.0
_GOLDEN: Final = 0.6180339887498949
# Before the usual time of publication; a house begins within ten minutes from then on.
_EARLY: Final = timedelta(minutes=5)
_PHASE: Final = 600.0
_EVERY: Final = (600.0, 900.0)


def day_ahead(
    known_end: datetime | None,
    now: datetime,
    *,
    zone: ZoneInfo,
    published: str = "12:45",
    covers: str = "24:00",
    share: float = 0.5,
) -> float:
    """When to ask for prices that are published once a day, the day before.

    known_end: until when they are known without a hole; zone: the market's; published: when
    tomorrow usually appears, `HH:MM` by the market's wall clock; covers: until when tomorrow's
    prices reach, likewise (`24:00`: midnight). From five minutes before `published` a house asks
    every 10 to 15 minutes until it knows tomorrow; before that only what is missing of today, once
    an hour. A midnight alone asks nothing.
    """
    today = day_of(now, zone)
    wanted = at_clock(today + timedelta(days=1), covers, zone)
    opens = _opens(today, published, zone, share)
    if known_end is not None and known_end >= wanted:
        return _until(_opens(today + timedelta(days=1), published, zone, share), now)
    if now >= opens:
        low, high = _EVERY
        return low + (high - low) * share
    if known_end is not None and known_end >= at_clock(today, covers, zone):
        return _until(opens, now)
    return min(_until(opens, now), _HOUR * (1 + share / 4))


def missing(
    known_end: datetime | None,
    now: datetime,
    *,
    zone: ZoneInfo,
    published: str = "12:45",
    covers: str = "24:00",
    share: float = 0.5,
) -> bool:
    """True when there is probably something to be had that is not known: ask at the start.

    As `day_ahead` otherwise.
    """
    today = day_of(now, zone)
    if known_end is None or known_end < at_clock(today, covers, zone):
        return True
    wanted = at_clock(today + timedelta(days=1), covers, zone)
    return known_end < wanted and now >= _opens(today, published, zone, share)


def every(seconds: float, now: datetime, *, share: float = 0.5) -> float:
    """When to ask for what changes all the time: a beat of `seconds` at this house's own phase.

    The beat stands still over restarts; a beat that is less than half of `seconds` away is left
    out.
    """
    phase = (now.timestamp() - share * seconds) % seconds
    waits = seconds - phase
    return waits if waits >= seconds / 2 else waits + seconds


def backoff(
    failures: int,
    *,
    first: float = 60.0,
    most: float = _HOUR,
    share: float = 0.5,
    error: Exception | None = None,
) -> float:
    """When to try again after `failures` (from 1) in a row: doubling, up to a quarter more.

    error: the last one; what it says of waiting (`wait` of BudgetSpent, `retry_after` of
    HttpRefused) is obeyed even beyond `most`, for a day at most.
    """
    failures = max(1, failures)
    waits = min(most, first * 2.0 ** min(failures - 1, 30))
    waits *= 1 + 0.25 * ((share + failures * _GOLDEN) % 1.0)
    for name in ("wait", "retry_after"):
        told = getattr(error, name, None)
        if isinstance(told, int | float):
            waits = max(waits, min(float(told), 86400.0) + 30 * share)
    return max(1.0, waits)


def _opens(day: date, published: str, zone: ZoneInfo, share: float) -> datetime:
    return at_clock(day, published, zone) - _EARLY + timedelta(seconds=_PHASE * share)


def _until(moment: datetime, now: datetime) -> float:
    return max(SHORTEST, (moment - now).total_seconds())
