"""A charger's reading as quantities. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.charging.model import ChargerReading

    Values = dict[str, float | str | None]


def quantities(reading: ChargerReading) -> Values:
    """A reading in the contract's names; what the charger does not have at all is left out."""
    found: Values = {
        "VehicleState": reading.vehicle,
        "Power": reading.power,
        "ChargingCurrent": reading.allowed_current,
        "ChargingPhases": reading.carrying,
        "SessionEnergy": reading.session_energy,
        "Energy": reading.energy,
    }
    for name, three in (
        ("PowerL", reading.powers),
        ("VoltageL", reading.voltages),
        ("CurrentL", reading.currents),
    ):
        if any(value is not None for value in three):
            found |= {f"{name}{number}": value for number, value in enumerate(three, 1)}
    return found | dict(reading.extra)
