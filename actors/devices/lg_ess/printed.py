"""Statistics as text: a table for people, JSON and CSV for programs. Pure."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from actors.devices.lg_ess.graphs import PERCENT
from bridge.clock import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.lg_ess.graphs import Graph, Row

FORMATS: Final = ("table", "json", "csv")
_WIDE: Final = 16


def printed(told: Graph, form: str, head: Mapping[str, str]) -> str:
    """The statistics in one of FORMATS; `head`: what they are about, for JSON."""
    makers = {"table": _table, "json": _json, "csv": _csv}
    return makers[form](told, head)


def unit_of(column: str) -> str:
    """What the numbers of a column are."""
    return "%" if column in PERCENT else "kWh"


def _local(row: Row) -> str:
    return f"{row.time:%Y-%m-%dT%H:%M:%S}"


def _json(told: Graph, head: Mapping[str, str]) -> str:
    found: dict[str, Any] = {
        **head,
        "units": {column: unit_of(column) for column in told.columns},
        "rows": [{"time": _local(row), "at": stamp(row.at), **row.values} for row in told.rows],
        "total": {column: told.total(column) for column in told.columns if column not in PERCENT},
    }
    return json.dumps(found)


def _csv(told: Graph, _: Mapping[str, str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "at", *told.columns])
    for row in told.rows:
        values = ["" if row.values[name] is None else row.values[name] for name in told.columns]
        writer.writerow([_local(row), stamp(row.at), *values])
    return text.getvalue().rstrip("\n")


def _table(told: Graph, _: Mapping[str, str]) -> str:
    if not told.rows:
        return "the device has counted nothing for that time"
    titles = [f"{column} {unit_of(column)}" for column in told.columns]
    widths = [max(_WIDE, len(title)) for title in titles]
    times = [_local(row).replace("T", " ")[:_WIDE] for row in told.rows]
    lines = [_line("time", titles, widths)]
    for time, row in zip(times, told.rows, strict=True):
        lines.append(
            _line(time, [_number(name, row.values[name]) for name in told.columns], widths)
        )
    totals = ["" if name in PERCENT else _number(name, told.total(name)) for name in told.columns]
    lines.append(_line("total", totals, widths))
    return "\n".join(lines)


def _line(first: str, cells: list[str], widths: list[int]) -> str:
    right = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([f"{first:<{_WIDE}}", *right]).rstrip()


def _number(column: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.1f}" if column in PERCENT else f"{value:.3f}"
