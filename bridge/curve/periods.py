"""Slots that are named by the local day and a number from 1: 92, 96 or 100 quarter hours. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bridge.curve.days import local_day
from bridge.curve.read import number
from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_TOLD = 3


def starts_of_periods(
    pairs: Sequence[tuple[Any, Any]], form: str, length: timedelta, zone: ZoneInfo
) -> tuple[list[datetime | None], tuple[str, ...]]:
    """The start (UTC) of each (day as text by `form`, number of the period), and what is wrong.

    Counted from the start of the day in UTC, so that days of 23 and 25 hours come out right. The
    highest number of a day must be that of the day's last period: else it is not known how long a
    period is or which one is missing, and the whole day is left out (None), with a sentence.
    Raises CurveError for what cannot be read, and when no day is left.
    """
    read = [(_day(day, form), _period(period)) for day, period in pairs]
    highest: dict[date, int] = defaultdict(int)
    for day, period in read:
        highest[day] = max(highest[day], period)
    begins: dict[date, datetime] = {}
    notes: list[str] = []
    for day, most in highest.items():
        start, end = local_day(day, zone)
        count, rest = divmod(end - start, length)
        if rest or most != count:
            notes.append(f"the day {day} has {most} periods where {count} belong")
        else:
            begins[day] = start
    if notes and not begins:
        raise CurveError(notes[0])
    starts = [
        begins[day] + (period - 1) * length if day in begins else None for day, period in read
    ]
    return starts, tuple(f"{note}, and is left out" for note in notes[-_TOLD:])


def _day(raw: Any, form: str) -> date:
    try:
        # Only the day is taken: there is no time in it that could have a zone.
        return datetime.strptime(str(raw), form).date()  # noqa: DTZ007
    except ValueError:
        raise CurveError(f"{str(raw)[:40]!r} is not a date in the expected form") from None


def _period(raw: Any) -> int:
    found = number(raw)
    if found is None or found != int(found) or found < 1:
        raise CurveError(f"{str(raw)[:40]!r} is not the number of a period")
    return int(found)
