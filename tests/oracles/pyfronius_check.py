"""Reads a simulated Fronius Smart Meter through pyfronius; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: pyfronius_check.py HOST PORT UNIT
"""

# mypy: ignore-errors
# pyfronius is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
import pyfronius


def plain(found: dict[str, Any]) -> dict[str, Any]:
    pairs = ((name, each) for name, each in found.items() if isinstance(each, dict))
    return {name: each["value"] for name, each in pairs if "value" in each}


async def look(host: str, port: str, unit: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        inverter = pyfronius.Fronius(session, f"http://{host}:{port}")
        one = await inverter.current_meter_data(unit)
        every = await inverter.current_system_meter_data()
        try:
            await inverter.current_meter_data("77")
            missing = "nothing"
        except pyfronius.FroniusError as error:
            missing = type(error).__name__
    meters = {number: plain(meter) for number, meter in every["meters"].items()}
    return {"one": plain(one), "meters": meters, "missing": missing}


print(json.dumps(asyncio.run(look(*sys.argv[1:]))))
