"""Whether a number is one that its quantity can have. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.contract import Quantity


def out_of_range(quantity: Quantity, value: float) -> str | None:
    """Why a number is refused, in one sentence; None for one that is in range."""
    if not math.isfinite(value):
        return f"{quantity.name} is not a number"
    unit = f" {quantity.unit}" if quantity.unit else ""
    low = quantity.min if quantity.noise_floor is None else quantity.noise_floor
    if low is not None and value < low:
        return f"{quantity.name} {value:g}{unit} is below {low:g}"
    if quantity.max is not None and value > quantity.max:
        return f"{quantity.name} {value:g}{unit} is above {quantity.max:g}"
    return None
