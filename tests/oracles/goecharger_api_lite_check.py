"""Reads and sets a simulated go-e charger (API v2) with the package goecharger-api-lite.

usage: goecharger_api_lite_check.py ADDRESS
"""

# mypy: ignore-errors
# goecharger_api_lite is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
import threading

from goecharger_api_lite import GoeCharger


async def make() -> GoeCharger:
    return GoeCharger(sys.argv[1])


def main() -> None:
    # The library runs the loop itself whenever it is asked, but aiohttp must be born in it.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    charger = loop.run_until_complete(make())
    settable = charger.SettableValueEnum
    seen = {"before": charger.get_status(charger.STATUS_DEFAULT)}
    charger.set_ampere(9)
    charger.set_phase_mode(settable.PhaseMode.one)
    charger.set_charging_mode(settable.ChargingMode.on)
    threading.Event().wait(1.5)
    seen["after"] = charger.get_status(charger.STATUS_DEFAULT)
    seen["full"] = sorted(charger.get_status(charger.STATUS_FULL))
    print(json.dumps(seen))


main()
