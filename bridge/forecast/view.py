"""What a forecast shows at one moment, from what it knows. Pure; W and kWh."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.curve.days import day_of, local_day
from bridge.curve.power import energy
from bridge.curve.rows import stamp_of
from bridge.curve.slots import Curve

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

LIMIT: Final = 1_000_000.0
"""W; what is beyond is no forecast of a house."""
_DIGITS = 1


class Outlook(msgspec.Struct, frozen=True):
    """Expected power, the mean of each slot in W, summed over all panels.

    low, high: the power that is exceeded with a probability of 90 and of 10 %; None: not told.
    """

    power: Curve = Curve()
    low: Curve | None = None
    high: Curve | None = None

    def merged(self, newer: Outlook) -> Outlook:
        """Both together; where both know something, what `newer` says.

        A range stands beside the power that it is of: where the news come without one, none is
        kept.
        """
        return Outlook(
            self.power.merged(newer.power),
            _merged(self.low, newer.low, newer.power),
            _merged(self.high, newer.high, newer.power),
        )

    def since(self, start: datetime) -> Outlook:
        """Without what was over before `start`."""
        return self._each(lambda curve: _since(curve, start))

    def usable(self) -> Outlook:
        """Rounded as it is published, and without what cannot be power of a house."""
        return self._each(_usable)

    def _each(self, change: Callable[[Curve], Curve]) -> Outlook:
        return Outlook(
            change(self.power),
            None if self.low is None else change(self.low),
            None if self.high is None else change(self.high),
        )


def _merged(older: Curve | None, newer: Curve | None, power: Curve) -> Curve | None:
    if older is None:
        return newer
    kept = older
    for slot in power:
        start, end = kept.start, kept.end
        if start is None or end is None:
            break
        if slot.start < end and slot.end > start:
            before, after = kept.between(start, slot.start), kept.between(slot.end, end)
            kept = Curve((*before, *after))
    return kept if newer is None else kept.merged(newer)


def _since(curve: Curve, start: datetime) -> Curve:
    return Curve(tuple(slot for slot in curve if slot.end > start), curve.notes)


def _usable(curve: Curve) -> Curve:
    kept = tuple(slot for slot in curve if 0 <= slot.value <= LIMIT)
    notes = curve.notes
    if len(kept) < len(curve):
        wrong = next(slot.value for slot in curve if not 0 <= slot.value <= LIMIT)
        notes = (*notes, f"a forecast of {wrong:g} W cannot be right and is left out")
    return Curve(kept, notes).map(lambda slot: round(slot.value, _DIGITS) + 0.0)


class View(msgspec.Struct, frozen=True):
    """Everything that is published at one moment; None is unknown.

    power: W now; today, remaining, tomorrow: kWh of local days; curve: JSON objects from the start
    of the local day on, `until` says where it was cut because one message takes no more.
    """

    power: float | None = None
    today: float | None = None
    remaining: float | None = None
    tomorrow: float | None = None
    curve: tuple[dict[str, Any], ...] | None = None
    until: datetime | None = None


def view(found: Outlook | None, now: datetime, zone: ZoneInfo, *, limit: int) -> View:
    """What to show at `now`; `limit` is the most bytes that the curve may have as JSON."""
    if found is None:
        return View()
    today = day_of(now, zone)
    start, end = local_day(today, zone)
    curve, until = _listed(found, now, start, limit)
    return View(
        power=found.power.at(now),
        today=energy(found.power, start, end),
        remaining=energy(found.power, now, end),
        tomorrow=energy(found.power, *local_day(today + timedelta(days=1), zone)),
        curve=curve,
        until=until,
    )


def next_change(found: Outlook | None, now: datetime, zone: ZoneInfo) -> datetime:
    """When another view is due: the next border of a slot, or local midnight."""
    midnight = local_day(day_of(now, zone), zone)[1]
    if found is None:
        return midnight
    slots = found.power.slots
    place = bisect_right(slots, now, key=lambda slot: slot.end)
    borders = [edge for slot in slots[place : place + 1] for edge in (slot.start, slot.end)]
    return min([midnight, *(edge for edge in borders if edge > now)])


def _listed(
    found: Outlook, now: datetime, start: datetime, limit: int
) -> tuple[tuple[dict[str, Any], ...] | None, datetime | None]:
    """The slots from `start` on, as far as they fit; None when all of it is over."""
    slots = [slot for slot in found.power if slot.end > start]
    if not slots or slots[-1].end <= now:
        return None, None
    listed: list[dict[str, Any]] = []
    size = len("[]")
    for slot in slots:
        begin = max(slot.start, start)
        each: dict[str, Any] = {
            "start": stamp_of(begin),
            "end": stamp_of(slot.end),
            "power": slot.value,
        }
        for name, curve in (("p10", found.low), ("p90", found.high)):
            if curve is not None:
                each[name] = curve.at(begin)
        size += len(msgspec.json.encode(each)) + len(",")
        if size > limit:
            return tuple(listed), begin
        listed.append(each)
    return tuple(listed), None
