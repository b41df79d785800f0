"""What survives a restart, read back: whatever in it is not as it should be is left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.distributor.requests import Value

# More consumers than any house has; one that makes up a new id at each boot must not fill the disk.
_MOST: Final = 1000


def energies(state: Mapping[str, Any]) -> dict[str, float]:
    """KWh by consumer."""
    found: dict[str, float] = {}
    for name, kwh in _mapping(state.get("energy")).items():
        if isinstance(kwh, (int, float)) and math.isfinite(kwh) and kwh > 0:
            keep(found, str(name), float(kwh))
    return found


def overrides(state: Mapping[str, Any]) -> dict[str, dict[str, Value]]:
    """The owner's words by consumer: `IsAutomatic` and `Priority`."""
    found: dict[str, dict[str, Value]] = {}
    for name, words in _mapping(state.get("overrides")).items():
        automatic = _mapping(words).get("IsAutomatic")
        priority = _mapping(words).get("Priority")
        good: dict[str, Value] = {}
        if isinstance(automatic, bool):
            good["IsAutomatic"] = automatic
        if isinstance(priority, (int, float)) and math.isfinite(priority):
            good["Priority"] = float(priority)
        if good:
            found[str(name)] = good
    return found


def keep(counters: dict[str, float], name: str, kwh: float) -> None:
    """Remember a counter; past 1000 of them the one that was put away first goes."""
    counters.pop(name, None)
    counters[name] = kwh
    while len(counters) > _MOST:
        del counters[next(iter(counters))]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
