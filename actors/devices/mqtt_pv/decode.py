"""What was heard of a PV inverter, as quantities. Pure: W, V, A, kWh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PHASES: Final = (1, 2, 3)
_NEARLY_NOTHING: Final = 0.005
# Setting of one phase -> our name of it.
_PER_PHASE: Final = {"power": "PvPowerL", "voltage": "PvVoltageL", "current": "PvCurrentL"}


@dataclass(slots=True)
class Counters:
    """The last good value (kWh) of each energy that was heard."""

    last: dict[str, float]

    def take(self, name: str, value: float | None) -> float | None:
        """The value, or None for a 0 after more: an inverter that has just woken up says that."""
        if value is None:
            return None
        if abs(value) < _NEARLY_NOTHING and self.last.get(name, 0.0) >= _NEARLY_NOTHING:
            return None
        self.last[name] = value
        return value


def reading(found: Mapping[str, float | None], counters: Counters) -> dict[str, float | str | None]:
    """Quantities of what was heard, by setting; a sum is unknown when one part of it is."""
    values: dict[str, float | str | None] = {"PvPower": _total("power", found)}
    for setting, name in _PER_PHASE.items():
        for phase in PHASES:
            if f"{setting}_l{phase}" in found:
                values[f"{name}{phase}"] = found[f"{setting}_l{phase}"]
    energies = {
        name: counters.take(name, value)
        for name, value in found.items()
        if name.startswith("energy")
    }
    if energies:
        values["PvEnergy"] = _total("energy", energies)
    return values


def _total(setting: str, found: Mapping[str, float | None]) -> float | None:
    """The total where it has a topic of its own, else the sum of all phases."""
    if setting in found:
        return found[setting]
    parts = [found[name] for phase in PHASES if (name := f"{setting}_l{phase}") in found]
    known = [each for each in parts if each is not None]
    return sum(known) if parts and len(known) == len(parts) else None
