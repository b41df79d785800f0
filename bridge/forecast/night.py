"""Where a forecast says nothing because the sun is down, it is 0 W; elsewhere it is unknown. Pure.

A service that ends its day with a 0 at its own sunset, and begins it so, means the same by the gap
between: such a gap may reach a little into the twilight that we compute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.curve.slots import Curve, Slot
from bridge.sun import SUNRISE, nights

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from bridge.sun import Place

TWILIGHT: Final = 3.0
"""Degrees of the sun up to which a service's own sunset and sunrise are believed."""


def with_nights(
    curve: Curve,
    place: Place,
    start: datetime,
    end: datetime,
    marks: Collection[datetime] = (),
) -> Curve:
    """`curve` from `start` to `end` with 0 W where it has a hole while the sun is down.

    marks: moments of sunset and sunrise by the service itself, at which it says 0 W.
    """
    found = list(curve)
    for begin, until in holes(curve, start, end):
        found += [Slot(a, b, 0.0) for a, b in _dark(begin, until, place, marks)]
    return Curve(tuple(sorted(found, key=lambda slot: slot.start)), curve.notes)


def holes(curve: Curve, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches from `start` to `end` in which nothing is known."""
    reached = start
    for slot in curve:
        if slot.start > reached and reached < end:
            yield reached, min(slot.start, end)
        reached = max(reached, slot.end)
    if reached < end:
        yield reached, end


def _dark(
    begin: datetime, until: datetime, place: Place, marks: Collection[datetime]
) -> list[tuple[datetime, datetime]]:
    dark = nights(place, begin, until, SUNRISE)
    if not dark or not (begin in marks or until in marks):
        return dark
    low = nights(place, begin, until, TWILIGHT)
    first, last = dark[0], dark[-1]
    if begin in marks and low[0][0] == begin and low[0][1] >= first[0]:
        dark[0] = (begin, first[1])
    if until in marks and low[-1][1] == until and low[-1][0] <= last[1]:
        dark[-1] = (dark[-1][0], until)
    return dark
