"""Curves of power: each slot's value is the mean of its time, in W."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from bridge.curve.slots import Curve, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_SECONDS_AND_KILO = 3_600_000


def added(curves: Iterable[Curve]) -> Curve:
    """The sum of several curves where all of them are known; cut at the borders of each."""
    every = list(curves)
    notes = tuple(dict.fromkeys(note for curve in every for note in curve.notes))
    edges = sorted({edge for curve in every for slot in curve for edge in (slot.start, slot.end)})
    found: list[Slot] = []
    for start, end in pairwise(edges):
        values = [curve.at(start) for curve in every]
        known = [value for value in values if value is not None]
        if len(known) == len(every):
            found.append(Slot(start, end, sum(known)))
    return Curve(tuple(found), notes)


def energy(curve: Curve, start: datetime, end: datetime) -> float | None:
    """Energy in kWh from `start` to `end`; None where any part of it is unknown."""
    if not curve.covers(start, end):
        return None
    watt_seconds = sum(
        slot.value * slot.length.total_seconds() for slot in curve.between(start, end)
    )
    return watt_seconds / _SECONDS_AND_KILO
