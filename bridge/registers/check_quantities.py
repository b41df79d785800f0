"""Does a table fit topics.yaml: names, units, words, and what its controls may be? Pure."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from bridge.errors import ContractError
from bridge.registers.controls import ORIGINAL, TableRecipe
from bridge.registers.model import NUMBERS
from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.contract import Contract, Control, Quantity
    from bridge.registers.controls import ControlTable
    from bridge.registers.model import Register, RegisterMap

# Unit of a row -> unit of the contract -> what makes the one of the other.
CONVERSIONS: Final[dict[str, dict[str, float]]] = {
    "W": {"W": 1.0},
    "kW": {"W": 1000.0},
    "VA": {"VA": 1.0},
    "kVA": {"VA": 1000.0},
    "var": {"var": 1.0},
    "kvar": {"var": 1000.0},
    "Wh": {"kWh": 0.001, "Wh": 1.0},
    "kWh": {"kWh": 1.0, "Wh": 1000.0},
    "MWh": {"kWh": 1000.0, "Wh": 1e6},
    "V": {"V": 1.0},
    "mV": {"V": 0.001},
    "A": {"A": 1.0},
    "mA": {"A": 0.001},
    "Hz": {"Hz": 1.0},
    "°C": {"°C": 1.0},
    "%": {"%": 1.0, "": 0.01},
    "s": {"s": 1.0},
    "min": {"s": 60.0},
    "h": {"s": 3600.0},
    "dBm": {"dBm": 1.0},
    "": {"": 1.0},
}
_FUNCTIONS: Final = frozenset({"min", "max", "abs", "round"})
_WIDE: Final = 1000.0


def contract_faults(table: RegisterMap, contract: Contract) -> Iterator[str]:
    """What a table says that topics.yaml does not know or says otherwise."""
    for number, row in enumerate(table.registers, 1):
        if row.quantity is not None:
            for fault in _quantity_faults(row, contract):
                yield f"row {number} ({row.name}): {fault}"
    for name, text in table.quantities.items():
        for fault in _formula_faults(table, name, text, contract):
            yield f"quantity {name}: {fault}"
    for name, entry in table.controls.items():
        for fault in _control_faults(table, entry, contract):
            yield f"control {name}: {fault}"


def remarks(table: RegisterMap, contract: Contract) -> Iterator[str]:
    """What is allowed and probably not meant."""
    for name, entry in table.controls.items():
        if entry.register is None or entry.blocks or name not in contract.controls:
            continue
        row, kind = table[entry.register], contract.control(name)
        numbers = row.type in NUMBERS and not row.enum and row.mask is None
        ends = ((entry.min, kind.min), (entry.max, kind.max))
        if numbers and row.range is None and not all(_bounded(*each) for each in ends):
            yield f"control {name}: {row.name} has no range, so any number is written that fits it"


def _bounded(own: float | str | None, usual: float | None) -> bool:
    return own is not None or (usual is not None and abs(usual) <= _WIDE)


def quantity(contract: Contract, name: str) -> Quantity | None:
    """The contract's entry, also of a family such as `PvString{n}Power` before it is numbered."""
    try:
        return contract.quantity(re.sub(r"\{\w+\}", "1", name))
    except ContractError:
        return None


def _unknown(name: str, known: Iterable[str], what: str) -> str:
    from bridge.config.words import closest

    guess = closest(name, known)
    hint = f"; did you mean '{guess}'?" if guess else ""
    return f"there is no {what} '{name}' in topics.yaml{hint}"


# -------------------------------------------------------------------------------- rows


def _quantity_faults(row: Register, contract: Contract) -> Iterator[str]:
    entry = quantity(contract, row.quantity or "")
    if entry is None:
        yield _unknown(row.quantity or "", contract.members, "quantity")
    elif entry.kind == "word":
        yield from _word_faults(row, entry)
    elif row.type not in NUMBERS or row.enum or row.spans:
        yield f"{row.quantity} is a number, which a row of type {row.type} with words is not"
    elif row.meaning is not None:
        yield f"as is for words, and {row.quantity} is a number"
    else:
        yield from _unit_faults(row, entry)


