"""A table is checked when it is loaded: every name exists, nothing unconfirmed is written. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import HeliographError
from bridge.registers.controls import ORIGINAL, VALUE, TableRecipe
from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from bridge.registers.controls import ControlTable
    from bridge.registers.model import RegisterMap


class TableError(HeliographError):
    """A table of registers that cannot be used."""


def check(table: RegisterMap) -> None:
    """Raise TableError with one sentence when rows, formulas and controls do not fit together."""
    for row in table.registers:
        if row.scale_factor is not None and row.scale_factor not in table:
            raise TableError(f"{row.name}: there is no row {row.scale_factor}")
    for name, text in table.quantities.items():
        known = {*table.by_name, *table.produced} - {name}
        if missing := [each for each in Formula(text).names if each not in known]:
            raise TableError(f"quantity {name}: there is no {', '.join(missing)}")
    for name, entry in table.controls.items():
        _check_control(table, name, entry)


def _check_control(table: RegisterMap, name: str, entry: ControlTable) -> None:
    blocks = (*entry.blocks, entry.back, entry.default)
    rows = {row for block in blocks for row in block} | {*entry.trigger}
    rows |= {entry.register} if entry.register else set()
    if missing := sorted(row for row in rows if row not in table):
        raise TableError(f"control {name}: there is no row {', '.join(missing)}")
    if doubtful := sorted(row for row in rows if not table[row].trusted):
        raise TableError(f"control {name}: {', '.join(doubtful)} is not confirmed")
    if fixed := sorted(row for row in rows if table[row].access == "R"):
        raise TableError(f"control {name}: {', '.join(fixed)} cannot be written")
    if ORIGINAL in entry.default.values():
        raise TableError(f"control {name}: `default` needs values")
    used = {
        each for formula in TableRecipe(entry, table).formulas.values() for each in formula.names
    }
    used |= {
        each
        for bound in (entry.min, entry.max)
        if isinstance(bound, str)
        for each in Formula(bound).names
    }
    if missing := sorted(used - {*table.by_name, VALUE}):
        raise TableError(f"control {name}: there is no {', '.join(missing)}")
