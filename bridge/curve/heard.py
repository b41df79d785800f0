"""The curves of tariffs and forecasts as plain rows, for whoever decides by them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from bridge.known import known

Rows = tuple[tuple[datetime, datetime, float], ...]


class CurveRefused(ValueError):
    """A curve that cannot be used; one sentence."""


def rows_of(payload: list[dict[str, Any]], value: str) -> Rows:
    """`[{start, end, …}]` as (start, end, value) rows in order, without those that have no value.

    Raises CurveRefused for times without a zone, slots without length and slots that overlap.
    """
    found = []
    for each in payload:
        start, end = _time(each["start"]), _time(each["end"])
        if end <= start:
            raise CurveRefused(f"the slot at {each['start']} ends before it begins")
        told = known(each[value])
        if told is not None:
            found.append((start, end, float(told)))
    found.sort(key=lambda row: row[0])
    for one, other in pairwise(found):
        if other[0] < one[1]:
            raise CurveRefused(f"two slots overlap at {other[0]:%Y-%m-%dT%H:%M}")
    return tuple(found)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CurveRefused(f"{text[:40]!r} is not a time") from None
    if found.tzinfo is None:
        raise CurveRefused(f"{text[:40]!r} has no time zone")
    try:
        # The house's habits are known by UTC hours, whatever zone a curve is written in.
        return found.astimezone(UTC)
    except OverflowError:
        raise CurveRefused(f"{text[:40]!r} is not a time") from None


def value_at(rows: Rows, moment: datetime) -> float | None:
    """The value in force at a moment, None in a hole."""
    return next((value for start, end, value in rows if start <= moment < end), None)


def mean_of(rows: Rows, start: datetime, end: datetime) -> float | None:
    """The mean from start to end; None when a part of it is not covered."""
    total = covered = 0.0
    for first, last, value in rows:
        seconds = (min(last, end) - max(first, start)).total_seconds()
        if seconds > 0:
            total += value * seconds
            covered += seconds
    whole = (end - start).total_seconds()
    return total / whole if whole > 0 and covered >= whole - 1e-6 else None
