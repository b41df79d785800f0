"""Recognising a GoodWe inverter on the network: by its serial number, or by its dongle's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.discover import Found
from bridge.registers import find_map

if TYPE_CHECKING:
    from bridge.discover import Answer, Door

PORTS: Final = (502,)
_DONGLE = "Solar-WiFi"
# Such as 9010KETU228W0001: year or line, kW, a tag of three letters for the model, and a number.
_SERIAL = re.compile(r"[0-9]{4}[0-9K][A-Z0-9]{3}[0-9A-Z]{8}")


async def probe(door: Door) -> Found | None:
    """An inverter that answers Modbus TCP at its usual unit id with a serial number of GoodWe's."""
    for family in ("et", "dt"):
        told = await door.values(
            find_map(Path(__file__).parent, family), "serial_number", "model_name"
        )
        serial, model = told["serial_number"], told["model_name"]
        if not isinstance(serial, str) or not _SERIAL.fullmatch(serial):
            continue
        settings: dict[str, str | int | float] = {"transport": "modbus"}
        if family == "dt":
            settings["family"] = "dt"
        return Found(f"GoodWe {model or family.upper()}", serial, settings)
    return None


def stick(answer: Answer) -> Found | None:
    """A dongle of GoodWe's, which calls itself by the name of its own wireless network."""
    return Found(f"GoodWe dongle {answer.serial}") if answer.serial.startswith(_DONGLE) else None
