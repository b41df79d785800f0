"""Forecast.Solar's estimates, read strictly. Pure.

`watt_hours_period` is the energy of the time that ends at its stamp, and begins at the stamp
before; the first and the last stamp of a day are its sunrise and sunset, where `watts` is 0.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bridge.curve import Curve, moment, number
from bridge.errors import CurveError, DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_STEPS: Final = (timedelta(minutes=15), timedelta(minutes=30), _HOUR)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One plane, or several together. power: mean W; marks: sunrises and sunsets by the service."""

    power: Curve
    marks: frozenset[datetime]
    last: datetime | None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is told of the budget: calls left, and when to come again. None: it is not told."""

    remaining: int | None = None
    retry_at: datetime | None = None


def decode(body: Any) -> Estimate:
    """An estimate that was asked for with `time=utc`. Raises DeviceGarbled."""
    result = body.get("result") if isinstance(body, dict) else None
    if not isinstance(result, dict):
        raise DeviceGarbled("Forecast.Solar answers without a forecast")
    energies = _by_moment(result, "watt_hours_period")
    watts = _by_moment(result, "watts")
    stamps = sorted(energies)
    step, phase = _grid(stamps)
    marks = frozenset(stamp for stamp in stamps if watts.get(stamp) == 0)
    rows: list[tuple[datetime, datetime, float | None]] = []
    for place, stamp in enumerate(stamps):
        before = stamps[place - 1] if place else None
        sunrise = stamp in marks and not energies[stamp]
        if sunrise and (before is None or stamp - before > step):
            continue
        # Where a stamp is missing, the period is not longer for it.
        start = stamp - (((stamp - _EPOCH - phase) % step) or step)
        if before is not None:
            start = max(start, before)
        wh = energies[stamp]
        hours = (stamp - start) / _HOUR
        rows.append((start, stamp, None if wh is None else max(0.0, wh / hours)))
    if rows and all(value is None for _, _, value in rows):
        raise DeviceGarbled("Forecast.Solar answers with a forecast that has no values")
    power = Curve.of(rows, what="forecasts")
    return Estimate(power, marks, stamps[-1] if stamps else None)


def read_limit(body: Any, headers: Mapping[str, str]) -> RateLimit:
    """From the headers (by lower-case name) or the answer itself, which do not always agree.

    The stricter of the two counts. Never fails.
    """
    message = body.get("message") if isinstance(body, dict) else None
    told = message.get("ratelimit") if isinstance(message, dict) else None
    told = told if isinstance(told, dict) else {}
    left = [
        found
        for raw in (headers.get("x-ratelimit-remaining"), told.get("remaining"))
        if (found := _count(raw)) is not None
    ]
    raws = (headers.get("x-ratelimit-retry-at"), told.get("retry-at"), told.get("retry_at"))
    moments = [each for each in map(_moment, raws) if each is not None]
    return RateLimit(min(left, default=None), max(moments, default=None))


def _by_moment(result: dict[str, Any], name: str) -> dict[datetime, float | None]:
    # An empty table is an empty list in the language of the service.
    found = result.get(name) or {}
    if not isinstance(found, dict):
        raise DeviceGarbled(f"Forecast.Solar answers with a {name} that cannot be read")
    return {moment(stamp, form="iso"): number(value) for stamp, value in found.items()}


def _grid(stamps: list[datetime]) -> tuple[timedelta, timedelta]:
    """The usual distance of two stamps, and where in it they lie."""
    gaps = Counter(later - sooner for sooner, later in pairwise(stamps))
    step = max(_STEPS, key=lambda each: (gaps[each], each))
    phases = Counter((stamp - _EPOCH) % step for stamp in stamps)
    return step, max(phases, key=lambda each: phases[each], default=timedelta())


def _count(raw: Any) -> int | None:
    try:
        found = number(raw)
    except CurveError:
        return None
    return None if found is None or found < 0 else int(found)


def _moment(raw: Any) -> datetime | None:
    try:
        return moment(raw, form="iso")
    except CurveError:
        return None
