"""From a contract's timetable to a curve. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from bridge.curve.clock_rules import WallClock, borders
from bridge.curve.slots import Curve, Slot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo


def timetable(
    price: float,
    zones: Sequence[tuple[WallClock, float]],
    span: tuple[datetime, datetime],
    zone: ZoneInfo,
) -> Curve:
    """The price (currency/kWh) over `span` (UTC), a new slot only where it changes.

    Where several zones hold at once the last one counts, where none does, `price`. Midnight is a
    border too, so that each local day has slots of its own.
    """
    start, end = span
    edges = [start, *borders([when for when, _ in zones], start, end, zone), end]
    slots: list[Slot] = []
    for begin, until in itertools.pairwise(edges):
        local = begin.astimezone(zone)
        value = next((amount for when, amount in reversed(zones) if when.holds(local)), price)
        last = slots[-1] if slots else None
        if last is not None and last.value == value and (local.hour, local.minute) != (0, 0):
            slots[-1] = Slot(last.start, until, value)
        else:
            slots.append(Slot(begin, until, value))
    return Curve(tuple(slots))
