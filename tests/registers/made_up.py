"""Small tables written where the test is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bridge.registers import RegisterMap, load_map

if TYPE_CHECKING:
    from pathlib import Path

_ROW = {"source": ["sheet"], "status": "confirmed"}


def row(address: int, name: str, type_: str = "u16", /, **more: Any) -> dict[str, Any]:
    """One row as a table has it."""
    place = {} if "addresses" in more else {"address": address}
    return {**place, "name": name, "type": type_, **_ROW, **more}


def table(folder: Path, *rows: dict[str, Any], **more: Any) -> RegisterMap:
    """A map of these rows, loaded from a file as every table is."""
    path = folder / f"t{len(list(folder.iterdir()))}.yaml"
    text = yaml.safe_dump({"device": "made up", "registers": list(rows), **more}, sort_keys=False)
    path.write_text(text)
    return load_map(path)
