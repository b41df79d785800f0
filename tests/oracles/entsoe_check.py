"""Asks a simulated ENTSO-E through `entsoe-py`; prints what it saw as JSON.

Runs in an environment of its own, where nothing of this project can be imported. The client takes
the address of the service from ENTSOE_ENDPOINT_URL, which has to be there before it is imported.
usage: entsoe_check.py URL TOKEN ZONE FIRST LAST   (days, YYYY-MM-DD; the last one inclusive)
"""

# mypy: ignore-errors
# entsoe-py and pandas are in that other environment only.

from __future__ import annotations

import json
import os
import sys

URL, TOKEN, ZONE, FIRST, LAST = sys.argv[1:]
os.environ["ENTSOE_ENDPOINT_URL"] = URL

import pandas as pd  # noqa: E402
import requests  # noqa: E402
from entsoe import EntsoePandasClient  # noqa: E402
from entsoe.exceptions import NoMatchingDataError  # noqa: E402
from entsoe.mappings import Area  # noqa: E402


def main() -> None:
    seen = {"areas": {each.name: each.code for each in Area}}
    client = EntsoePandasClient(api_key=TOKEN, retry_count=1)
    start = pd.Timestamp(FIRST, tz="Europe/Brussels")
    end = pd.Timestamp(LAST, tz="Europe/Brussels") + pd.DateOffset(days=1)
    found = client.query_day_ahead_prices(ZONE, start=start, end=end - pd.Timedelta(minutes=1))
    seen["prices"] = [
        [moment.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"), float(price)]
        for moment, price in found.items()
    ]
    try:
        far = pd.Timestamp("2031-01-05", tz="Europe/Brussels")
        client.query_day_ahead_prices(ZONE, start=far, end=far + pd.Timedelta(hours=23))
    except NoMatchingDataError:
        seen["nothing"] = True
    wrong = EntsoePandasClient(api_key="wrong", retry_count=1)
    try:
        wrong.query_day_ahead_prices(ZONE, start=start, end=end)
    except requests.HTTPError as error:
        seen["wrong"] = error.response.status_code
    print(json.dumps(seen))


main()
