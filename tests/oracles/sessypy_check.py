"""Looks at a simulated Sessy through sessypy; prints what it saw as one line of JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: sessypy_check.py HOST:PORT USERNAME PASSWORD
"""

# mypy: ignore-errors
# sessypy is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from sessypy.const import SessyPowerStrategy
from sessypy.devices import SessyBattery, SessyCTMeter, SessyP1Meter, get_sessy_device


async def battery(device: SessyBattery) -> dict[str, Any]:
    found = {
        "power": await device.get_power_status(),
        "energy": await device.get_energy_status(),
        "settings": await device.get_system_settings(),
        "before": (await device.get_power_strategy())["strategy"],
    }
    await device.set_power_strategy(SessyPowerStrategy.API)
    await device.set_power_setpoint(-1500)
    found["after"] = (await device.get_power_strategy())["strategy"]
    found["lent"] = await device.get_power_status()
    return found


async def look(host: str, username: str, password: str) -> dict[str, Any]:
    device = await get_sessy_device(host, username, password)
    ota = await device.get_ota_status()
    found: dict[str, Any] = {
        "class": type(device).__name__,
        "model": device.model,
        "serial": device.serial_number,
        "firmware": ota["self"]["installed_firmware"]["version"],
    }
    if isinstance(device, SessyBattery):
        found |= await battery(device)
    if isinstance(device, SessyP1Meter):
        found["p1"] = await device.get_p1_details()
        await device.set_grid_target(-100)
        found["target"] = (await device.get_grid_target())["grid_target"]
    if isinstance(device, SessyCTMeter):
        found["ct"] = await device.get_ct_details()
    await device.close()
    return found


async def main(host: str, username: str, password: str) -> None:
    try:
        found = await look(host, username, password)
    except Exception as error:  # noqa: BLE001 - which one it is, is the answer
        print(json.dumps({"failed": type(error).__name__}))
        return
    try:
        await get_sessy_device(host, username, "certainly-wrong")
    except Exception as error:  # noqa: BLE001 - as above
        found["wrong_password"] = type(error).__name__
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
