"""The pages for authors name every key of a table, and everything that a simulated house has."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from bridge.registers import written
from bridge.simulators.device import RegisterSimulator
from bridge.simulators.plant import Plant

DOCS = Path(__file__).parents[2] / "docs"


def first_cells(page: str) -> set[str]:
    """The words in back quotes in the first column of every table of a page."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    cells = [line.split("|")[1] for line in lines if line.startswith("|")]
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("kind", [written.Row, written.Entry, written.Table])
def test_every_key_of_a_table_is_explained(kind: type[msgspec.Struct]) -> None:
    keys = {field.encode_name for field in msgspec.structs.fields(kind)}
    assert keys <= first_cells("registers.md")


def test_no_key_is_explained_that_does_not_exist() -> None:
    kinds = (written.Row, written.Entry, written.Table)
    keys = {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}
    assert first_cells("registers.md") <= keys


def test_the_simulated_house_is_explained() -> None:
    fields = {name for name in dir(Plant) if not name.startswith("_")} - {"step"}
    assert fields <= first_cells("simulators.md")


def test_what_a_simulator_overrides_is_explained() -> None:
    text = (DOCS / "simulators.md").read_text(encoding="utf-8")
    for name in ("units", "show", "obey", "elapse", "forward"):
        assert hasattr(RegisterSimulator, name)
        assert f"{name}(" in text
