"""Every table of registers in the tree is one that its users can load and its authors can read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from bridge.config.kinds import all_kinds
from bridge.contract import load_contract
from bridge.registers.check import contract_faults, faults
from bridge.registers.check_quantities import plain_terms, quantity
from bridge.registers.controls import TableRecipe
from tests.registers.tables import PATHS, every_table, table

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = load_contract()
_LONGEST_LINE = 125


def folder(name: str) -> Path:
    """The folder of the kind that a table belongs to."""
    path = PATHS[name]
    return path.parent.parent if path.parent.name == "registers" else path.parent


def test_there_are_tables() -> None:
    assert {"sma/sunny_island", "sma/sbs", "sma/stp"} <= set(PATHS)


@every_table
def test_nothing_is_wrong_with_it(name: str) -> None:
    found = table(name)
    assert found.registers
    assert list(faults(found)) == []
    assert list(contract_faults(found, CONTRACT)) == []


@every_table
def test_lines_are_short_enough_to_read(name: str) -> None:
    lines = PATHS[name].read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if len(line) > _LONGEST_LINE] == []


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
        entry = quantity(CONTRACT, each)
        assert entry is not None
        assert {entry.name, entry.family, each} & quantities, each
    assert set(table(name).controls) <= controls


@every_table
def test_a_control_writes_nothing_that_is_not_confirmed(name: str) -> None:
    found = table(name)
    for control, entry in found.controls.items():
        recipe = TableRecipe(entry, found)
        for row in recipe.touches | recipe.needs | set(entry.trigger) | set(entry.default):
            assert found[row].status in {"confirmed", "single-primary"}, f"{control}: {row}"


def test_a_sum_is_told_from_what_is_more() -> None:
    assert plain_terms("a + b? - c") == ["a", "b", "c"]
    assert plain_terms("max(a, 0) - b") == ["a", "b"]
    assert plain_terms("a * b") is None
    assert plain_terms("a if b else c") is None
