"""One recorded day: a CSV with one row for each minute."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

_NEEDED = ("pv_w", "load_w")
_PRICES = ("import_price", "export_price")


@dataclass(frozen=True, slots=True)
class Day:
    """Rows by minute: production and load in W, prices per kWh (empty where there are none)."""

    pv_w: list[float]
    load_w: list[float]
    import_price: list[float]
    export_price: list[float]


def read_day(path: Path) -> Day:
    """The day in a file. Raises ScenarioError."""
    try:
        with path.open(newline="", encoding="utf-8") as text:
            rows = list(csv.DictReader(text))
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from error
    if not rows or any(name not in rows[0] for name in _NEEDED):
        raise ScenarioError(f"{path} needs rows with the columns {' and '.join(_NEEDED)}")
    found = {name: _column(path, rows, name) for name in _NEEDED}
    for name in _PRICES:
        found[name] = _column(path, rows, name) if rows[0].get(name) else []
    return Day(**found)


def _column(path: Path, rows: list[dict[str, str]], name: str) -> list[float]:
    values = []
    for line, row in enumerate(rows, start=2):
        try:
            value = float(row[name])
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise ScenarioError(f"{path}:{line}: {name} is {row[name]!r}, not a number")
        values.append(value)
    return values
