"""Every table of registers keeps to the contract: names, units, words, sources, what is written."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config.kinds import all_kinds
from bridge.contract import load_contract
from bridge.errors import ContractError
from bridge.registers.codec import encode
from bridge.registers.controls import ORIGINAL, TableRecipe
from bridge.registers.model import NUMBERS
from bridge.registers.quantities import Formula
from tests.registers.tables import PATHS, every_table, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.contract import Quantity
    from bridge.registers.controls import ControlTable
    from bridge.registers.model import Register, RegisterMap

CONTRACT = load_contract()
_LONGEST_LINE = 125
_FUNCTIONS = {"min", "max", "abs", "round"}

# Unit of a row -> unit of the contract -> what makes the one of the other.
CONVERSIONS: dict[str, dict[str, float]] = {
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


def folder(name: str) -> Path:
    """The folder of the kind that a table belongs to."""
    path = PATHS[name]
    return path.parent.parent if path.parent.name == "registers" else path.parent


def test_there_are_tables() -> None:
    assert {"sma/sunny_island", "sma/sbs", "sma/stp"} <= set(PATHS)


def quantity(name: str) -> Quantity:
    """The contract's entry, also for a family such as `PvString{n}Power` before it is numbered."""
    return CONTRACT.quantity(re.sub(r"\{\w+\}", "1", name))


def factors(row: Register, entry: Quantity) -> set[float]:
    """The factors that turn the row's unit into the quantity's, either way round."""
    factor = CONVERSIONS.get(row.unit, {}).get(entry.unit or "")
    return set() if factor is None else {factor, -factor}


# ------------------------------------------------------------------------------------------ rows


@every_table
def test_names_are_plain_and_unique(name: str) -> None:
    rows = table(name).registers
    names = [row.name for row in rows]
    assert rows
    assert len(names) == len(set(names))
    assert [each for each in names if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", each)] == []


@every_table
def test_every_row_says_where_it_comes_from(name: str) -> None:
    for row in table(name).registers:
        assert row.source, row.name
        assert all(each.strip() for each in row.source), row.name


@every_table
def test_addresses_sentinels_and_ranges_fit(name: str) -> None:
    for row in table(name).registers:
        assert all(0 <= place <= 0xFFFF for place in row.places), row.name
        assert len(set(row.places)) == row.words, row.name
        assert all(0 <= raw < 1 << 16 * row.words for raw in row.invalid), row.name
        assert row.mask is None or 0 < row.mask < 1 << 16 * row.words, row.name
        for limits in (row.valid, row.range):
            assert limits is None or limits[0] <= limits[1], row.name
        assert row.scale, row.name
        assert row.factor, row.name
        if row.enum or row.spans:
            assert row.type in NUMBERS, row.name
            codes = [low for low, high, _ in row.spans if low > high]
            assert codes == [], row.name
        if row.unit:
            assert row.type in NUMBERS, f"{row.name} has a unit and is no number"


@every_table
def test_the_longest_request_is_one_that_modbus_has(name: str) -> None:
    limits = table(name).limits
    assert 1 <= limits.words <= 125
    assert 1 <= limits.write <= 123
    assert limits.gap >= 0
    assert all(row.words <= limits.words for row in table(name).registers)


@every_table
def test_lines_are_short_enough_to_read(name: str) -> None:
    lines = PATHS[name].read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if len(line) > _LONGEST_LINE] == []


@every_table
def test_only_what_is_read_feeds_a_quantity(name: str) -> None:
    for row in table(name).registers:
        assert row.access != "W" or (row.quantity is None and row.info is None), row.name
        assert row.access != "R" or (row.range is None and not row.persistent), row.name


# ------------------------------------------------------------------------------------ quantities


@every_table
def test_quantities_are_in_topics_yaml(name: str) -> None:
    for each in table(name).produced:
        try:
            quantity(each)
        except ContractError as error:
            raise AssertionError(f"{each}: {error}") from None


@every_table
def test_a_row_has_the_unit_of_its_quantity(name: str) -> None:
    for row in table(name).registers:
        if row.quantity is None:
            continue
        entry = quantity(row.quantity)
        if entry.kind == "word":
            continue
        assert row.type in NUMBERS, row.name
        assert not row.enum, row.name
        assert any(row.factor == pytest.approx(each) for each in factors(row, entry)), (
            f"{row.name} in {row.unit or 'no unit'} times {row.factor:g} is not "
            f"{row.quantity} in {entry.unit or 'no unit'}"
        )


@every_table
def test_a_word_is_one_that_the_contract_has(name: str) -> None:
    for row in table(name).registers:
        if row.quantity is None or quantity(row.quantity).kind != "word":
            continue
        entry = quantity(row.quantity)
        words = {*row.enum.values(), *(word for _, _, word in row.spans), *row.bits.values()}
        assert words, f"{row.name} has no words for {row.quantity}"
        said = words if row.meaning is None else set(row.meaning.values())
        assert entry.open or said <= set(entry.options), row.name
        assert row.meaning is None or set(row.meaning) <= words, row.name


