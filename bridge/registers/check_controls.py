"""What is wrong with one entry of a table's `controls`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceError, HeliographError
from bridge.registers.codec import encode
from bridge.registers.controls import ORIGINAL, VALUE, TableRecipe
from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.registers.controls import ControlTable, Steps
    from bridge.registers.model import RegisterMap

_BRIEFEST: Final = 1.0


def control_faults(table: RegisterMap, entry: ControlTable) -> Iterator[str]:
    """One sentence for each, without the control's name."""
    yield from _forms(entry)
    blocks = (*entry.blocks, entry.back, entry.default)
    rows = {row for block in blocks for row in block} | {*entry.trigger}
    rows |= {entry.register} if entry.register else set()
    if missing := sorted(row for row in rows if row not in table):
        yield f"there is no row {', '.join(missing)}"
        return
    if doubtful := sorted(row for row in rows if not table[row].trusted):
        yield f"{', '.join(doubtful)} is not confirmed, and so never written"
    if fixed := sorted(row for row in rows if table[row].access == "R"):
        yield f"{', '.join(fixed)} cannot be written: its access is R"
    try:
        recipe = TableRecipe(entry, table)
        used = {each for formula in recipe.formulas.values() for each in formula.names}
        for bound in (entry.min, entry.max):
            used |= set(Formula(bound).names) if isinstance(bound, str) else set()
    except HeliographError as error:
        yield str(error)
        return
    if unknown := sorted(used - {*table.by_name, VALUE}):
        named = ", ".join(f"'{each}'" for each in unknown)
        yield f"there is no row or enum word {named}"
        return
    if doubtful := sorted(row for row in recipe.needs if not table[row].trusted):
        yield f"it looks at {', '.join(doubtful)}, which is not confirmed"
    yield from _repeats(table, entry, recipe)
    yield from _step_faults(table, entry, recipe)
    yield from _reach(table, entry, recipe)


def _forms(entry: ControlTable) -> Iterator[str]:
    signs = [name for name in ("negative", "zero", "positive") if getattr(entry, name) is not None]
    if entry.register is None and not entry.blocks:
        yield "nothing says what it writes: it needs register, set, options, or steps by sign"
    if entry.set is not None and signs:
        yield f"set is for every value, so {signs[0]} beside it would never be used"
    if not entry.factor:
        yield "factor must not be 0"
    if ORIGINAL in entry.default.values():
        yield "default needs values: it is for when the original is not known"
    numbers = (entry.min, entry.max)
    if all(isinstance(each, (int, float)) for each in numbers) and entry.min > entry.max:  # type: ignore[operator] # both are numbers
        yield "min is greater than max"
    if entry.watchdog is not None and entry.watchdog < _BRIEFEST:
        yield f"watchdog must be {_BRIEFEST:g} s or more"
    if entry.settle < 0 or (entry.tolerance is not None and entry.tolerance < 0):
        yield "settle and tolerance must not be negative"


def _repeats(table: RegisterMap, entry: ControlTable, recipe: TableRecipe) -> Iterator[str]:
    if worn := sorted(row for row in recipe.triggers if table[row].persistent):
        yield f"trigger repeats {', '.join(worn)}, which the device keeps in flash"
    for row in sorted(recipe.touches):
        held = table[row]
        if held.enum and (twice := _ambiguous(entry, row, list(held.enum.values()))):
            yield f"{row} has the word {twice} twice: nobody knows which code to write"


def _ambiguous(entry: ControlTable, row: str, words: list[str]) -> str | None:
    said = {block[row] for block in (*entry.blocks, entry.back, entry.default) if row in block}
    wanted = words if entry.register == row else [word for word in words if word in said]
    return next((word for word in wanted if words.count(word) > 1), None)


def _step_faults(table: RegisterMap, entry: ControlTable, recipe: TableRecipe) -> Iterator[str]:
    """Words and numbers that a row does not take."""
    for block in (*entry.blocks, entry.back, entry.default):
        for row, given in block.items():
            if isinstance(given, str) and (given == ORIGINAL or given in recipe.formulas):
                continue
            if table[row].scale_factor is None:
                try:
                    encode(table[row], given)
                except DeviceError as error:
                    yield str(error)


def _reach(table: RegisterMap, entry: ControlTable, recipe: TableRecipe) -> Iterator[str]:
    """What `min` and `max` offer, and a row does not take."""
    ends = [each for each in (entry.min, entry.max) if isinstance(each, (int, float))]
    if entry.register is not None and not entry.blocks:
        if not table[entry.register].enum:
            for end in ends:
                yield from _refused(table, end, entry.register, end / (entry.factor or 1.0))
        return
    signs: list[tuple[Steps | None, list[float]]] = [
        (entry.set, ends),
        (entry.negative, [each for each in ends if each < 0]),
        (entry.positive, [each for each in ends if each > 0]),
    ]
    for block, values in signs:
        for name, given in (block or {}).items():
            formula = recipe.formulas.get(str(given))
            if formula is not None and set(formula.names) == {VALUE}:
                for end in values:
                    result = formula.evaluate({VALUE: end})
                    if result is not None:
                        yield from _refused(table, end, name, result)


def _refused(table: RegisterMap, end: float, row: str, value: float) -> Iterator[str]:
    if table[row].scale_factor is not None:
        return  # what fits is known when the device was asked for its scale
    try:
        encode(table[row], value)
    except DeviceError as error:
        yield f"it offers {end:g}, but {error}"
