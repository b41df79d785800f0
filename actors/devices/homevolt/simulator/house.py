"""The house behind a simulated Homevolt: sun, load, batteries, and what they make of a schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_HOUR = 3600.0


@dataclass
class House:
    """solar, load: W. soc: % of all units alike. capacity: Wh, rated: W, each of one unit.

    Counters in kWh. `power` is the batteries' together, + = into the house.
    """

    units: int = 1
    solar: float = 2600.0
    load: float = 1200.0
    soc: float = 68.0
    capacity: float = 12_480.0
    rated: float = 6000.0
    entry: dict[str, Any] | None = None
    counters: dict[str, list[float]] = field(
        default_factory=lambda: {
            "grid": [8337.99, 7485.0],
            "solar": [13292.32, 12.85],
            "load": [489.16, 14019.34],
            "battery": [1211.98, 1599.11],
        }
    )

    @property
    def most(self) -> float:
        """W that all units can do."""
        return self.rated * self.units

    @property
    def power(self) -> float:
        """W out of the batteries now."""
        wish = self._wish()
        low = -self.most if self.soc < self._bound("max", 100.0) else 0.0
        high = self.most if self.soc > self._bound("min", 0.0) else 0.0
        return min(max(wish, low), high)

    def _bound(self, name: str, otherwise: float) -> float:
        found = (self.entry or {}).get(name)
        return otherwise if found is None else float(found)

    def _wish(self) -> float:
        """W that the entry in force asks for; without one the batteries rest."""
        if self.entry is None:
            return 0.0
        params, excess = self.entry["params"], self.solar - self.load
        watts = float(params.get("setpoint", 0.0))
        by_mode = {
            1: -(watts or float(params.get("max_charge", self.most))),
            2: watts or float(params.get("max_discharge", self.most)),
            3: -min(self.most, max(0.0, watts + excess)),
            4: min(self.most, max(0.0, watts - excess)),
            5: -excess - watts,
            7: -max(0.0, excess),
            8: -excess - watts,
        }
        return by_mode.get(self.entry["type"], 0.0)

    @property
    def grid(self) -> float:
        """W from the grid."""
        return self.load - self.solar - self.power

    def forward(self, seconds: float) -> None:
        """Let the present powers flow for so many seconds."""
        hours = seconds / _HOUR
        power = self.power
        for name, watts in (
            ("grid", self.grid),
            ("solar", self.solar),
            ("load", -self.load),
            ("battery", power),
        ):
            self.counters[name][0 if watts >= 0 else 1] += abs(watts) * hours / 1000.0
        self.soc -= 100.0 * power * hours / (self.capacity * self.units)
        self.soc = min(100.0, max(0.0, self.soc))
