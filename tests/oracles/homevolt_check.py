"""Reads and controls a simulated Homevolt through `homevolt`; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: homevolt_check.py URL [PASSWORD]
"""

# mypy: ignore-errors
# homevolt is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from homevolt import Homevolt
from homevolt.const import CONTROLLABLE_SCHEDULE_TYPE
from homevolt.exceptions import HomevoltAuthenticationError


def values(device: Homevolt) -> dict[str, object]:
    """Every sensor by its name."""
    return {name: sensor.value for name, sensor in device.sensors.items()}


async def look(url: str, password: str | None) -> dict[str, object]:
    """Read, take over, go through the modes, set a power, and let go."""
    seen: dict[str, object] = {}
    async with aiohttp.ClientSession() as session:
        device = Homevolt(url, password, session)
        await device.update_info()
        seen["first"] = values(device)
        local = [device.local_mode_enabled]
        await device.enable_local_mode()
        local.append(device.local_mode_enabled)
        modes = {}
        for name in CONTROLLABLE_SCHEDULE_TYPE.values():
            await device.set_battery_mode(name)
            modes[name] = values(device)["Schedule Type"]
        seen["modes"] = modes
        await device.set_battery_mode("inverter_charge")
        await device.set_battery_parameters(setpoint=2500)
        await device.update_info()
        seen["power"] = values(device)["Power"]
        await device.disable_local_mode()
        local.append(device.local_mode_enabled)
        seen["local"] = local
        if password is not None:
            try:
                await Homevolt(url, password + "x", session).update_info()
            except HomevoltAuthenticationError:
                seen["wrong_password"] = "refused"
    return seen


def main() -> None:
    arguments = [*sys.argv[1:], None]
    print(json.dumps(asyncio.run(look(arguments[0], arguments[1]))))


main()
