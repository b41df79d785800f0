"""Reads and sets a simulated GX with the package victron-mqtt; prints JSON.

usage: victron_mqtt_check.py PORT
"""

# mypy: ignore-errors
# victron-mqtt is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys

import victron_mqtt


def values(hub: victron_mqtt.Hub) -> dict:
    return {
        metric.unique_id: str(getattr(metric.value, "name", metric.value))
        for device in hub.devices.values()
        for metric in device.metrics
    }


async def main() -> None:
    hub = victron_mqtt.Hub("127.0.0.1", int(sys.argv[1]), None, None, False)
    await hub.connect()
    await hub.wait_for_first_refresh()
    seen = {"id": hub.installation_id, "before": values(hub)}
    for device in hub.devices.values():
        for metric in device.metrics:
            if metric.short_id == "system_ac_power_set_point":
                metric.set(1230)
    await asyncio.sleep(1)
    seen["after"] = values(hub)
    await hub.disconnect()
    print(json.dumps(seen))


asyncio.run(main())
