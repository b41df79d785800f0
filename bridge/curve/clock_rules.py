"""Times of the local wall clock at which a price or a charge holds: hours, weekdays, months.

All of it is about the moment itself: in `22:00-06:00` on `Mon-Fri` the hours after midnight are
those of Monday to Friday. On the days when clocks are changed the wall clock counts: an hour that
is skipped is not there, one that occurs twice counts twice, and a time that begins in the skipped
hour begins at the jump.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?\Z", re.ASCII)
_WHOLE_DAY: Final = 24 * 60
_DAY = timedelta(days=1)


class WallClock(msgspec.Struct, frozen=True):
    """When something holds. None is always; weekdays count from 1 = Monday.

    `hours` are ranges of minutes since midnight, half-open, each `begin < end`.
    """

    hours: tuple[tuple[int, int], ...] | None = None
    weekdays: frozenset[int] | None = None
    months: frozenset[int] | None = None

    @classmethod
    def of(
        cls, hours: str | None = None, days: str | None = None, months: str | None = None
    ) -> WallClock:
        """From text such as `22:00-06:00`, `Mon-Fri`, `Nov-Mar`; lists are joined by commas.

        Hours, days and months may wrap. Raises CurveError with one sentence.
        """
        return cls(read_hours(hours), _names(days, _DAYS, "Mon"), _names(months, _MONTHS, "Jan"))

    def holds(self, local: datetime) -> bool:
        """True at a moment that is given in local time."""
        if self.weekdays is not None and local.isoweekday() not in self.weekdays:
            return False
        if self.months is not None and local.month not in self.months:
            return False
        minute = local.hour * 60 + local.minute
        return self.hours is None or any(begin <= minute < end for begin, end in self.hours)

    def edges(self) -> Iterator[time]:
        """The wall clock times, besides midnight, at which it may begin or end."""
        for minute in {minute for each in self.hours or () for minute in each}:
            if 0 < minute < _WHOLE_DAY:
                yield time(minute // 60, minute % 60)


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same as settings: a price or a charge for certain times inherits it."""

    hours: str | None = None
    days: str | None = None
    months: str | None = None

    def wall_clock(self) -> WallClock:
        """Raises CurveError with one sentence."""
        return WallClock.of(self.hours, self.days, self.months)

    def faults(self) -> Iterator[tuple[str, str]]:
        """(field, sentence) for each text that cannot be read."""
        for field in ("hours", "days", "months"):
            try:
                WallClock.of(**{field: getattr(self, field)})
            except CurveError as error:
                yield field, f"'{field}': {error}"


def read_hours(text: str | None) -> tuple[tuple[int, int], ...] | None:
    """Ranges of minutes since midnight, from `7-9, 22:00-06:00`. Raises CurveError."""
    if text is None:
        return None
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        begin, end = _range_of_hours(part.strip())
        found += [(begin, end)] if begin < end else [(0, end), (begin, _WHOLE_DAY)]
    return tuple(sorted(each for each in found if each[0] < each[1]))


def _range_of_hours(part: str) -> tuple[int, int]:
    match = _HOURS.match(part)
    if not match:
        raise CurveError(f"{part[:40]!r} are no hours such as 22:00-06:00")
    numbers = [int(each or 0) for each in match.groups()]
    begin, end = (60 * numbers[0] + numbers[1], 60 * numbers[2] + numbers[3])
    if max(numbers[1], numbers[3]) >= 60 or begin >= _WHOLE_DAY or end > _WHOLE_DAY:  # noqa: PLR2004 - minutes
        raise CurveError(f"{part[:40]!r} has a time that no clock shows")
    if begin == end:
        raise CurveError(f"{part[:40]!r} begins when it ends: leave it out for the whole day")
    return begin, end


def _names(text: str | None, names: tuple[str, ...], example: str) -> frozenset[int] | None:
    """Numbers from 1 on, from `Mon-Fri, Sun`; ranges may wrap."""
    if text is None:
        return None
    found: set[int] = set()
    for part in text.split(","):
        ends = [each.strip().lower()[:3] for each in part.split("-")]
        whole = all(each.strip().isalpha() for each in part.split("-"))
        if not whole or len(ends) > 2 or not set(ends) <= set(names):  # noqa: PLR2004 - from, to
            raise CurveError(f"{part.strip()[:40]!r} is not known: it is written like {example}")
        first, last = names.index(ends[0]), names.index(ends[-1])
        span = (last - first) % len(names)
        found |= {(first + step) % len(names) + 1 for step in range(span + 1)}
    return frozenset(found)


def borders(
    rules: Iterable[WallClock], start: datetime, end: datetime, zone: ZoneInfo
) -> list[datetime]:
    """Every moment (UTC) strictly between at which one of `rules` may begin or end to hold."""
    times = {time(), *(edge for each in rules for edge in each.edges())}
    found: set[datetime] = set()
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        found |= _moments(day, times, zone)
        day += _DAY
    return sorted(each for each in found if start < each < end)


def _moments(day: date, times: set[time], zone: ZoneInfo) -> set[datetime]:
    found = {
        datetime.combine(day, each, zone).replace(fold=fold).astimezone(UTC)
        for each in times
        for fold in (0, 1)
    }
    before, after = (
        datetime.combine(day + step, time(12), zone).astimezone(UTC) for step in (-_DAY, _DAY)
    )
    jump = _jump(before, after, zone)
    return found if jump is None else {*found, jump}


def _jump(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment at which the clocks are changed; None when they are not."""
    offset = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == offset:
        return None
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            start = middle
        else:
            end = middle
    return end.replace(microsecond=0)
