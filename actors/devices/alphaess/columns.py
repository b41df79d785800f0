"""What the commands print, column by column."""

from __future__ import annotations

from typing import Final

from bridge.cli.rows import Column

COLUMNS: Final = {
    "list": (
        Column("serial"),
        Column("inverter"),
        Column("battery"),
        Column("pv", "PV", "kW", 1),
        Column("power", "inverter", "kW", 1),
        Column("capacity", "usable", "kWh", 2),
        Column("status"),
    ),
    "done": (Column("serial"), Column("done", "result")),
    "values": (Column("name"), Column("value", digits=2), Column("unit")),
    "day": (
        Column("uploadTime", "time"),
        Column("ppv", "PV", "W", 0),
        Column("load", unit="W", digits=0),
        Column("feedIn", "export", "W", 0),
        Column("gridCharge", "import", "W", 0),
        Column("cbat", "battery", "%", 1),
        Column("pchargingPile", "charger", "W", 0),
    ),
    "side": (
        Column("which"),
        Column("on"),
        Column("stop", "stops at", "%", 0),
        Column("first"),
        Column("second"),
    ),
    "schedule": (
        Column("sort"),
        Column("when"),
        Column("days"),
        Column("power", unit="W", digits=0),
        Column("level", "stops at", "%", 0),
    ),
    "chargers": (Column("charger"), Column("model")),
    "status": (Column("charger"), Column("status", digits=0), Column("car")),
}
