"""Which rows of a map are read regularly, and how often. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.registers.model import Poll, Register, RegisterMap

_ENERGY = frozenset({"Wh", "kWh", "MWh"})
_ORDER: dict[Poll, int] = {"fast": 0, "slow": 1, "once": 2, "demand": 3}


def needed(table: RegisterMap, *, unconfirmed: bool = False) -> Mapping[Poll, list[Register]]:
    """Rows by how often they are read: with a quantity, in a formula, shown by a control, or info.

    A scale factor is read as often as the row that needs it. Rows that no second source confirms
    are left out unless `unconfirmed`.
    """
    wanted: dict[str, Poll] = {}
    for name, often in [*_from_rows(table), *_from_formulas(table), *_from_controls(table)]:
        if name in table and table[name].access != "W":
            wanted[name] = min(often, wanted.get(name, "demand"), key=_ORDER.__getitem__)
    for name, often in list(wanted.items()):
        if factor := table[name].scale_factor:
            wanted[factor] = min(often, wanted.get(factor, "demand"), key=_ORDER.__getitem__)
    found: dict[Poll, list[Register]] = {"fast": [], "slow": [], "once": [], "demand": []}
    for row in table.registers:
        if row.trusted or unconfirmed:
            found[wanted.get(row.name, "demand")].append(row)
    return found


def _from_rows(table: RegisterMap) -> Iterator[tuple[str, Poll]]:
    for row in table.registers:
        yield row.name, row.poll


def _from_formulas(table: RegisterMap) -> Iterator[tuple[str, Poll]]:
    for text in table.quantities.values():
        for name in Formula(text).names:
            if name in table:
                yield name, "slow" if table[name].unit in _ENERGY else "fast"


def _from_controls(table: RegisterMap) -> Iterator[tuple[str, Poll]]:
    for entry in table.controls.values():
        if entry.register is not None:
            yield entry.register, "slow"
        for bound in (entry.min, entry.max):
            if isinstance(bound, str):
                yield from ((name, "slow") for name in Formula(bound).names)
