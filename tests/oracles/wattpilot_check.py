"""Reads and sets a simulated Wattpilot with the PyPI package wattpilot; prints JSON of what it saw.

usage: wattpilot_check.py ADDRESS PASSWORD
"""

# mypy: ignore-errors
# wattpilot is in that other environment only.

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from wattpilot import Wattpilot

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 15.0


def wait(until: Callable[[], object]) -> bool:
    """Look again and again; the library works in a thread of its own."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if until():
            return True
        threading.Event().wait(0.02)
    return False


def look(charger: Wattpilot) -> dict:
    return {
        "serial": charger.serial,
        "devicetype": charger.devicetype,
        "version": charger.version,
        "secured": charger.secured,
        "mode": charger.mode,
        "amp": charger.amp,
        "car": charger.carConnected,
        "allowed": charger.AllowCharging,
        "voltage1": charger.voltage1,
        "power": charger.power,
        "power3": charger.power3,
        "amps2": charger.amps2,
        "frequency": charger.frequency,
        "total": charger.energyCounterTotal,
        "phases": charger.phases,
        "access": charger.AccessState,
        "keys": sorted(charger.allProps),
    }


def main() -> None:
    address, password = sys.argv[1:]
    charger = Wattpilot(address, password)
    answers, seen = [], {}

    def heard(_: object, __: object, message: Any, text: str) -> None:
        if message.type in {"authError", "response"}:
            answers.append(json.loads(text))

    charger.register_message_callback(heard)
    charger.connect()
    wait(lambda: charger.allPropsInitialized or answers)
    seen["connected"] = charger.connected
    if charger.connected:
        seen["before"] = look(charger)
        charger.set_power(9)
        charger.set_mode(3)
        charger.send_update("psm", 1)
        charger.send_update("frc", 2)
        charger.send_update("nope", 1)
        wait(lambda: len(answers) == 5)
        wait(lambda: (charger.power or 0) > 1.5)
        seen["after"] = look(charger)
    seen["answers"] = answers
    print(json.dumps(seen))


main()
