"""Every table of registers that there is, found by folder; none is named here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.registers import load_map

if TYPE_CHECKING:
    from bridge.registers import RegisterMap

ROOT = Path(__file__).parents[2]
PATHS = {
    f"{(path.parent.parent if path.parent.name == 'registers' else path.parent).name}/{path.stem}": path
    for path in sorted((ROOT / "actors").rglob("*.yaml"))
    if path.name == "registers.yaml" or path.parent.name == "registers"
}

every_table = pytest.mark.parametrize("name", PATHS)


def table(name: str) -> RegisterMap:
    """One of PATHS, loaded (and kept: loading is cached)."""
    return load_map(PATHS[name])


def folder(name: str) -> Path:
    """The folder of the kind that a table belongs to."""
    path = PATHS[name]
    return path.parent.parent if path.parent.name == "registers" else path.parent