def plain_terms(text: str) -> list[str] | None:
    """The names of a sum; None when the formula multiplies, divides or decides."""
    bare = re.sub(r"([A-Za-z_]\w*)\?", r"\1", text)
    bare = re.sub(r"[-+]?\s*\b\d+(\.\d+)?\s*\*\s*(?=[A-Za-z_])", "?", bare)
    if re.search(r"[*/?]|\b(if|else)\b", bare):
        return None
    return [name for name in Formula(text).names if name not in _FUNCTIONS]


@every_table
def test_a_sum_has_the_unit_of_its_quantity(name: str) -> None:
    found = table(name)
    for target, text in found.quantities.items():
        entry, terms = quantity(target), plain_terms(text)
        for term in terms or ():
            if term in found:
                unit: str | None = found[term].unit
                assert CONVERSIONS.get(unit or "", {}).get(entry.unit or "") == 1.0, (
                    f"{target}: {term} is in {unit}"
                )
            else:
                assert quantity(term).unit == entry.unit, f"{target}: {term}"


@cache
def declared(path: Path) -> tuple[set[str], set[str]] | None:
    """Quantities and controls that the class of a folder declares; None while it has none."""
    kind = all_kinds().get(path.name)
    if kind is None:
        return None
    actor: Any = kind.load()
    return set(actor.quantities), set(actor.controls)


@every_table
def test_the_class_declares_what_its_tables_give(name: str) -> None:
    found = declared(folder(name))
    if found is None:
        assert folder(name).name.startswith("_"), f"{folder(name).name} has a table and no actor"
        return
    quantities, controls = found
    for each in table(name).produced:
        entry = quantity(each)
        assert {entry.name, entry.family, each} & quantities, each
    assert set(table(name).controls) <= controls


# -------------------------------------------------------------------------------------- controls


def recipes(found: RegisterMap) -> Iterator[tuple[str, ControlTable, TableRecipe]]:
    for control, entry in found.controls.items():
        yield control, entry, TableRecipe(entry, found)


@every_table
def test_controls_are_in_topics_yaml(name: str) -> None:
    assert set(table(name).controls) <= set(CONTRACT.controls)


@every_table
def test_nothing_unconfirmed_or_read_only_is_written(name: str) -> None:
    found = table(name)
    for control, entry, recipe in recipes(found):
        for row in recipe.touches | set(entry.trigger) | set(entry.default):
            assert found[row].status in {"confirmed", "single-primary"}, f"{control}: {row}"
            assert found[row].access != "R", f"{control}: {row}"
        for row in recipe.needs:
            assert found[row].trusted, f"{control} looks at {row}"


@every_table
def test_what_a_lease_changed_can_be_given_back(name: str) -> None:
    found = table(name)
    for control, entry, recipe in recipes(found):
        if not CONTRACT.control(control).lease:
            continue
        for row in recipe.touches:
            word = entry.back.get(row, None if entry.back else ORIGINAL)
            if found[row].access == "W" and word == ORIGINAL:
                assert row in entry.default, f"{control}: nobody can know what {row} was"
        if any(found[row].access == "W" for row in recipe.touches):
            assert entry.back, f"{control}: rows that cannot be read need `back`"


@every_table
def test_flash_is_never_written_again_and_again(name: str) -> None:
    found = table(name)
    for control, entry, recipe in recipes(found):
        worn = {row for row in recipe.triggers if found[row].persistent}
        assert not worn, f"{control} repeats {worn}"
        assert entry.watchdog is None or entry.watchdog >= 1, control


@every_table
def test_words_and_numbers_of_a_control_are_ones_that_its_rows_take(name: str) -> None:
    found = table(name)
    for control, entry, recipe in recipes(found):
        for block in (*entry.blocks, entry.back, entry.default):
            for row, given in block.items():
                if isinstance(given, str) and (given == ORIGINAL or given in recipe.formulas):
                    continue
                if found[row].scale_factor is None:
                    assert encode(found[row], given), f"{control}: {row}"


@every_table
def test_a_control_of_words_has_words_and_one_of_numbers_has_a_unit(name: str) -> None:
    found = table(name)
    for control, entry, recipe in recipes(found):
        kind = CONTRACT.control(control)
        if kind.kind == "word":
            assert recipe.options, f"{control} has no words"
            assert kind.open or set(recipe.options) <= set(kind.options), control
        elif entry.register is not None and kind.kind == "number":
            row = found[entry.register]
            factor = CONVERSIONS.get(row.unit, {}).get(kind.unit or "")
            assert factor is not None, f"{control}: {row.name} is in {row.unit}"
            assert abs(entry.factor) == pytest.approx(factor), control
