"""How the present compares with the day, and when a few hours in a row cost least. Pure."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from math import fsum
from typing import TYPE_CHECKING, Final

from bridge.curve.slots import Curve, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

_QUARTER: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)


def in_hours(curve: Curve, zone: ZoneInfo) -> Curve:
    """The same with slots of an hour at most: longer ones are cut at each full local hour."""
    return Curve(tuple(piece for slot in curve for piece in _cut(slot, zone)), curve.notes)


def _cut(slot: Slot, zone: ZoneInfo) -> Iterator[Slot]:
    if slot.length <= _HOUR:
        yield slot
        return
    start = slot.start
    local = start.astimezone(zone)
    # All offsets from UTC are whole quarter hours, and so are the moments at which they change.
    past = timedelta(
        minutes=local.minute % 15, seconds=local.second, microseconds=local.microsecond
    )
    edge = start - past + _QUARTER
    while edge < slot.end:
        if not edge.astimezone(zone).minute:
            yield Slot(start, edge, slot.value)
            start = edge
        edge += _QUARTER
    yield Slot(start, slot.end, slot.value)


def rank(curve: Curve, moment: datetime, day: tuple[datetime, datetime]) -> int | None:
    """How many slots of `day` (its bounds) are cheaper than the one at `moment`; 0 = cheapest.

    None when the moment or any part of the day is unknown.
    """
    present = curve.at(moment)
    if present is None or not curve.covers(*day):
        return None
    return sum(slot.value < present for slot in curve.between(*day))


def cheapest(curve: Curve, length: timedelta, moment: datetime) -> datetime | None:
    """The start of the cheapest unbroken `length` of whole slots from `moment` on.

    It costs what its slots cost by time; of two that cost the same the earlier one is taken. None
    when no such stretch is known.
    """
    slots = curve.slots
    costs = [slot.value * slot.length.total_seconds() for slot in slots]
    known_until = _reaches(slots)
    best: tuple[float, datetime] | None = None
    begin = last = bisect_left(slots, moment, key=lambda slot: slot.start)
    for first in range(begin, len(slots)):
        end = slots[first].start + length
        while last < len(slots) and slots[last].end < end:
            last += 1
        if last == len(slots):
            break
        if slots[last].end != end or known_until[first] < end:
            continue
        # Added up exactly, so that the same prices in another order cost the same.
        cost = fsum(costs[first : last + 1])
        if best is None or cost < best[0]:
            best = (cost, slots[first].start)
    return None if best is None else best[1]


def _reaches(slots: Sequence[Slot]) -> list[datetime]:
    """For each slot the end of the unbroken stretch that it is in."""
    found: list[datetime] = []
    for place in range(len(slots) - 1, -1, -1):
        end = slots[place].end
        unbroken = bool(found) and slots[place + 1].start == end
        found.append(found[-1] if unbroken else end)
    return found[::-1]
