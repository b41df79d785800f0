"""Recognising any SunSpec device on the network: by the mark that its models begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from actors.devices.sunspec.chain import BASES, MARKER
from bridge.discover import Found
from bridge.registers import find_map

if TYPE_CHECKING:
    from bridge.discover import Door

PORTS: Final = (502, 1502)
# Asked only where no maker's own kind knows the device: many speak SunSpec beside their own tables.
GENERAL: Final = True
# The usual one, SMA's, Kostal's, a second device behind the same gateway.
_UNITS: Final = (1, 126, 71, 2)
# Fronius puts its Smart Meter on a unit id of its own: of GEN24, of older ones.
_METERS: Final = (200, 240)


async def probe(door: Door) -> Found | None:
    """The first unit with a chain of models, and what its common model says."""
    for unit in _UNITS:
        for base in BASES:
            if await door.read(base, len(MARKER), unit=unit) != MARKER:
                continue
            table = find_map(Path(__file__).parent, "1").moved(base + len(MARKER))
            told = await door.values(table, "m1_Mn", "m1_Md", "m1_SN", unit=unit)
            words = [each for each in (told["m1_Mn"], told["m1_Md"]) if isinstance(each, str)]
            serial = told["m1_SN"]
            settings = {} if unit == _UNITS[0] else {"unit": unit}
            return Found(
                " ".join(words) or "SunSpec device",
                serial if isinstance(serial, str) else None,
                settings | await _beside(door, str(told["m1_Mn"]).strip(), unit),
            )
    return None


async def _beside(door: Door, maker: str, unit: int) -> dict[str, int]:
    """What the chain of some makers' inverters does not lead to, where it answers."""
    if maker == "Fronius":
        for meter in _METERS:
            for base in BASES:
                if await door.read(base, len(MARKER), unit=meter) == MARKER:
                    return {"meter_unit": meter}
    elif maker == "SolarEdge":
        table = find_map(Path(__file__).parent, "solaredge")
        battery = await door.values(table, "battery1_soc", unit=unit)
        if battery["battery1_soc"] is not None:
            return {"solaredge_storage": True}
    return {}
