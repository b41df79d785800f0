"""Drives a simulated AlphaESS cloud with alphaessopenapi, the community's client; prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from alphaess import alphaess as library  # type: ignore[import-not-found]

DAY = "2026-11-19"


async def main(url: str, app_id: str, secret: str) -> dict[str, Any]:
    """Read everything, write everything it knows."""
    library.BASEURL = url
    found: dict[str, Any] = {}
    wrong = library.alphaess(app_id, "wrong", raise_on_error=True)
    try:
        await wrong.getESSList()
    except library.AlphaESSApiError as error:
        found["wrong"] = error.code
    await wrong.close()
    cloud = library.alphaess(app_id, secret, raise_on_error=True)
    (system,) = found["systems"] = await cloud.getESSList()
    serial = system["sysSn"]
    found["live"] = await cloud.getLastPowerData(serial)
    found["sums"] = await cloud.getSumDataForCustomer(serial)
    found["day"] = await cloud.getOneDayPowerBySn(serial, DAY)
    found["energy"] = await cloud.getOneDateEnergyBySn(serial, DAY)
    await cloud.updateChargeConfigInfo(serial, 80, 1, "04:00", "00:00", "02:00", "00:00")
    found["charge"] = await cloud.getChargeConfigInfo(serial)
    await cloud.updateDisChargeConfigInfo(serial, 15, 1, "21:00", "00:00", "17:00", "00:00")
    found["discharge"] = await cloud.getDisChargeConfigInfo(serial)
    charge = [{"beginTime": "01:00", "endTime": "02:00", "chargeLimit": 90}]
    discharge = [{"beginTime": "18:00", "endTime": "19:00", "chargeLimit": 20}]
    await cloud.setTimeChargeBySn(serial, 0, charge, discharge, 1, 0)
    found["plan"] = await cloud.getTimeChargeBySn(serial)
    (charger,) = await cloud.getEvChargerConfigList(serial)
    await cloud.setEvChargerCurrentsBySn(serial, 10)
    found["current"] = await cloud.getEvChargerCurrentsBySn(serial)
    await cloud.remoteControlEvCharger(serial, charger["evchargerSn"], 0)
    found["status"] = await cloud.getEvChargerStatusBySn(serial, charger["evchargerSn"])
    await cloud.unBindSn(serial)
    await cloud.getVerificationCode(serial, "CHECK01")
    await cloud.bindSn(serial, "1000")
    try:
        await cloud.bindSn(serial, "1000")
    except library.AlphaESSApiError as error:
        found["again"] = error.code
    await cloud.close()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
