"""Open-Meteo's light on a plane, and what power panels make of it. Pure.

Each value of `global_tilted_irradiance` is the mean of the 15 minutes before its stamp; the
temperature is that of the air at the stamp.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bridge.curve import Curve, moment, number
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from datetime import datetime

BLOCK: Final = "minutely_15"
IRRADIANCE: Final = "global_tilted_irradiance"
AIR: Final = "temperature_2m"
_QUARTER: Final = timedelta(minutes=15)
_UNITS: Final = {"time": {"unixtime"}, IRRADIANCE: {"W/m²", "W/m2"}, AIR: {"°C"}}
_STANDARD: Final = 25.0
"""°C of the cells at which panels are rated; at 1000 W/m²."""


@dataclass(frozen=True, slots=True)
class Panels:
    """kwp: rated kW; alpha: per degree; ross: degrees per W/m²; efficiency: of all that follows."""

    kwp: float
    efficiency: float = 0.9
    alpha: float = -0.004
    ross: float = 0.0342

    def power(self, light: float, air: float) -> float:
        """W from light on the panels (W/m²) and the temperature of the air (°C)."""
        cells = air + self.ross * light
        heat = 1 + self.alpha * (cells - _STANDARD)
        return max(0.0, self.kwp * light * heat * self.efficiency)


def decode(body: Any, panels: Panels) -> Curve:
    """Mean power in W of each quarter of an hour. Raises DeviceGarbled.

    Light below 0, which the service may compute at dusk, is 0; where the light is null, or there
    is light and no temperature, the power is unknown.
    """
    block = body.get(BLOCK) if isinstance(body, dict) else None
    if not isinstance(block, dict):
        raise DeviceGarbled("Open-Meteo answers without a forecast")
    _check_units(body.get(f"{BLOCK}_units"))
    columns = [block.get(name) for name in ("time", IRRADIANCE, AIR)]
    if not all(isinstance(column, list) for column in columns):
        raise DeviceGarbled("Open-Meteo answers without the light on the panels")
    if len({len(column) for column in columns if column is not None}) != 1:
        raise DeviceGarbled("Open-Meteo answers with columns of different lengths")
    stamps = [moment(raw, form="unix") for raw in columns[0] or ()]
    lights, airs = ([number(raw) for raw in column or ()] for column in columns[1:])
    at = dict(zip(stamps, airs, strict=True))
    rows: list[tuple[datetime, datetime, float | None]] = []
    for stamp, light, air in zip(stamps, lights, airs, strict=True):
        before = at.get(stamp - _QUARTER)
        mean = air if before is None or air is None else (before + air) / 2
        rows.append((stamp - _QUARTER, stamp, _power(panels, light, mean)))
    if rows and all(value is None for _, _, value in rows):
        raise DeviceGarbled("Open-Meteo answers with a forecast that has no values")
    return Curve.of(rows, what="forecasts")


def _power(panels: Panels, light: float | None, air: float | None) -> float | None:
    if light is None:
        return None
    if light <= 0:
        return 0.0
    return None if air is None else panels.power(light, air)


def _check_units(units: Any) -> None:
    """What is told of units must be what was asked for."""
    if not isinstance(units, dict):
        return
    for name, allowed in _UNITS.items():
        found = units.get(name)
        if found is not None and found not in allowed:
            raise DeviceGarbled(
                f"Open-Meteo answers with another unit of {name} than was asked for"
            )
