"""What the rows say about the house: which parts are there, and what follows from that. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Value

    Values = Mapping[str, Value | None]

BATTERY_ROWS: Final = (
    "storage_rated_capacity",
    "storage_state_of_capacity",
    "storage_charge_discharge_power",
)
_BALANCE: Final = ("PvPower", "GridPower", "BatteryPower")


def has_battery(rows: Values) -> bool:
    """True when one of the rows that sum up all storage units has something to tell.

    Without a battery they read "no value" or 0, by firmware.
    """
    return any(_known(rows.get(name)) for name in BATTERY_ROWS)


def refine(values: Values, rows: Values, *, battery: bool) -> Values:
    """Quantities without what is not there, and `LoadPower` (W) as DESIGN's balance wants it.

    battery: one was seen before. Then its power must be known for `LoadPower` to be; in a house
    that never had one the sun and the grid are all there is. A meter that says it is offline
    (row 37100, read on request only) makes its quantities unknown.
    """
    found = dict(values)
    if not battery:
        found.update((name, None) for name in found if name.startswith("Battery"))
    if rows.get("meter_status") == "offline":
        own = {"GridFrequency"}  # the inverter measures it itself
        found.update((name, None) for name in found if name.startswith("Grid") and name not in own)
    parts = [found.get(name) for name in _BALANCE if battery or name != "BatteryPower"]
    known = [part for part in parts if isinstance(part, (int, float))]
    found["LoadPower"] = sum(known) if len(known) == len(parts) else None
    return found


def _known(value: Value | None) -> bool:
    return isinstance(value, (int, float)) and value != 0
