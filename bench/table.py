"""One row per figure: what was measured, the bare reference, the ratio, and what we aim for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`bare` and `ratio` are empty where there is no reference."""

    what: str
    figure: str
    bare: str = ""
    ratio: str = ""
    reach: str = ""


def show(rows: list[Row]) -> None:
    """Print the rows as a Markdown table."""
    table = [("what", "measured", "bare", "ratio", "reach")]
    table += [(row.what, row.figure, row.bare, row.ratio, row.reach) for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    for index, row in enumerate(table):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("|", " | ".join(cells), "|")
        if index == 0:
            print("|", " | ".join("-" * width for width in widths), "|")


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
