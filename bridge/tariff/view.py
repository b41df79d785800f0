"""What a tariff shows at one moment, from what it knows. Pure.

All prices are in currency/kWh and rounded as they are published, so that a rank, a cheapest window
and the published curve never contradict each other.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.curve.days import day_of, local_day
from bridge.curve.prices import joined
from bridge.curve.rank import cheapest, in_hours, rank
from bridge.curve.rows import stamp_of
from bridge.curve.slots import Curve

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bridge.curve.rules import Rules

DIGITS: Final = 5
LIMIT: Final = 1000.0
"""Currency/kWh either way; what is beyond is no price."""
WINDOWS: Final = {f"{hours}h": timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 8, 12)}


class Totals(msgspec.Struct, frozen=True):
    """Both curves with all charges and taxes; `exports` None: nothing is known of export.

    `hours` is the import curve with slots of an hour at most, by which hours are compared.
    """

    imports: Curve
    exports: Curve | None
    hours: Curve
    borders: tuple[datetime, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of either, in sentences."""
        sold = self.exports.notes if self.exports is not None else ()
        return tuple(dict.fromkeys((*self.imports.notes, *sold)))


def totals(imports: Curve, exports: Curve | None, rules: Rules, *, raw: bool) -> Totals:
    """What the rules make of a service's prices. Raises CurveError when nothing is left.

    With `raw` false the import prices are final already; the rules for export hold all the same.
    """
    bought = _usable(rules.imports(imports) if raw else imports)
    given = rules.exports(imports, exports)
    sold = None if given is None else _usable(given)
    hours = in_hours(bought, rules.zone)
    edges = {
        edge
        for curve in (bought, hours, sold)
        if curve is not None
        for slot in curve
        for edge in (slot.start, slot.end)
    }
    return Totals(bought, sold, hours, tuple(sorted(edges)))


def _usable(curve: Curve) -> Curve:
    """Rounded, and without what is no price."""
    kept = tuple(slot for slot in curve if abs(slot.value) <= LIMIT)
    notes = curve.notes
    if len(kept) < len(curve):
        wrong = next(slot.value for slot in curve if abs(slot.value) > LIMIT)
        notes = (*notes, f"a price of {wrong:g} per kWh cannot be right and is left out")
    return Curve(kept, notes).map(lambda slot: round(slot.value, DIGITS) + 0.0)


class View(msgspec.Struct, frozen=True):
    """Everything that is published at one moment; None is unknown.

    `curve` is a list of JSON objects from the start of the local day on; `until` says where it was
    cut because one message does not take more.
    """

    imports: float | None = None
    exports: float | None = None
    rank: int | None = None
    windows: dict[str, datetime | None] = {}
    curve: tuple[dict[str, Any], ...] | None = None
    until: datetime | None = None


def view(found: Totals | None, now: datetime, zone: ZoneInfo, *, limit: int) -> View:
    """What to show at `now`; `limit` is the most bytes that the curve may have as JSON."""
    if found is None:
        return View(windows=dict.fromkeys(WINDOWS))
    day = local_day(day_of(now, zone), zone)
    # The slot of now counts as the present until it ends: whoever began with it is not told to
    # wait for another one a minute later.
    slot = found.hours.slot_at(now)
    present = now if slot is None else slot.start
    curve, until = _listed(found, now, day[0], limit)
    return View(
        imports=found.imports.at(now),
        exports=None if found.exports is None else found.exports.at(now),
        rank=rank(found.hours, now, day),
        windows={name: cheapest(found.hours, length, present) for name, length in WINDOWS.items()},
        curve=curve,
        until=until,
    )


def next_change(found: Totals | None, now: datetime, zone: ZoneInfo) -> datetime:
    """When another view may be due: the next border of a slot or the next local midnight."""
    midnight = local_day(day_of(now, zone), zone)[1]
    if found is None:
        return midnight
    place = bisect_right(found.borders, now)
    return min([midnight, *found.borders[place : place + 1]])


def _listed(
    found: Totals, now: datetime, start: datetime, limit: int
) -> tuple[tuple[dict[str, Any], ...] | None, datetime | None]:
    """The points from `start` on, as far as they fit; None when all of it is over."""
    points = [point for point in joined(found.imports, found.exports) if point.end > start]
    if not points or points[-1].end <= now:
        return None, None
    listed: list[dict[str, Any]] = []
    size = len("[]")
    for point in points:
        each = {
            "start": stamp_of(max(point.start, start)),
            "end": stamp_of(point.end),
            "import": point.imports,
            "export": point.exports,
        }
        size += len(msgspec.json.encode(each)) + len(",")
        if size > limit:
            return tuple(listed), point.start
        listed.append(each)
    return tuple(listed), None
