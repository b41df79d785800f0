"""Statistics as text: a table for people, JSON and CSV for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.devices.lg_ess.graphs import PERCENT
from bridge.cli.rows import FORMATS, Column
from bridge.cli.rows import printed as as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.lg_ess.graphs import Graph

__all__ = ["FORMATS", "printed"]

_WIDE: Final = 16
_ENERGY: Final = ("kWh", 3)
_SHARE: Final = ("%", 1)


def printed(told: Graph, form: str, head: Mapping[str, str]) -> str:
    """The statistics in one of FORMATS; `head`: what they are about, for JSON."""
    columns = [Column("time", width=_WIDE), Column("at", table=False), *map(_column, told.columns)]
    return as_text(
        form,
        columns,
        [{"time": row.time, "at": row.at, **row.values} for row in told.rows],
        head=head,
        total={name: told.total(name) for name in told.columns if name not in PERCENT},
        empty="the device has counted nothing for that time",
    )


def _column(name: str) -> Column:
    unit, digits = _SHARE if name in PERCENT else _ENERGY
    return Column(name, unit=unit, digits=digits, width=_WIDE)
