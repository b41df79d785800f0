"""Asks a simulated Nord Pool through `pynordpool`; prints what it saw of each day as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: nordpool_check.py URL AREA CURRENCY DAY…
"""

# mypy: ignore-errors
# pynordpool is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime

import aiohttp
import pynordpool

URL, AREA, CURRENCY, *DAYS = sys.argv[1:]
pynordpool.API = URL


async def main() -> None:
    seen = {}
    async with aiohttp.ClientSession() as session:
        client = pynordpool.NordPoolClient(session)
        for day in DAYS:
            wanted, currency = datetime.fromisoformat(day), pynordpool.Currency(CURRENCY)
            try:
                found = await client.async_get_delivery_period(wanted, currency, [AREA])
            except pynordpool.NordPoolEmptyResponseError:
                seen[day] = None
                continue
            seen[day] = {
                "currency": found.currency,
                "final": found.prices_final,
                "prices": [
                    [each.start.isoformat(), each.end.isoformat(), each.entry[AREA]]
                    for each in found.entries
                ],
            }
    print(json.dumps(seen))


asyncio.run(main())
