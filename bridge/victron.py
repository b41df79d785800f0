"""Words that a Victron GX has whichever way it is spoken to: Modbus TCP or its own MQTT."""

from __future__ import annotations

from typing import Final

GX_HOST: Final = "venus.local"
"""The name that a GX gives itself on the network."""
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
RELAY_MANUAL: Final = 2
"""`/Settings/Relay/Function` (and `/Settings/Relay/1/Function` …) of a relay for its owner."""
RELAY_FUNCTIONS: Final = {
    -1: "switched off in its settings",
    0: "for alarms",
    1: "for starting a generator",
    3: "for a tank pump",
    4: "for temperatures",
    5: "for a generator that is connected",
}
"""What else a relay may be for."""


def relay_device(actor: str, number: int | str) -> str:
    """The id of a GX's relay as a device of its own; from 1, as it is called on the GX."""
    return f"{actor}-relay{number}"
