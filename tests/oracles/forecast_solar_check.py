"""Asks a simulated Forecast.Solar through `forecast-solar`; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: forecast_solar_check.py URL
"""

# mypy: ignore-errors
# forecast-solar is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

from forecast_solar import ForecastSolar
from yarl import URL


async def main() -> None:
    panels = {"latitude": 50.1, "longitude": 8.7, "declination": 30, "azimuth": 0, "kwp": 5}
    async with ForecastSolar(**panels) as client:
        client._base_url = URL(sys.argv[1])
        assert await client.validate_plane()
        found = await client.estimate()
        limit = client.ratelimit
        seen = {
            "period": {stamp.isoformat(): wh for stamp, wh in found.wh_period.items()},
            "days": {str(day): wh for day, wh in found.wh_days.items()},
            "limit": [limit.call_limit, limit.period],
        }
    async with ForecastSolar(**panels, api_key="wrong") as client:
        client._base_url = URL(sys.argv[1])
        try:
            await client.estimate()
        except Exception as error:  # noqa: BLE001 - its name is the answer
            seen["wrong"] = type(error).__name__
    print(json.dumps(seen))


asyncio.run(main())
