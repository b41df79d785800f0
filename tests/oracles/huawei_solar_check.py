"""Reads and commands a simulated SUN2000 through huawei-solar; prints one line of JSON.

Runs in an environment of its own, where nothing of this project can be imported.
usage: huawei_solar_check.py HOST PORT UNIT read NAME... | HOST PORT UNIT write NAME=VALUE...
Values are read in their own units; codes of an enum as numbers, times as seconds since 1970.
Writing stops at the first refusal, printed as {"refused": the name of the exception}.
"""

# mypy: ignore-errors
# huawei-solar is in that other environment only.

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import sys
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from huawei_solar.exceptions import HuaweiSolarException
from huawei_solar.huawei_solar import AsyncHuaweiSolar
from huawei_solar.registers import REGISTERS


def plain(value: Any) -> Any:
    """A value that JSON can carry."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if dataclasses.is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


async def main(host: str, port: int, unit: int, action: str, *names: str) -> dict[str, Any]:
    client = await AsyncHuaweiSolar.create(host, port, unit, timeout=5, cooldown_time=0.0)
    try:
        if action == "read":
            # It writes some names with capitals, such as phase_A_voltage.
            known = {name.lower(): name for name in REGISTERS}
            found = {
                name: plain((await client.get(known[name])).value)
                for name in names
                if name in known
            }
            return {"values": found, "strange": sorted(set(names) - set(found))}
        done = {}
        for each in names:
            name, _, value = each.partition("=")
            try:
                done[name] = await client.set(name, int(value))
            except HuaweiSolarException as error:
                return {"done": done, "refused": type(error).__name__}
        return {"done": done}
    finally:
        await client.stop()


logging.disable(logging.CRITICAL)
place, number, unit_id, *rest = sys.argv[1:]
print(json.dumps(asyncio.run(main(place, int(number), int(unit_id), *rest))))
