"""The relays of a GX: what they are, and which may be switched. Pure, but for `switch`.

The first one, `/Relay/0` on the GX, is called Relay 1 there and `{actor}-relay1` here. A GX keeps
a relay's state in flash, to have it again after a start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from actors.venus.venus_mqtt.decode import number
from actors.venus.venus_mqtt.paths import RELAY_STATE, relay_function
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from bridge.victron import RELAY_FUNCTIONS, RELAY_MANUAL, relay_device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.venus.venus_mqtt.decode import Found
    from actors.venus.venus_mqtt.gx import Gx
    from actors.venus.venus_mqtt.writing import FlashWriter

SWITCH: Final = "Switch"
_STATE: Final = re.compile(RELAY_STATE.replace("+", r"(\d{1,2})") + r"\Z")


def relays(heard: Mapping[str, Found]) -> dict[int, bool | None]:
    """Each relay that the GX tells of, from 1: closed, open, or None while it is not known."""
    found: dict[int, bool | None] = {}
    for path, value in heard.items():
        match = _STATE.match(path)
        if match:
            state = number(value)
            found[int(match[1]) + 1] = None if state is None else state != 0
    return dict(sorted(found.items()))


def numbered(device: str, actor: str) -> int | None:
    """The relay's number of one of an actor's devices; None for what is no relay."""
    _, _, rest = device.partition(relay_device(actor, ""))
    return int(rest) if rest.isdecimal() else None


async def switch(gx: Gx, flash: FlashWriter, relay: int, *, on: bool) -> bool | None:
    """Close or open a relay that the owner has set to Manual; as read back. Raises DeviceError."""
    try:
        function = number(await gx.read(relay_function(relay)))
    except DeviceTimeout:
        function = None
    if function is None:
        raise DeviceRefused(f"{gx.name} does not tell what its relay {relay} is for")
    if function != RELAY_MANUAL:
        word = RELAY_FUNCTIONS.get(int(function), "for something else")
        raise DeviceRefused(
            f"relay {relay} of the GX is {word}: choose Manual as its function on the GX first"
        )
    found = await flash.write(RELAY_STATE.replace("+", str(relay - 1)), float(on), whole=True)
    if found is None:
        raise DeviceError(f"{gx.name} does not tell the state of its relay {relay}")
    return found != 0
