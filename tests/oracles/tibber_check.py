"""Asks a simulated Tibber through `pyTibber`; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: tibber_check.py URL TOKEN
"""

# mypy: ignore-errors
# pyTibber is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
import tibber
from tibber.exceptions import InvalidLoginError

URL, TOKEN = sys.argv[1:]
tibber.API_ENDPOINT = URL


async def main() -> None:
    seen = {}
    async with aiohttp.ClientSession() as session:
        account = tibber.Tibber(access_token=TOKEN, websession=session, user_agent="check")
        await account.update_info()
        seen["name"], seen["homes"] = account.name, account.get_home_ids()
        home = account.get_homes()[0]
        await home.update_info_and_price_info()
        seen["prices"] = home.price_total
        seen["currency"] = home.currency
        seen["nickname"] = home.info["viewer"]["home"]["appNickname"]
        wrong = tibber.Tibber(access_token="wrong", websession=session, user_agent="check")
        try:
            await wrong.update_info()
        except InvalidLoginError as error:
            seen["wrong"] = str(error)
    print(json.dumps(seen))


asyncio.run(main())
