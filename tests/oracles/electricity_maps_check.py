"""Asks a simulated Electricity Maps through `aioelectricitymaps`; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: electricity_maps_check.py URL TOKEN ZONE
"""

# mypy: ignore-errors
# aioelectricitymaps is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

from aioelectricitymaps import (
    ElectricityMaps,
    ElectricityMapsError,
    ZoneRequest,
    electricitymaps,
)

URL, TOKEN, ZONE = sys.argv[1:]
electricitymaps.ApiEndpoints.CARBON_INTENSITY_HA = f"{URL}/v3/home-assistant"


async def ask(token: str) -> dict:
    async with ElectricityMaps(token=token) as service:
        try:
            found = await service.carbon_intensity_for_home_assistant(ZoneRequest(ZONE))
        except ElectricityMapsError as error:
            return {"error": type(error).__name__}
    return {
        "zone": found.country_code,
        "intensity": found.data.carbon_intensity,
        "unit": found.units.carbon_intensity,
    }


async def main() -> None:
    print(json.dumps({"right": await ask(TOKEN), "wrong": await ask("another")}))


asyncio.run(main())
