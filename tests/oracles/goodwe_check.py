"""Reads and sets a simulated GoodWe inverter through the goodwe package; prints JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: goodwe_check.py udp|tcp HOST PORT ET|DT [EMS_MODE WATTS]
"""

# mypy: ignore-errors
# goodwe is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import goodwe
import goodwe.inverter
from goodwe import EMSMode


def plain(value: Any) -> Any:
    """Something that JSON can carry."""
    return value if isinstance(value, (int, float, str)) or value is None else str(value)


async def look(transport: str, host: str, port: int, family: str, ems: list[str]) -> dict[str, Any]:
    """Who it is, every sensor, every setting, and the EMS mode after setting it."""
    if transport == "udp":
        # The package tells UDP from TCP by the port.
        goodwe.inverter.GOODWE_UDP_PORT = port
    inverter = await goodwe.connect(host, port, family, timeout=1, retries=3)
    seen: dict[str, Any] = {
        "model": inverter.model_name,
        "serial": inverter.serial_number,
        "firmware": inverter.firmware,
        "rated": inverter.rated_power,
        "protocol": type(inverter._protocol).__name__,
    }
    if ems:
        await inverter.set_ems_mode(EMSMode[ems[0]], int(ems[1]))
    if family == "ET":
        seen["ems_mode"] = (await inverter.get_ems_mode()).name
        seen["depth_of_discharge"] = await inverter.get_ongrid_battery_dod()
        seen["export_limit"] = await inverter.get_grid_export_limit()
    seen["sensors"] = {k: plain(v) for k, v in (await inverter.read_runtime_data()).items()}
    found = await inverter.read_settings_data() if family == "ET" else {}
    seen["settings"] = {k: plain(v) for k, v in found.items()}
    return seen


if __name__ == "__main__":
    way, where, number, kind, *rest = sys.argv[1:]
    print(json.dumps(asyncio.run(look(way, where, int(number), kind, rest))))
