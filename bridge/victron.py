"""Words that a Victron GX has whichever way it is spoken to: Modbus TCP or its own MQTT."""

from __future__ import annotations

from typing import Final

SOURCES: Final = {0: "none", 1: "grid", 2: "generator", 3: "shore", 240: "disconnected"}
"""What feeds the AC input, by the code of `/Ac/ActiveIn/Source`."""
BATTERY_STATES: Final = {0: "idle", 1: "charging", 2: "discharging"}
"""`/Dc/Battery/State`."""
EXTERNAL_MODE: Final = 3
"""`/Settings/CGwacs/Hub4Mode` in which the GX regulates nothing."""
NO_GRID_SETPOINT: Final = (
    "the GX is in ESS mode 3 (external control), in which it follows no grid setpoint"
)
"""Why a grid setpoint is refused in that mode."""
