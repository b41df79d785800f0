"""A table is checked when it is loaded: does it fit together, and does it fit the contract? Pure.

`faults` needs nothing but the table; `contract_faults` compares it with topics.yaml. Both give one
plain sentence per fault, with the row or the control, and nothing when there is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.errors import HeliographError
from bridge.registers.check_controls import control_faults
from bridge.registers.check_quantities import contract_faults, remarks
from bridge.registers.model import NUMBERS
from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.registers.model import Register, RegisterMap

__all__ = ["TableError", "check", "contract_faults", "faults", "remarks"]

_LAST: Final = 0xFFFF
_MOST_READ: Final = 125
_MOST_WRITTEN: Final = 123
_LAST_UNIT: Final = 255
_LAST_BIT: Final = 15
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN: Final = frozenset({"value", "original", "min", "max", "abs", "round", "if", "else"})


class TableError(HeliographError):
    """A table of registers that cannot be used. `faults`: everything that is wrong with it."""

    def __init__(self, *faults: str) -> None:
        more = len(faults) - 1
        super().__init__(faults[0] + (f" (and {more} more)" if more else ""))
        self.faults = faults


def check(table: RegisterMap) -> None:
    """Raise TableError when rows, formulas and controls do not fit together."""
    if found := tuple(faults(table)):
        raise TableError(*found)


def faults(table: RegisterMap) -> Iterator[str]:
    """What is wrong with a table in itself."""
    yield from _limit_faults(table)
    for number, row in enumerate(table.registers, 1):
        for fault in (*_row_faults(row), *_use_faults(row), *_place_faults(row, table)):
            yield f"row {number} ({row.name}): {fault}"
    yield from _overlaps(table)
    known = set(table.by_name) | {each.quantity for each in table.registers}
    for name, text in table.quantities.items():
        if missing := [each for each in Formula(text).names if each not in known]:
            yield f"quantity {name}: there is no row or quantity before it {_list(missing)}"
        known.add(name)
    for name, entry in table.controls.items():
        for fault in control_faults(table, entry):
            yield f"control {name}: {fault}"


def _limit_faults(table: RegisterMap) -> Iterator[str]:
    limits, pacing = table.limits, table.pacing
    if not 1 <= limits.words <= _MOST_READ:
        yield f"limits: words must be between 1 and {_MOST_READ}, not {limits.words}"
    if not 0 <= limits.gap <= _MOST_READ:
        yield f"limits: gap must be between 0 and {_MOST_READ}, not {limits.gap}"
    if not 1 <= limits.write <= _MOST_WRITTEN:
        yield f"limits: write must be between 1 and {_MOST_WRITTEN}, not {limits.write}"
    if not 0 <= table.unit <= _LAST_UNIT:
        yield f"unit must be between 0 and {_LAST_UNIT}, not {table.unit}"
    if pacing.between < 0 or pacing.after_connect < 0:
        yield "pacing must not be negative"


def _row_faults(row: Register) -> Iterator[str]:
    if not _NAME.fullmatch(row.name) or row.name in _TAKEN:
        yield f"'{row.name}' cannot be a name: letters, digits and _, and no word of formulas"
    if not row.source or not all(each.strip() for each in row.source):
        yield "source must say where the row is from"
    size = 16 * row.words
    if unfit := [raw for raw in row.invalid if not 0 <= raw < 1 << size]:
        yield (
            f"invalid {unfit[0]} is no raw number of {size} bits: write it as unsigned, "
            f"such as 0x{_LAST:X} for -1"
        )
    if row.mask is not None and not 0 < row.mask < 1 << size:
        yield f"mask {row.mask} has no bit of its {size}"
    for key, limits in (("valid", row.valid), ("range", row.range)):
        if limits is not None and limits[0] > limits[1]:
            yield f"{key} has the low end first: [{limits[1]:g}, {limits[0]:g}]"
    if not row.scale or not row.factor:
        yield "scale and factor must not be 0"
    if row.short and (row.words != 2 or row.adjacent):  # noqa: PLR2004 - a low and a high word
        yield "short is for a 32-bit value whose two words are apart"


def _use_faults(row: Register) -> Iterator[str]:
    if (row.enum or row.spans) and row.type not in NUMBERS:
        yield f"enum is for a row that is a number, not {row.type}"
    if odd := [f"{low}..{high}" for low, high, _ in row.spans if low > high]:
        yield f"enum has the low end of a span first, unlike {odd[0]}"
    if row.bits and row.type != "bits":
        yield f"bits is for a row of type bits, not {row.type}"
    if beyond := [bit for bit in row.bits if not 0 <= bit <= _LAST_BIT]:
        yield f"bits are numbered from 0 to {_LAST_BIT}, there is no bit {beyond[0]}"
    names = list(row.bits.values())
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"bits has the name {twice[0]} twice"
    if row.unit and row.type not in NUMBERS:
        yield f"it has the unit {row.unit} and is no number"
    if row.access == "W" and (row.quantity or row.info):
        yield "it cannot be read (access: W), so it gives no quantity and no info"
    if row.access == "R" and (row.range is not None or row.persistent):
        yield "range and persistent are for rows that can be written: access is RW or W"


def _place_faults(row: Register, table: RegisterMap) -> Iterator[str]:
    if beyond := [place for place in row.places if not 0 <= place <= _LAST]:
        yield (
            f"address {beyond[0]} is not between 0 and {_LAST}: it is written as it is sent, "
            "without a 3 or 4 in front"
        )
    if len(set(row.places)) != row.words:
        yield "it has the same address twice"
    if row.adjacent and row.words > table.limits.words >= 1:
        yield f"it has {row.words} words, and one read has at most {table.limits.words}"
    if row.scale_factor is not None and row.scale_factor not in table:
        yield f"there is no row {row.scale_factor}, which scale_factor names"


def _overlaps(table: RegisterMap) -> Iterator[str]:
    """Rows that share a word although neither is a part of it.

    Bit fields are parts of a word, also beside a row that is the whole word; two rows with the same
    quantity are two ways to it. Anything else is an address that was typed wrong.
    """
    owners: dict[tuple[int | None, int, int], list[tuple[int, Register]]] = {}
    told: set[tuple[int, int]] = set()
    for number, row in enumerate(table.registers, 1):
        for place in row.places:
            there = owners.setdefault((row.station, row.function, place), [])
            for before, other in there:
                if (before, number) not in told and before != number and _collide(row, other):
                    told.add((before, number))
                    yield (
                        f"row {number} ({row.name}): the word at {place} belongs to row {before} "
                        f"({other.name}) already: give one of them its own address, or a mask"
                    )
            there.append((number, row))


def _collide(one: Register, other: Register) -> bool:
    if one.mask is not None and other.mask is not None and one.places == other.places:
        return bool(one.mask & other.mask)
    if one.mask is not None or other.mask is not None:
        return False
    return one.quantity is None or one.quantity != other.quantity


def _list(names: list[str]) -> str:
    return ", ".join(f"'{each}'" for each in names)
