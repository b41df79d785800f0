"""Reads and sets a simulated Wattpilot with the PyPI package wattpilot-api; prints JSON.

usage: wattpilot_api_check.py ADDRESS PASSWORD
"""

# mypy: ignore-errors
# wattpilot-api is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

from wattpilot_api import Wattpilot
from wattpilot_api.exceptions import AuthenticationError, CommandError
from wattpilot_api.models import LoadMode


def look(charger: Wattpilot) -> dict:
    return {
        "serial": charger.serial,
        "device_type": charger.device_type,
        "version": charger.version,
        "mode": charger.mode,
        "amp": charger.amp,
        "amx": charger.dynamic_current,
        "car": charger.car_connected,
        "allowed": charger.allow_charging,
        "voltage1": charger.voltage1,
        "power": charger.power,
        "amps2": charger.amps2,
        "frequency": charger.frequency,
        "total": charger.energy_counter_total,
        "error": charger.error_state,
        "keys": sorted(charger.all_properties),
    }


async def work(address: str, password: str) -> dict:
    charger = Wattpilot(address, password, auto_reconnect=False, connect_timeout=10)
    try:
        await charger.connect()
    except AuthenticationError:
        return {"connected": False}
    seen = {"connected": charger.connected, "before": look(charger)}
    await charger.set_property("psm", 1)
    await charger.set_current(9)
    if seen["before"]["amx"] is not None:
        await charger.set_dynamic_current(8)
    await charger.set_mode(LoadMode.DEFAULT)
    await charger.set_property("frc", 2)
    try:
        await charger.set_property("frc", 9)
    except CommandError as error:
        seen["refused"] = str(error)
    async with asyncio.timeout(15):
        while not charger.power or charger.amps2:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.02)
    seen["after"] = look(charger)
    await charger.disconnect()
    return seen


def main() -> None:
    address, password = sys.argv[1:]
    print(json.dumps(asyncio.run(work(address, password))))


main()
