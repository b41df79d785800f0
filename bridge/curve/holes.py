"""What is missing inside a curve, in sentences. Pure."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from bridge.curve.days import at_clock, day_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bridge.curve.slots import Curve

_TOLD = 3


def holes(curve: Curve) -> list[tuple[datetime, datetime]]:
    """The stretches between two slots that no slot covers, in order."""
    return [(one.end, two.start) for one, two in pairwise(curve.slots) if one.end < two.start]


def told(curve: Curve, zone: ZoneInfo, *, what: str = "prices") -> tuple[str, ...]:
    """One sentence about all holes, by the wall clock of `zone`; nothing where there are none."""
    found = holes(curve)
    if not found:
        return ()
    texts = [
        f"{start.astimezone(zone):%Y-%m-%d %H:%M} to {end.astimezone(zone):%H:%M}"
        for start, end in found[:_TOLD]
    ]
    more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return (f"the {what} have a hole: {', '.join(texts)}{more}",)


def known_until(
    curve: Curve | None, now: datetime, zone: ZoneInfo, covers: str = "24:00"
) -> datetime | None:
    """Until when there is nothing left to wait for; None when something of now is missing.

    As the curve's horizon. But when all that is published as tomorrow's is known, that is it: what
    is still missing of today will not be published any more. covers: until when a day's values
    reach, by the clocks of `zone`.
    """
    if curve is None:
        return None
    today = day_of(now, zone)
    start, end = (at_clock(today + timedelta(days=n), covers, zone) for n in (0, 1))
    return curve.horizon(start) if curve.covers(start, end) else curve.horizon(now)
