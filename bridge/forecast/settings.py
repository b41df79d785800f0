"""What every solar forecast takes: time zone, what it is compared with; and planes of panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from bridge.config.types import DeviceId
from bridge.curve.days import zone_of
from bridge.errors import CurveError
from bridge.sun import Place
from bridge.tariff.settings import Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
MOST_PLANES = 12


class Plane(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Panels that look one way: tilt from the horizontal, azimuth by the compass, rated kW."""

    tilt: Annotated[float, Meta(ge=0, le=90)]
    azimuth: Annotated[float, Meta(ge=0, le=360)]
    kwp: Annotated[float, Meta(gt=0, le=10000)]

    @property
    def from_south(self) -> float:
        """The azimuth as many services count it: 0 = south, -90 = east, +90 = west, 180 = north."""
        found = (self.azimuth - 180.0) % 360.0
        return found if found <= 180.0 else found - 360.0  # noqa: PLR2004 - half a turn


class ForecastSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every forecast takes; a kind adds its own.

    timezone: of the days that energies are summed over, None is this computer's; measured: the
    device whose PvPower the forecast is compared with, None is the PV of the site; accuracy_days:
    how many days its accuracy is of.
    """

    timezone: Words | None = None
    measured: DeviceId | None = None
    accuracy_days: Annotated[int, Meta(ge=1, le=365)] = 30

    def zone(self) -> ZoneInfo:
        """The time zone of the days. Raises CurveError when it is not known."""
        return zone_of(self.timezone)

    def place(self) -> Place | None:
        """Where the panels stand, as far as the settings say it."""
        return None

    def check(self) -> Iterator[tuple[str, str]]:
        """What only the list of time zones can tell."""
        try:
            self.zone()
        except CurveError as error:
            yield "timezone", f"'timezone': {error}"


class PlanesSettings(ForecastSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For services that are told of the panels. inverter: the most that it gives, in W."""

    latitude: Latitude
    longitude: Longitude
    planes: Annotated[tuple[Plane, ...], Meta(min_length=1, max_length=MOST_PLANES)]
    inverter: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None

    def place(self) -> Place:
        """Where the panels stand."""
        return Place(self.latitude, self.longitude)
