"""Scans a SunSpec device with pysunspec2 and prints what it says, as JSON on the last line.

Arguments: host, port, Modbus unit id, and for a limit of the power: the percentage to write.
"""

# mypy: ignore-errors
# pysunspec2 is in that other environment only.

from __future__ import annotations

import json
import sys
from typing import Any

from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP


def points(group: Any) -> dict[str, Any]:
    """The values of a group and, by their numbers, of the groups in it."""
    found = {name: point.cvalue for name, point in group.points.items()}
    for name, inner in group.groups.items():
        several = inner if isinstance(inner, list) else [inner]
        found[name] = [points(each) for each in several]
    return found


def main() -> None:
    host, port, unit, *limit = sys.argv[1:]
    device = SunSpecModbusClientDeviceTCP(int(unit), ipaddr=host, ipport=int(port), timeout=5)
    device.scan()
    if limit:
        controls = device.models[123][0]
        controls.read()
        controls.WMaxLimPct.cvalue = float(limit[0])
        controls.WMaxLim_Ena.value = 1
        controls.write()
    chain = [
        {"model": model.model_id, "address": model.model_addr, "points": points(model)}
        for model in device.model_list
    ]
    device.close()
    print(json.dumps({"base": device.base_addr, "models": chain}, default=str))


if __name__ == "__main__":
    main()
