"""What is published at one moment, from what is known. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.curve.slots import Curve

if TYPE_CHECKING:
    from datetime import datetime

MOST: Final = 5000.0
"""gCO2eq/kWh: more than any power plant emits; what is beyond is no intensity."""
_WHOLE: Final = 100.0


def usable(curve: Curve, *, most: float = MOST) -> Curve:
    """Without what cannot be: negative values, and such beyond `most`."""
    kept = tuple(slot for slot in curve if 0 <= slot.value <= most)
    notes = curve.notes
    if len(kept) < len(curve):
        wrong = next(slot.value for slot in curve if not 0 <= slot.value <= most)
        notes = (*notes, f"a value of {wrong:g} cannot be right and is left out")
    return Curve(kept, notes)


def share_of(curve: Curve) -> Curve:
    """A share in %. More than 100 is power that is exported: all that is used is renewable then."""
    return usable(curve.map(lambda slot: min(slot.value, _WHOLE)), most=_WHOLE)


def at(curve: Curve | None, now: datetime, lasts: float) -> float | None:
    """The value now, or the last one of all until `lasts` s after its end; None is unknown."""
    if curve is None:
        return None
    found = curve.at(now)
    if found is None and curve.end is not None:
        since = now - curve.end
        if timedelta() <= since < timedelta(seconds=lasts):
            found = curve.slots[-1].value
    return found


def listed(curve: Curve | None, now: datetime, limit: int) -> list[dict[str, Any]] | None:
    """The slots from now on as JSON objects, as far as `limit` bytes take; None for none."""
    found: list[dict[str, Any]] = []
    size = len("[]")
    for slot in curve or ():
        if slot.end <= now:
            continue
        each = {
            "start": f"{slot.start:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{slot.end:%Y-%m-%dT%H:%M:%SZ}",
            "intensity": round(slot.value, 1),
        }
        size += len(msgspec.json.encode(each)) + len(",")
        if size > limit:
            break
        found.append(each)
    return found or None
