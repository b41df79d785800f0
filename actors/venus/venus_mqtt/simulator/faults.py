"""What a simulated GX can have. Pure: values in, payloads by path out; None = not published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FAULTS: Final = {
    "silence": "says nothing any more: neither values nor heartbeats",
    "mute": "lives, but publishes no values",
    "garbage": "publishes what is no JSON",
    "no_objects": "publishes JSON that is no object with a value",
    "texts": "publishes texts where numbers should be",
    "gone": "the service `system` has vanished",
    "booting": "has just started: all values are null",
    "null_phase": "the grid meter has lost its second phase",
    "no_soc": "the state of charge is unknown",
    "no_grid": "the grid meter has gone",
    "deaf": "writes are accepted and change nothing",
    "dynamic_ess": "Dynamic ESS is active",
}
_SYSTEM: Final = "system/0/"


def payload(value: Any) -> bytes:
    """As a GX writes it."""
    return json.dumps({"value": value}, separators=(",", ":")).encode()


def shown(values: Mapping[str, Any], fault: str | None) -> dict[str, bytes]:
    """What to publish on each path."""
    found = {path: payload(value) for path, value in values.items()}
    if fault == "mute":
        return {}
    if fault in {"garbage", "no_objects", "texts", "gone", "booting"}:
        bad = {
            "garbage": b"\xff{not json",
            "no_objects": b"[1,2]",
            "texts": payload("abc"),
            "gone": b"",
            "booting": payload(None),
        }[fault]
        return {p: bad if p.startswith(_SYSTEM) else each for p, each in found.items()}
    changed: dict[str, Any] = {}
    if fault == "null_phase":
        changed = {"system/0/Ac/Grid/L2/Power": None}
    elif fault == "no_soc":
        changed = {"system/0/Dc/Battery/Soc": None}
    elif fault == "no_grid":
        changed = {f"system/0/Ac/Grid/L{n}/Power": None for n in (1, 2, 3)}
        changed["system/0/Ac/Grid/NumberOfPhases"] = None
    elif fault == "dynamic_ess":
        changed = {"system/0/DynamicEss/Active": 1}
    return found | {path: payload(value) for path, value in changed.items()}
