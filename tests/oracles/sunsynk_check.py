"""Looks at a simulated Deye through sunsynk; prints what it saw as one line of JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: sunsynk_check.py HOST PORT PROFILE SENSORS WRITES [SERIAL]
SENSORS is a JSON list of sensor ids, WRITES a JSON object of sensor id to value. With SERIAL the
inverter is behind a Solarman stick.
"""

# mypy: ignore-errors
# sunsynk is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from sunsynk.definitions import import_defs
from sunsynk.solarman import SolarmanUnit
from sunsynk.state import InverterState
from sunsynk.sunsynk import Sunsynk


async def look(
    host: str, port: str, profile: str, names: list[str], writes: dict[str, Any], serial: str | None
) -> dict[str, Any]:
    """Read every sensor, write some, and read them again."""
    known = import_defs(profile).all
    sensors = [known[name] for name in names]
    if serial is None:
        client = Sunsynk.from_url(f"tcp://{host}:{port}")
    else:
        stick = SolarmanUnit(port=f"solarman-tcp://{host}:{port}", dongle_serial_number=int(serial))
        client = Sunsynk(unit=stick)
    client.state = InverterState()
    client.state.track(*sensors)
    await client.connect()
    await client.read_sensors(list(client.state.values))
    seen = {"values": {sensor.id: client.state[sensor] for sensor in sensors}}
    for name, value in writes.items():
        await client.write_sensor(known[name], value)
    await client.read_sensors(list(client.state.values))
    seen["written"] = {name: client.state[known[name]] for name in writes}
    await (client.connection or client.unit).disconnect()
    return seen


def main() -> None:
    host, port, profile, names, writes, *rest = sys.argv[1:]
    serial = rest[0] if rest else None
    print(
        json.dumps(
            asyncio.run(look(host, port, profile, json.loads(names), json.loads(writes), serial))
        )
    )


main()