def _unit_faults(row: Register, entry: Quantity) -> Iterator[str]:
    unit = entry.unit or ""
    wanted = CONVERSIONS.get(row.unit, {}).get(unit)
    if wanted is not None and math.isclose(abs(row.factor), wanted):
        return
    if wanted is not None:
        hint = f": factor must be {wanted:g} or -{wanted:g}"
    elif row.unit not in CONVERSIONS:
        hint = f": units are {', '.join(each for each in CONVERSIONS if each)}"
    else:
        hint = f": {unit or 'no unit'} cannot be made of it"
    times = "" if row.factor == 1.0 else f" times {row.factor:g}"
    yield (
        f"{row.quantity} is in {unit or 'no unit'}, the row in {row.unit or 'no unit'}{times}{hint}"
    )


def _word_faults(row: Register, entry: Quantity) -> Iterator[str]:
    words = {*row.enum.values(), *(word for _, _, word in row.spans), *row.bits.values()}
    if not words:
        yield f"{row.quantity} is a word: the row needs an enum that names its codes"
        return
    said = words if row.meaning is None else set(row.meaning.values())
    strange = sorted(said - set(entry.options))
    if strange and not entry.open:
        options = ", ".join(entry.options)
        if row.meaning is None:
            yield (
                f"{strange[0]} is no word of {row.quantity}: it needs `as`, which makes of the "
                f"enum's words {options}"
            )
        else:
            yield f"as: {strange[0]} is no word of {row.quantity}, which has {options}"
    if row.meaning is not None and (lost := sorted(set(row.meaning) - words)):
        yield f"as: {lost[0]} is no word of the row's enum"


# -------------------------------------------------------------------------------- formulas


def plain_terms(text: str) -> list[str] | None:
    """The names of a sum; None when the formula multiplies, divides or decides."""
    bare = re.sub(r"([A-Za-z_]\w*)\?", r"\1", text)
    bare = re.sub(r"[-+]?\s*\b\d+(\.\d+)?\s*\*\s*(?=[A-Za-z_])", "?", bare)
    if re.search(r"[*/?]|\b(if|else)\b", bare):
        return None
    return [name for name in Formula(text).names if name not in _FUNCTIONS]


def _formula_faults(
    table: RegisterMap, target: str, text: str, contract: Contract
) -> Iterator[str]:
    entry = quantity(contract, target)
    if entry is None:
        yield _unknown(target, contract.members, "quantity")
        return
    unit = entry.unit or ""
    for term in plain_terms(text) or ():
        if term in table:
            own = table[term].unit
            if CONVERSIONS.get(own, {}).get(unit) != 1.0:
                yield f"{term} is in {own or 'no unit'}, and {target} in {unit or 'no unit'}"
        else:
            other = quantity(contract, term)
            if other is None or other.unit != entry.unit:
                yield f"{term} has another unit than {target}"


# -------------------------------------------------------------------------------- controls


def _control_faults(table: RegisterMap, entry: ControlTable, contract: Contract) -> Iterator[str]:
    if entry.control not in contract.controls:
        yield _unknown(entry.control, contract.controls, "control")
        return
    kind, recipe = contract.control(entry.control), TableRecipe(entry, table)
    if kind.lease:
        yield from _lease_faults(table, entry, recipe)
    if kind.kind == "word":
        yield from _option_faults(recipe, kind)
    elif kind.kind == "number" and entry.register is not None:
        row = table[entry.register]
        wanted = CONVERSIONS.get(row.unit, {}).get(kind.unit or "")
        if wanted is None or not math.isclose(abs(entry.factor), wanted):
            yield (
                f"it is in {kind.unit or 'no unit'}, and {row.name} in {row.unit or 'no unit'}: "
                + (f"factor must be {wanted:g}" if wanted else "it cannot be made of it")
            )


def _option_faults(recipe: TableRecipe, kind: Control) -> Iterator[str]:
    if not recipe.options:
        yield "it takes words: give options, or a register with an enum"
    elif not kind.open and (strange := [w for w in recipe.options if w not in kind.options]):
        yield f"{strange[0]} is none of its words, which are {', '.join(kind.options)}"


def _lease_faults(table: RegisterMap, entry: ControlTable, recipe: TableRecipe) -> Iterator[str]:
    for row in sorted(recipe.touches):
        word = entry.back.get(row, None if entry.back else ORIGINAL)
        if table[row].access == "W" and word == ORIGINAL and row not in entry.default:
            yield f"nobody can know what {row} was (access: W): it needs a default"
    if not entry.back and (blind := [r for r in sorted(recipe.touches) if table[r].access == "W"]):
        yield f"{blind[0]} cannot be read (access: W): say with `back` how it is given back"
