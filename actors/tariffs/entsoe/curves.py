"""From series of prices to one curve: which auction counts, and in which unit. Pure.

In each interval the auction of the lowest position counts, and of that the finest resolution. What
is missing there stays missing: neither another auction nor the mean of an hour is its price.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.curve import Curve, Slot
from bridge.curve.holes import told
from bridge.errors import CurveError, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from actors.tariffs.entsoe.decode import Period, Series

PER_KWH: Final = {"MWH": 1000}
"""By what a price is divided to be one per kWh."""


class Reading(msgspec.Struct, frozen=True):
    """currency/kWh. final: False while a further auction stands in for the coupled one."""

    curve: Curve
    final: bool = True


def read_prices(series: Sequence[Series], code: str, currency: str, zone: ZoneInfo) -> Reading:
    """The prices of the bidding zone `code` in `currency`; `zone` is for sentences.

    Raises DeviceRefused when there are only other currencies or units, CurveError when nothing can
    be used. No series at all give an empty curve.
    """
    own = [each for each in series if each.zone in (None, code)]
    if series and not own:
        raise CurveError("ENTSO-E answers with the prices of another bidding zone")
    usable, notes = _usable(own, currency)
    ranks: dict[tuple[int, timedelta], list[Period]] = defaultdict(list)
    for each in usable:
        notes += each.faults
        for period in each.periods:
            ranks[each.position, period.step].append(period)
    found, blocked = Curve(), Curve()
    final = True
    lowest = min((position for position, _ in ranks), default=1)
    for rank in sorted(ranks):
        try:
            curve = Curve.of(_slots(ranks[rank]))
        except CurveError as error:
            notes.append(str(error))
            curve = Curve()
        kept = Curve(tuple(_outside(curve, blocked)))
        final = final and (rank[0] == lowest or not len(kept))
        notes += curve.notes
        found = found.merged(kept)
        blocked = blocked.merged(_spans(ranks[rank]))
    if not len(found) and notes:
        raise CurveError(f"nothing of ENTSO-E's prices can be used: {notes[0]}")
    notes += told(found, zone)
    priced = found.map(lambda slot: round(slot.value / PER_KWH["MWH"], 8))
    return Reading(Curve(priced.slots, tuple(dict.fromkeys(notes))), final)


def _usable(series: Sequence[Series], currency: str) -> tuple[list[Series], list[str]]:
    """Those in the right currency and unit, and sentences about the others."""
    good: list[Series] = []
    notes: list[str] = []
    for each in series:
        if each.unit is None or each.unit.upper() not in PER_KWH:
            notes.append(f"ENTSO-E's prices are per {each.unit or 'an unknown unit'}, not per MWh")
        elif each.currency != currency:
            notes.append(
                f"ENTSO-E's prices are in {each.currency or 'an unknown currency'} and not in "
                f"{currency}, and are not used: set 'currency' if that is right"
            )
        else:
            good.append(each)
    if notes and not good:
        raise DeviceRefused(notes[0])
    return good, notes


def _slots(periods: Sequence[Period]) -> Iterator[tuple[datetime, datetime, float | None]]:
    for period in periods:
        for place, value in enumerate(period.values):
            start = period.start + place * period.step
            yield start, start + period.step, value


def _spans(periods: Sequence[Period]) -> Curve:
    """The intervals themselves, whatever is missing inside."""
    found = Curve()
    for period in periods:
        found = found.merged(Curve((Slot(period.start, period.end, 0.0),)))
    return found


def _outside(curve: Curve, blocked: Curve) -> Iterator[Slot]:
    """The parts of `curve` that no slot of `blocked` covers."""
    if curve.start is None or curve.end is None:
        return
    begin = curve.start
    for slot in blocked:
        yield from curve.between(begin, slot.start)
        begin = max(begin, slot.end)
    yield from curve.between(begin, curve.end)
