"""A curve: half-open intervals in UTC, each with one value; sorted, without overlap, with holes."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from bridge.curve.mending import mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_START = attrgetter("start")


class Slot(msgspec.Struct, frozen=True):
    """One value from `start` until just before `end`, both aware and in UTC."""

    start: datetime
    end: datetime
    value: float

    @property
    def length(self) -> timedelta:
        """How long the value holds; more than nothing."""
        return self.end - self.start


class Curve(msgspec.Struct, frozen=True):
    """Slots in order, none overlapping another; where none is, the value is unknown.

    `notes` are sentences about what was left out. Never changed: every method gives a new one.
    Moments that are asked for must be aware. Raw material goes through `of`; who calls the class
    itself gives slots that are in order already.
    """

    slots: tuple[Slot, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        raw: Iterable[tuple[datetime, datetime | None, float | None]],
        *,
        what: str = "prices",
    ) -> Curve:
        """A curve from (start, end or None, value or None) in any order, mended.

        None as a value is a hole. A missing end is derived from the other starts, but a gap is
        never bridged. Exact duplicates count once, a start one second after the full minute is
        that minute, and two slots that overlap with different values are both left out, with a
        note. Raises CurveError when there is something and nothing of it can be used.
        """
        found, notes = mend(raw, what)
        return cls(tuple(Slot(*each) for each in found), notes)

    def __len__(self) -> int:
        return len(self.slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self.slots)

    @property
    def start(self) -> datetime | None:
        """Where the first slot begins; None when there is none."""
        return self.slots[0].start if self.slots else None

    @property
    def end(self) -> datetime | None:
        """Where the last slot ends, holes or not; None when there is none."""
        return self.slots[-1].end if self.slots else None

    @property
    def resolution(self) -> timedelta | None:
        """The most frequent length of a slot, the shorter one of two; None without slots."""
        lengths = Counter(slot.length for slot in self.slots)
        return min(lengths, key=lambda length: (-lengths[length], length), default=None)

    def slot_at(self, moment: datetime) -> Slot | None:
        """The slot that `moment` is in."""
        place = bisect_right(self.slots, moment, key=_START)
        found = self.slots[place - 1] if place else None
        return found if found is not None and moment < found.end else None

    def at(self, moment: datetime) -> float | None:
        """The value at `moment`; None where it is unknown."""
        found = self.slot_at(moment)
        return None if found is None else found.value

    def between(self, start: datetime, end: datetime) -> Curve:
        """What lies from `start` to `end`, the slots at the borders cut exactly."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        cut = (
            Slot(max(slot.start, start), min(slot.end, end), slot.value)
            for slot in self.slots
            if slot.start < end and slot.end > start
        )
        return Curve(tuple(cut) if start < end else (), self.notes)

    def covers(self, start: datetime, end: datetime) -> bool:
        """True when no moment from `start` to `end` is unknown."""
        if start >= end:
            return True
        known = self.horizon(start)
        return known is not None and known >= end

    def horizon(self, moment: datetime) -> datetime | None:
        """The end of the unbroken stretch that `moment` is in; None where it is unknown."""
        place = bisect_right(self.slots, moment, key=_START) - 1
        if place < 0 or moment >= self.slots[place].end:
            return None
        end = self.slots[place].end
        for slot in self.slots[place + 1 :]:
            if slot.start != end:
                break
            end = slot.end
        return end

    def merged(self, newer: Curve) -> Curve:
        """Both together; where both know something, what `newer` says."""
        kept: list[Slot] = []
        for slot in self.slots:
            kept.extend(_without(slot, newer))
        both = sorted((*kept, *newer.slots), key=_START)
        return Curve(tuple(both), tuple(dict.fromkeys((*self.notes, *newer.notes))))

    def map(self, function: Callable[[Slot], float]) -> Curve:
        """The same slots with other values."""
        return Curve(
            tuple(Slot(slot.start, slot.end, function(slot)) for slot in self.slots), self.notes
        )


def _without(slot: Slot, other: Curve) -> Iterator[Slot]:
    """The parts of `slot` that `other` does not cover."""
    start = slot.start
    first = max(0, bisect_right(other.slots, start, key=_START) - 1)
    for each in other.slots[first:]:
        if each.start >= slot.end:
            break
        if each.end <= start:
            continue
        if each.start > start:
            yield Slot(start, each.start, slot.value)
        start = each.end
    if start < slot.end:
        yield Slot(start, slot.end, slot.value)
