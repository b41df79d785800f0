"""A simulated day-ahead market: scripted days of quarter-hours, published the day before. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from bridge.curve.days import day_of, local_day

if TYPE_CHECKING:
    from collections.abc import Iterable

DAYS: Final = {
    "usual": "dear in the morning and in the evening",
    "negative": "sun and wind: from 11 to 15 h the prices are below zero",
    "flat": "one price all day",
    "missing": "no prices, ever",
    "late": "published six hours late",
}
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
_LATE: Final = timedelta(hours=6)
_FIRST: Final = date(2026, 1, 1)
# A multiplier that spreads neighbours well (the golden ratio of 2**32).
_SPREAD: Final = 2654435761
_SHAPE: Final = (20, 12, 8, 6, 8, 20, 45, 60, 55, 35, 15, 0, -5, -5, 5, 20, 40, 65, 80, 75, 55)
_FLAT: Final = 50.0


class Price(msgspec.Struct, frozen=True):
    """One slot. value: EUR/MWh."""

    start: datetime
    end: datetime
    value: float


class Market:
    """The prices of local days of `zone`, the same for the same moment each time.

    days: kinds of day (keys of DAYS) that follow one another, beginning with 1 January 2026;
    published: local time of the day before. Raises ValueError for what it does not know.
    """

    def __init__(
        self,
        zone: str = "Europe/Berlin",
        *,
        days: Iterable[str] = ("usual",),
        published: str = "12:50",
    ) -> None:
        self.zone = ZoneInfo(zone)
        self.days = (days,) if isinstance(days, str) else tuple(days)
        if not self.days or not set(self.days) <= set(DAYS):
            raise ValueError(f"{', '.join(self.days)} is not of {', '.join(DAYS)}")
        self.published = time.fromisoformat(published)

    def kind(self, day: date) -> str:
        """What sort of day it is."""
        return self.days[(day - _FIRST).days % len(self.days)]

    def known(self, day: date, now: datetime) -> bool:
        """True when the prices of `day` have been published at `now`."""
        kind = self.kind(day)
        moment = datetime.combine(day - timedelta(days=1), self.published, self.zone)
        return kind != "missing" and now >= moment + (_LATE if kind == "late" else timedelta())

    def quarters(self, day: date) -> list[Price]:
        """The 92, 96 or 100 quarter-hours of a day, published or not; none of a missing one."""
        kind = self.kind(day)
        if kind == "missing":
            return []
        start, end = local_day(day, self.zone)
        found = []
        while start < end:
            found.append(Price(start, start + QUARTER, self._value(start, kind)))
            start += QUARTER
        return found

    def hours(self, day: date) -> list[Price]:
        """The same as 23, 24 or 25 hours, each the mean of its quarters."""
        quarters = self.quarters(day)
        groups = [quarters[place : place + 4] for place in range(0, len(quarters), 4)]
        return [
            Price(four[0].start, four[-1].end, round(sum(each.value for each in four) / 4, 2))
            for four in groups
        ]

    def today(self, now: datetime) -> date:
        """The local day of `now`."""
        return day_of(now, self.zone)

    def _value(self, start: datetime, kind: str) -> float:
        if kind == "flat":
            return _FLAT
        hour = start.astimezone(self.zone).hour
        shape = _SHAPE[min(hour, len(_SHAPE) - 1)]
        number = int(start.timestamp()) // 900
        noise = (number * _SPREAD % 2**32) * 20 / 2**32
        sun = 140 if kind == "negative" and 11 <= hour < 15 else 0  # noqa: PLR2004 - of the doc
        return round(60 + shape + noise - sun, 2)
