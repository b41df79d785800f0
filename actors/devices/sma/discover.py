"""Recognising an SMA inverter on the network: by its device class, on the unit id that it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from actors.devices.sma import identify
from bridge.discover import Found
from bridge.registers import find_map

if TYPE_CHECKING:
    from bridge.discover import Door

PORTS: Final = (502,)
_NAMES: Final = {
    "solar_inverter": "PV inverter",
    "battery_inverter": "battery inverter",
    "hybrid_inverter": "hybrid inverter",
}


async def probe(door: Door) -> Found | None:
    """An inverter that tells SMA's class; 3 is the usual unit id, another stands on unit 1."""
    maps = {name: find_map(Path(__file__).parent, name) for name in identify.FAMILIES}
    unit = identify.FIRST_UNIT
    words = await door.read(identify.CLASS, 4, unit=unit)
    if words is None:
        told = await door.read(identify.UNIT_TABLE, 4, unit=1)
        moved = None if told is None else identify.unit_of(told)
        if moved is None or moved == unit:
            return None
        unit, words = moved, await door.read(identify.CLASS, 4, unit=moved)
    if words is None:
        return None
    device_class, device_type = identify.code(words[:2]), identify.code(words[2:])
    name = _NAMES.get(maps[identify.STP]["device_class"].enum.get(device_class or 0, ""))
    if name is None:
        return None
    family = identify.by_code(device_class, device_type, maps)
    if family is not None and device_type is not None:
        name = maps[family]["device_type"].enum.get(device_type, name)
    told_serial = await door.values(maps[identify.STP], "serial_number", unit=unit)
    serial = told_serial["serial_number"]
    return Found(
        f"SMA {name}",
        None if serial is None else f"{serial:.0f}",
        {} if unit == identify.FIRST_UNIT else {"unit": unit},
    )
