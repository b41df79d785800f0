"""What the device's JSON means in our quantities, units and signs.

Pure: an object in, values or a DeviceGarbled out. No I/O, no clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bridge.errors import DeviceGarbled


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer: quantity -> value (None = unknown), the limit in force, and who it is."""

    values: dict[str, float | str | None]
    limit: float | None
    model: str | None
    serial: str | None
    firmware: str | None


def decode(found: Any) -> Reading:
    """Read one status. Raises DeviceGarbled when it is not a status of this device.

    `power_w` is W, + = production, as ours; `total_wh` is Wh, ours is kWh. A key that is missing
    or null is unknown: never 0.
    """
    if not isinstance(found, dict) or "power_w" not in found:
        raise DeviceGarbled("answers with something else than its status")
    total = _number(found, "total_wh")
    return Reading(
        values={
            "PvPower": _number(found, "power_w"),
            "PvEnergy": None if total is None else total / 1000.0,
        },
        limit=_number(found, "limit_w"),
        model=_word(found, "model"),
        serial=_word(found, "serial"),
        firmware=_word(found, "firmware"),
    )


def _number(found: dict[str, Any], key: str) -> float | None:
    value = found.get(key)
    if value is None:
        return None
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value):
        raise DeviceGarbled(f"tells something that is not a number as {key}")
    return float(value)


def _word(found: dict[str, Any], key: str) -> str | None:
    value = found.get(key)
    return " ".join(value.split())[:64] or None if isinstance(value, str) else None
