"""Asks a simulated Open-Meteo through `open-meteo-solar-forecast`; prints its mean powers as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: open_meteo_check.py URL
"""

# mypy: ignore-errors
# open-meteo-solar-forecast is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

from open_meteo_solar_forecast import OpenMeteoSolarForecast


async def main() -> None:
    async with OpenMeteoSolarForecast(
        azimuth=0,
        declination=30,
        dc_kwp=5,
        latitude=50.1,
        longitude=8.7,
        past_days=1,
        forecast_days=3,
        base_url=sys.argv[1],
    ) as client:
        found = await client.estimate()
    # Energies of quarters, in Wh, keyed by their begin.
    print(json.dumps({at.isoformat(): 4 * wh for at, wh in found.wh_period_15m.items()}))


asyncio.run(main())
