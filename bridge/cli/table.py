"""Tables for people: with rich on a terminal, plain columns elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value = TypeVar("Value")
_FIRST: Final = (
    "GridPower",
    "PvPower",
    "BatteryPower",
    "BatterySoc",
    "LoadPower",
    "VehicleState",
    "Power",
    "BatteryState",
    "InverterPower",
    "InverterState",
)


def foremost(values: Mapping[str, Value | None], many: int) -> dict[str, Value]:
    """So many of the known values, those first that people look for."""
    ranks = {name: rank for rank, name in enumerate(_FIRST)}
    names = sorted(values, key=lambda name: ranks.get(name, len(ranks)))  # else as they came
    known = {name: value for name in names if (value := values[name]) is not None}
    return dict(list(known.items())[:many])


def show_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print one table."""
    if sys.stdout.isatty():
        _rich(title, heads, rows)
        return
    print(title)
    every = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    for row in every:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _rich(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*heads, title=title, title_justify="left", box=None)
    for row in rows:
        shown.add_row(*map(Text, row))
    Console().print(shown)
