"""A clear or clouded sky over some planes, in the form of Forecast.Solar. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bridge.curve.days import local_day
from bridge.sun import Place, clear_sky_irradiance, nights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from bridge.simulators.service import Weather

YIELD: Final = 0.86
_PARTS: Final = 12
# The same moments are asked for again and again.
_clear = lru_cache(maxsize=1 << 15)(clear_sky_irradiance)

Planes = list[tuple[float, float, float]]
"""tilt, azimuth (0 = south, west positive), kW."""


class Roof:
    """Planes at a place under a weather; `limit` is the inverter's in W."""

    def __init__(
        self, place: Place, planes: Planes, weather: Weather, limit: float | None = None
    ) -> None:
        self.place, self.planes, self.weather, self.limit = place, planes, weather, limit

    def power(self, moment: datetime) -> float:
        """W at a moment."""
        at = moment.timestamp()
        found = sum(
            kwp * YIELD * _clear(self.place, tilt, azimuth + 180.0, at)
            for tilt, azimuth, kwp in self.planes
        ) * self.weather.clearness(at)
        return found if self.limit is None else min(found, self.limit)

    def energy(self, start: datetime, end: datetime) -> float:
        """Wh between two moments."""
        part = (end - start) / _PARTS
        middle = (start + part * (count + 0.5) for count in range(_PARTS))
        return sum(self.power(moment) for moment in middle) * (part / timedelta(hours=1))


def stamps_of(day: date, zone: ZoneInfo, place: Place, minutes: int) -> list[datetime]:
    """Sunrise, every full step, sunset of a local day; nothing where the sun does not rise."""
    start, end = local_day(day, zone)
    dark = nights(place, start, end)
    up = start if not dark or dark[0][0] != start else dark[0][1]
    down = end if not dark or dark[-1][1] != end else dark[-1][0]
    if up >= down:
        return []
    up, down = (moment.replace(second=0, microsecond=0) for moment in (up, down))
    step = timedelta(minutes=minutes)
    grid = start
    found = [up]
    while grid < down:
        if grid > up:
            found.append(grid)
        grid += step
    return [*found, down]


def result_of(
    roof: Roof, days: Sequence[date], zone: ZoneInfo, minutes: int, *, utc: bool
) -> dict[str, Any]:
    """The four tables of an estimate."""
    watts: dict[str, float] = {}
    period: dict[str, float] = {}
    running: dict[str, float] = {}
    sums: dict[str, float] = {}
    for day in days:
        stamps = stamps_of(day, zone, roof.place, minutes)
        total = 0
        for before, stamp in pairwise([stamps[0], *stamps] if stamps else []):
            name = _named(stamp, zone, utc=utc)
            edge = stamp in (stamps[0], stamps[-1])
            period[name] = round(roof.energy(before, stamp)) if before < stamp else 0
            watts[name] = 0 if edge else round(roof.power(stamp))
            total += int(period[name])
            running[name] = total
        sums[day.isoformat()] = total
    return {
        "watts": watts,
        "watt_hours_period": period,
        "watt_hours": running,
        "watt_hours_day": sums,
    }


def _named(moment: datetime, zone: ZoneInfo, *, utc: bool) -> str:
    if utc:
        return moment.astimezone(UTC).isoformat()
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
