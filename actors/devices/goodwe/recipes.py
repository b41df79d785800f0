"""What the tables cannot say about GoodWe: a limit with a switch, and a second battery. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.registers.controls import TableRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers import RegisterMap
    from bridge.registers.controls import Asked
    from bridge.registers.model import Value

# From this rated power (W) on, an inverter of the ET family has terminals for two batteries.
TWO_BATTERIES: Final = 25_000
_BOTH: Final = {
    "BatteryPower": "pbattery1 + pbattery2",
    "BatterySoc": "(battery_soc + battery2_soc) / 2",
}


class ExportLimit(TableRecipe):
    """The limit in W counts only while the switch beside it is on."""

    def state(self, seen: Mapping[str, Value | None]) -> Asked | None:
        """The limit in force; None when there is none."""
        return super().state(seen) if seen.get("grid_export") == "on" else None


def with_two_batteries(table: RegisterMap) -> RegisterMap:
    """The ET table with the sum of both batteries' powers and the mean of their SoC.

    One battery's value never stands for both: without the other it is unknown.
    """
    single = table.without(*_BOTH)
    return replace(single, quantities={**_BOTH, **single.quantities})


def as_asked_for(table: RegisterMap) -> RegisterMap:
    """A table that has one source only, for an owner who names it: it is read, never written."""
    rows = (
        replace(row, status="single-primary") if row.access == "R" else row
        for row in table.registers
    )
    return replace(table, registers=tuple(rows), controls={})
