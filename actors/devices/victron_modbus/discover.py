"""Recognising a GX on the network: by its portal id, which it tells on unit 100."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.discover import Found
from bridge.registers import find_map

if TYPE_CHECKING:
    from bridge.discover import Door

PORTS: Final = (502,)
# The hardware address of its Ethernet port; six words have room for its twelve digits exactly.
_PORTAL: Final = re.compile(r"[0-9a-f]{12}")


async def probe(door: Door) -> Found | None:
    """A GX with Modbus TCP switched on."""
    table = find_map(Path(__file__).parent, "system")
    serial = (await door.values(table, "system_serial"))["system_serial"]
    if not isinstance(serial, str) or not _PORTAL.fullmatch(serial):
        return None
    return Found("Victron GX", serial)
