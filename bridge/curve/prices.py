"""Import and export side by side, as they are published."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bridge.curve.slots import Curve


class PricePoint(msgspec.Struct, frozen=True):
    """Both prices (currency/kWh) from `start` until just before `end`; None is unknown."""

    start: datetime
    end: datetime
    imports: float | None
    exports: float | None


def joined(imports: Curve, exports: Curve | None) -> list[PricePoint]:
    """Both curves cut at the borders of either; times at which neither is known are left out."""
    edges = sorted(
        {
            edge
            for curve in (imports, exports)
            for slot in (curve.slots if curve is not None else ())
            for edge in (slot.start, slot.end)
        }
    )
    found: list[PricePoint] = []
    for start, end in pairwise(edges):
        bought = imports.at(start)
        sold = None if exports is None else exports.at(start)
        if bought is not None or sold is not None:
            found.append(PricePoint(start, end, bought, sold))
    return found
