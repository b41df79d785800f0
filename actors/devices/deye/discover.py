"""Recognising a Deye or Sunsynk hybrid on the network, and the stick that it may be behind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.discover import Found
from bridge.registers import find_map

if TYPE_CHECKING:
    from bridge.discover import Answer, Door

PORTS: Final = (502,)
_HYBRIDS: Final = {"single_phase_hybrid": "single-phase", "three_phase_hybrid": "three-phase"}
_SERIAL: Final = re.compile(r"[0-9A-Z]{10}")
_LOGGER: Final = re.compile(r"[0-9]{9,10}")
_LARGEST: Final = 0xFFFF_FFFF


async def probe(door: Door) -> Found | None:
    """A gateway with an inverter whose type and serial number are such as Deye gives."""
    table = find_map(Path(__file__).parent, "sg04lp3")
    told = await door.values(table, "device_type", "serial_number")
    phases, serial = _HYBRIDS.get(str(told["device_type"])), told["serial_number"]
    if phases is None or not isinstance(serial, str) or not _SERIAL.fullmatch(serial):
        return None
    return Found(f"Deye or Sunsynk {phases} hybrid", serial)


def stick(answer: Answer) -> Found | None:
    """A Solarman stick, by its number; other makers' inverters may be behind one, too."""
    if not _LOGGER.fullmatch(answer.serial) or int(answer.serial) > _LARGEST:
        return None
    settings: dict[str, str | int | float] = {
        "transport": "solarman",
        "serial": int(answer.serial),
    }
    return Found("Solarman stick, as Deye inverters have", answer.serial, settings)
