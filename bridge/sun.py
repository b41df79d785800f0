"""Where the sun stands and what a clear sky makes of a panel. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SUNRISE = -0.833
"""Elevation of the sun's middle, in degrees, when its edge is seen at the horizon."""
_LOOK = timedelta(minutes=10)
_EXACT = timedelta(seconds=1)
_DAY = 86400.0
# What cables, inverter, dirt and a warm panel take away, all together.
_YIELD = 0.86
# An inverter does not start for less than this share of its panels' rated power.
_START = 0.004


@dataclass(frozen=True, slots=True)
class Place:
    """Latitude and longitude in degrees, north and east positive."""

    latitude: float
    longitude: float

    @property
    def offset(self) -> float:
        """Seconds that local standard time, in whole hours, is ahead of UTC."""
        return round(self.longitude / 15.0) * 3600.0


@dataclass(frozen=True, slots=True)
class Panels:
    """Rated power in kW, tilt from the horizontal and azimuth (180 = south) in degrees.

    `limit` is the most the inverter gives, in W.
    """

    kwp: float
    tilt: float
    azimuth: float
    limit: float


@dataclass(frozen=True, slots=True)
class _Sun:
    """A unit vector towards the sun."""

    east: float
    north: float
    up: float


def _day_of_year(at: float) -> float:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.timetuple().tm_yday + (at % _DAY) / _DAY


def _sun(place: Place, at: float) -> _Sun:
    turn = 2 * math.pi * (_day_of_year(at) - 1) / 365.25
    declination = math.asin(
        math.sin(math.radians(23.44)) * math.sin(turn - 1.388 + 0.0334 * math.sin(turn - 0.05))
    )
    b = turn - 2 * math.pi * 80 / 365.25
    equation = 9.87 * math.sin(2 * b) - 7.53 * math.cos(b) - 1.5 * math.sin(b)  # minutes
    degrees = (at % _DAY) / 240.0 + place.longitude + equation / 4.0 - 180.0
    hour, phi = math.radians(degrees), math.radians(place.latitude)
    return _Sun(
        east=-math.cos(declination) * math.sin(hour),
        north=math.cos(phi) * math.sin(declination)
        - math.sin(phi) * math.cos(declination) * math.cos(hour),
        up=math.sin(phi) * math.sin(declination)
        + math.cos(phi) * math.cos(declination) * math.cos(hour),
    )


def elevation(place: Place, at: float) -> float:
    """Degrees above the horizon at the UTC second `at` of the Unix epoch."""
    return math.degrees(math.asin(max(-1.0, min(1.0, _sun(place, at).up))))


def nights(
    place: Place, start: datetime, end: datetime, below: float = SUNRISE
) -> list[tuple[datetime, datetime]]:
    """The stretches from `start` to `end` (aware) in which the sun stands below `below` degrees.

    Their borders are exact to a second or two; what is shorter than ten minutes may be missed.
    """

    def down(moment: datetime) -> bool:
        return elevation(place, moment.timestamp()) < below

    found: list[tuple[datetime, datetime]] = []
    since = start if start < end and down(start) else None
    moment = start
    while moment < end:
        later = min(moment + _LOOK, end)
        if down(later) != (since is not None):
            border = _turn(moment, later, down)
            if since is None:
                since = border
            else:
                found.append((since, border))
                since = None
        moment = later
    return found if since is None else [*found, (since, end)]


def _turn(before: datetime, after: datetime, down: Callable[[datetime], bool]) -> datetime:
    """When the answer changes between the two: a whole second of the night."""
    first = down(before)
    while after - before > _EXACT:
        middle = before + (after - before) / 2
        if down(middle) == first:
            before = middle
        else:
            after = middle
    if first:
        return before.replace(microsecond=0)
    return after if not after.microsecond else after.replace(microsecond=0) + _EXACT


def clear_sky_irradiance(place: Place, tilt: float, azimuth: float, at: float) -> float:
    """W/m² onto a tilted surface (azimuth 180 = south) under a cloudless sky; 0 at night."""
    sun = _sun(place, at)
    if sun.up <= 0.0:
        return 0.0
    degrees = math.degrees(math.asin(min(1.0, sun.up)))
    mass: float = 1.0 / (sun.up + 0.50572 * (degrees + 6.07995) ** -1.6364)
    beam: float = 1353.0 * 0.7 ** (mass**0.678)
    diffuse = 0.1 * beam
    slope, facing = math.radians(tilt), math.radians(azimuth)
    share = (
        sun.east * math.sin(slope) * math.sin(facing)
        + sun.north * math.sin(slope) * math.cos(facing)
        + sun.up * math.cos(slope)
    )
    found: float = beam * max(0.0, share)
    found += diffuse * (1 + math.cos(slope)) / 2
    return found + 0.2 * (beam * sun.up + diffuse) * (1 - math.cos(slope)) / 2


def clear_sky_power(place: Place, panels: Panels, at: float) -> float:
    """W under a cloudless sky, before the inverter's limit; 0 while the sun is down."""
    on_panel = clear_sky_irradiance(place, panels.tilt, panels.azimuth, at)
    power = panels.kwp * on_panel * _YIELD
    return power if power > panels.kwp * 1000.0 * _START else 0.0
