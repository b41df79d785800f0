"""What power is worth in this house at this moment: over the grid, in the battery, in a consumer.

All prices per kWh; powers in W. `Prices` is the house's side of each deal: what one more watt of
consumption costs where it is lacking, and what it would have brought where it is left over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_EDGE: Final = 0.5
_ANY: Final = 1e9


class Prices(NamedTuple):
    """What the house pays for a kWh that is lacking, and is paid for one that is left over."""

    lacking: float
    left: float

    def earn(self, net: float) -> float:
        """Money x W/kWh of a flow of `net` W that is left over (negative: that is lacking)."""
        return net * (self.left if net >= 0 else self.lacking)

    def earn_each(self, nets: Sequence[float]) -> list[float]:
        """`earn` of each."""
        bought, sold = self.lacking, self.left
        return [net * sold if net >= 0 else net * bought for net in nets]

    def spare(self, value: float) -> float:
        """W that stay left over when a consumer worth `value` takes all that pays; may be < 0."""
        if value > self.lacking:
            return -_ANY
        return 0.0 if value > self.left else _ANY

    def threshold(self, value: float) -> float:
        """The covered share from which on one more step pays for a consumer worth `value`."""
        if value > self.lacking:
            return 0.0
        if self.lacking <= self.left:
            return 1.0
        return min(1.0, max(0.0, (self.lacking - value) / (self.lacking - self.left)))


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

    def usable(self, soc: float | None) -> bool:
        """Whether it can give and take at `soc` %: then it evens out what the sun does."""
        return soc is not None and math.isfinite(soc) and soc > self.soc_min + _EDGE

    def edge(self, value: float) -> float:
        """The % of charge above which a stored kWh is worth less than in a consumer."""
        low = self.soc_min
        for top, worth in self.tiers:
            if worth / self.eta_discharge >= value:
                low = top
        return min(max(low, self.soc_min), self.soc_max)

    def around(self, edge: float, imported: float, exported: float) -> Prices:
        """What a kWh costs that is taken from below `edge`, and brings that is stored above it."""
        below = [worth for top, worth in self.tiers if top <= edge]
        above = [worth for top, worth in self.tiers if top > edge]
        lacking = below[-1] / self.eta_discharge if below and edge > self.soc_min else imported
        left = above[0] * self.eta_charge if above else exported
        return Prices(max(lacking, left), left)

    def bears(self, surplus: float, aim: float) -> float:
        """`aim` (W), as far as the battery can make up for what `surplus` is above or below it."""
        return max(surplus - self.max_charge, min(surplus + self.max_discharge, aim))
