"""Every table of registers in the tree, by the name that a failing test shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.registers import load_map, maps_of

if TYPE_CHECKING:
    from bridge.registers import RegisterMap

ROOT = Path(__file__).parents[2]
_FOLDERS = sorted(path.parent for path in (ROOT / "actors").rglob("actor.py"))
PATHS = {
    f"{folder.name}/{name}": path for folder in _FOLDERS for name, path in maps_of(folder).items()
}
NAMES = tuple(PATHS)

every_table = pytest.mark.parametrize("name", NAMES)


def table(name: str) -> RegisterMap:
    """The map of that name."""
    return load_map(PATHS[name])
