"""Recognising a SUN2000 on the network: by the model name that every one of them tells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.discover import Found
from bridge.registers import find_map

if TYPE_CHECKING:
    from bridge.discover import Door

PORTS: Final = (502, 6607)
# Through a dongle or RS485; on the inverter's own access point.
_UNITS: Final = (1, 0)
_NAME: Final = "SUN"


async def probe(door: Door) -> Found | None:
    """An inverter whose model name is Huawei's."""
    table = find_map(Path(__file__).parent)
    for unit in _UNITS:
        told = await door.values(table, "model_name", unit=unit)
        model = told["model_name"]
        if not isinstance(model, str) or not model.upper().startswith(_NAME):
            continue
        serial = (await door.values(table, "serial_number", unit=unit))["serial_number"]
        return Found(
            f"Huawei {model}",
            serial if isinstance(serial, str) else None,
            {} if unit == _UNITS[0] else {"unit": unit},
        )
    return None
