"""Reads and sets a simulated go-e charger (API v1) with the package goecharger; prints JSON.

usage: goecharger_check.py ADDRESS
"""

# mypy: ignore-errors
# goecharger is in that other environment only.

from __future__ import annotations

import json
import sys
import threading

from goecharger import GoeCharger


def main() -> None:
    charger = GoeCharger(sys.argv[1])
    seen = {"before": charger.requestStatus(), "stopped": charger.setAllowCharging(False)}
    charger.setTmpMaxCurrent(9)
    charger.setAllowCharging(True)
    threading.Event().wait(1.5)
    seen["after"] = charger.requestStatus()
    print(json.dumps(seen))


main()
