"""Drives a simulated LG ESS with pyess, the library of the LG ESS community; prints JSON."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from typing import Any

from pyess.aio_ess import ESS, ESSAuthException  # type: ignore[import-not-found]

DAY = dt.datetime(2026, 6, 17)  # noqa: DTZ001 - pyess takes a local day
SPANS = ("day", "week", "month", "year")


async def main(place: str, password: str, expiry: str = "") -> dict[str, Any]:
    """Log in, read everything, write everything it knows."""
    found: dict[str, Any] = {}
    try:
        await ESS.create("sim", "000000000000", place)
    except ESSAuthException as error:
        found["wrong_password"] = str(error)
    ess = await ESS.create("sim", password, place)
    for page in ("home", "common", "batt", "systeminfo", "network"):
        found[page] = await ess.get_state(page)
    found["graphs"] = {
        f"{what} {span}": (await ess.get_graph(what, span, DAY))["loginfo"][-1]
        for what in ("batt", "load", "pv")
        for span in SPANS
    }
    await ess.winter_on()
    await ess.fastcharge_on()
    found["batt_after"] = await ess.get_batt_settings()
    await ess.switch_off()
    found["off"] = (await ess.get_home())["operation"]["status"]
    await ess.switch_on()
    found["on"] = (await ess.get_home())["operation"]["status"]
    if expiry:  # it waits 15 s before it logs in again
        ess.auth_key = "b861765c-0000-11e9-a9be-000000000000"
        found["after_expiry"] = sorted(await ess.get_home())
    await ess.destruct()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
