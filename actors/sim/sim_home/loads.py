"""Devices that hang on the house's wires but live elsewhere, such as a simulated charger. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

GONE = 60.0
"""Real seconds without a reading after which a device counts as taken off the wires."""


class Load:
    """One device's consumption in W as it says itself; 0 before its first word."""

    def __init__(self) -> None:
        self._watts = 0.0
        self._heard = -math.inf

    def hear(self, state: Mapping[str, Any], now: float) -> None:
        """A `State` of the device has arrived, live. Without a power in it nothing is known."""
        watts = state.get("Power")
        if isinstance(watts, (int, float)) and math.isfinite(watts):
            self._watts, self._heard = max(0.0, float(watts)), now

    def draw(self, now: float) -> float:
        """W that it takes at the real monotonic second `now`."""
        return self._watts if now - self._heard <= GONE else 0.0
