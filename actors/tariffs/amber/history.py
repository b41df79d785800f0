"""Days of the market, and a long time in pieces that the service takes. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

MARKET: Final = timezone(timedelta(hours=10), "NEM")
"""The market's time, which has no daylight saving."""
MOST_DAYS: Final = 7


def market_day(now: datetime) -> date:
    """The market's day at that moment."""
    return now.astimezone(MARKET).date()


def pieces(start: date, end: date) -> list[tuple[date, date]]:
    """First and last day of each piece, both inclusive; none when `end` is before `start`."""
    found = []
    while start <= end:
        last = min(end, start + timedelta(days=MOST_DAYS - 1))
        found.append((start, last))
        start = last + timedelta(days=1)
    return found
