"""What was heard of a sensor, as quantities. Pure: °C, %, hPa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

QUANTITIES: Final = {
    "temperature": "Temperature",
    "humidity": "Humidity",
    "pressure": "Pressure",
}


def reading(found: Mapping[str, float | None]) -> dict[str, float | str | None]:
    """Only what the sensor has; None stays unknown."""
    return {QUANTITIES[name]: value for name, value in found.items()}
