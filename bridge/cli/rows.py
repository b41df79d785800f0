"""Rows of values as text: a table for people, JSON and CSV for programs. Pure.

A value is text, a number, a flag, a moment, a day, a list or None. Programs get it as it is:
a moment with a zone as RFC 3339 in UTC, one without as the local time that it is, None as `null` or
as an empty cell. People get a moment to the minute in its own zone, numbers with the digits of the
column, and a word for None.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from bridge.clock import stamp

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

FORMATS: Final = ("table", "json", "csv")
_SPACE: Final = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` finds its value in a row; a column with `unit` or `digits` holds numbers.

    `title`: what a person reads above it (default: the key); `width`: the least characters that it
    takes; `table`: False leaves it to programs; `unknown`: what a person reads for None.
    """

    key: str
    title: str | None = None
    unit: str = ""
    digits: int | None = None
    width: int = 0
    table: bool = True
    unknown: str = "unknown"

    @property
    def heading(self) -> str:
        """Title and unit, as a table shows them."""
        return f"{self.title or self.key} {self.unit}".rstrip()

    @property
    def number(self) -> bool:
        """True when the column is one of numbers, which stand on the right."""
        return bool(self.unit) or self.digits is not None


def add_format(parser: argparse.ArgumentParser) -> None:
    """Declare `--format table|json|csv`."""
    parser.add_argument(
        "--format", choices=FORMATS, default="table", help="how to print (default: table)"
    )


def printed(
    form: str,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    *,
    head: Mapping[str, Any] | None = None,
    total: Mapping[str, Any] | None = None,
    empty: str = "there is nothing to show",
) -> str:
    """The rows in one of FORMATS, without a newline at the end.

    `head`: what they are about, for JSON; `total`: a last line, for the table and JSON; `empty`:
    the sentence that a person reads instead of a table without rows.
    """
    found = list(rows)
    if form == "json":
        return _json(columns, found, head or {}, total)
    if form == "csv":
        return _csv(columns, found)
    return _table(columns, found, total) if found else empty


def _json(
    columns: Sequence[Column],
    rows: list[Mapping[str, Any]],
    head: Mapping[str, Any],
    total: Mapping[str, Any] | None,
) -> str:
    told: dict[str, Any] = {
        **head,
        "units": {column.key: column.unit for column in columns if column.unit},
        "rows": [{column.key: row.get(column.key) for column in columns} for row in rows],
    }
    if total is not None:
        told["total"] = dict(total)
    return json.dumps(told, default=_plain)


def _csv(columns: Sequence[Column], rows: list[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column.key)) for column in columns])
    return text.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _plain(value) if isinstance(value, (date, list, tuple)) else value


def _plain(value: Any) -> str:
    """What JSON and CSV have no form for."""
    if isinstance(value, datetime):
        return stamp(value) if value.tzinfo is not None else f"{value:%Y-%m-%dT%H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    raise TypeError(f"{type(value).__name__} cannot be printed")


def _table(
    columns: Sequence[Column], rows: list[Mapping[str, Any]], total: Mapping[str, Any] | None
) -> str:
    shown = [column for column in columns if column.table]
    lines = [[column.heading for column in shown]]
    lines += [[_shown(column, row.get(column.key)) for column in shown] for row in rows]
    if total is not None:
        told = [_shown(each, total[each.key]) if each.key in total else "" for each in shown]
        lines.append(["total", *told[1:]])
    widths = [
        max(column.width, *map(len, cells))
        for column, cells in zip(shown, zip(*lines, strict=True), strict=True)
    ]
    return "\n".join(_line(shown, cells, widths) for cells in lines)


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    told = [
        f"{cell:>{width}}" if column.number else f"{cell:<{width}}"
        for column, cell, width in zip(columns, cells, widths, strict=True)
    ]
    return _SPACE.join(told).rstrip()


def _shown(column: Column, value: Any) -> str:
    if value is None:
        return column.unknown
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (int, float)) and column.digits is not None:
        return f"{value:.{column.digits}f}"
    text = _plain(value) if isinstance(value, (date, list, tuple)) else str(value)
    # A service could send what moves a terminal's cursor.
    return "".join(each if each.isprintable() else "?" for each in text)
