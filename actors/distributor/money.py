"""What power is worth in this house at this moment: over the grid, in the battery, in a consumer.

All prices per kWh; powers in W. `Prices` is the house's side of each deal: what one more watt of
consumption costs depends on where it comes from, the grid, the battery, or a surplus that would
have been sold or stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# The state of charge within which a change of tier is felt beforehand, %.
_NEAR: Final = 4.0
_EDGE: Final = 0.5
_ANY: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The home battery as the owner prices it. `tiers`: (up to % of charge, worth per kWh)."""

    max_charge: float
    max_discharge: float
    tiers: Sequence[tuple[float, float]]
    eta_charge: float = 0.95
    eta_discharge: float = 0.95
    soc_min: float = 10.0
    soc_max: float = 100.0

    def worth(self, soc: float) -> float:
        """What a stored kWh is worth at `soc` %."""
        return next((worth for top, worth in self.tiers if soc < top), self.tiers[-1][1])

    def around(self, low: float, high: float) -> float:
        """The mean worth between two states of charge."""
        return (self.worth(low) + self.worth((low + high) / 2) + self.worth(high)) / 3


@dataclass(frozen=True, slots=True)
class Prices:
    """What the house pays and is paid now, per kWh, by source and by use."""

    imported: float
    exported: float
    drawn: float = 0.0  # out of the battery
    stored: float = 0.0  # into the battery
    most_drawn: float = 0.0  # W
    most_stored: float = 0.0  # W

    def earn(self, net: float) -> float:
        """Money x W/kWh of a flow of `net` W that is left over (negative: that is lacking)."""
        if net >= 0:
            stored = min(net, self.most_stored)
            return stored * self.stored + (net - stored) * self.exported
        drawn = min(-net, self.most_drawn)
        return -drawn * self.drawn + (net + drawn) * self.imported

    def spare(self, value: float) -> float:
        """W that stay left over when a consumer worth `value` takes all that pays; may be < 0."""
        if value > self.imported:
            return -_ANY
        if value > self.drawn and self.most_drawn:
            return -self.most_drawn
        if value > self.stored or not self.most_stored:
            return 0.0 if value > self.exported else _ANY
        return self.most_stored if value > self.exported else _ANY

    def threshold(self, value: float) -> float:
        """The covered share from which on one more step pays for a consumer worth `value`."""
        spare = self.spare(value)
        if spare <= -_ANY:
            return 0.0
        lacking = self.imported if spare < 0 or not self.most_drawn else self.drawn
        left = self.exported
        if spare < 0:
            left = self.drawn
        elif spare > 0:
            lacking = self.stored
        elif self.most_stored:
            left = self.stored
        if lacking <= left:
            return 1.0
        return min(1.0, max(0.0, (lacking - value) / (lacking - left)))


def prices(imported: float, exported: float, storage: Storage | None, soc: float | None) -> Prices:
    """The prices at a state of charge. Near the border of a tier they pass over gradually."""
    if storage is None or soc is None or not math.isfinite(soc):
        return Prices(imported, exported)
    return Prices(
        imported,
        exported,
        storage.around(soc - _NEAR, soc) / storage.eta_discharge,
        storage.around(soc, soc + _NEAR) * storage.eta_charge,
        storage.max_discharge if soc > storage.soc_min + _EDGE else 0.0,
        storage.max_charge if soc < storage.soc_max - _EDGE else 0.0,
    )
