"""What es-ESS's topics mean in ours: pure translation, no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = "es-ESS/SolarOverheadDistributor"
STATUS = "es-ESS/$SYS/Status"
FOREIGN_PATIENCE = 150.0


@dataclass(slots=True)
class Consumer:
    """What one consumer said under the es-ESS tree, and when it last said something live."""

    fields: dict[str, Any] = field(default_factory=dict)
    live_at: float | None = None
    told_at: float = 0.0


class Ledger:
    """Collects fields by consumer and says what has to be handed on.

    Retained fields are kept, but nothing is handed on before the first live message. With
    `request_ttl` 0 a consumer counts as alive for ever, as in es-ESS; else for that many seconds.
    """

    def __init__(self, request_ttl: float, refresh: float) -> None:
        self._ttl = request_ttl
        self._refresh = refresh
        self.consumers: dict[str, Consumer] = {}

    def hear(
        self, consumer: str, name: str, value: Any, now: float, *, retained: bool
    ) -> dict[str, Any] | None:
        """Take one field; the fields to hand on now, or None."""
        entry = self.consumers.setdefault(consumer, Consumer())
        first = entry.live_at is None
        entry.fields[name] = value
        if retained:
            return None
        entry.live_at = entry.told_at = now
        return dict(entry.fields) if first else {name: value}

    def refreshes(self, now: float) -> dict[str, dict[str, Any]]:
        """The consumers that are to be repeated so that their requests stay alive."""
        found: dict[str, dict[str, Any]] = {}
        for consumer, entry in self.consumers.items():
            if entry.live_at is None or now - entry.told_at < self._refresh:
                continue
            if self._ttl and now - entry.live_at >= self._ttl:
                continue
            entry.told_at = now
            found[consumer] = dict(entry.fields)
        return found


class Foreign:
    """Watches whether a real es-ESS is at work on the same tree."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        self._until: float | None = None

    def hear(self, payload: bytes, now: float) -> None:
        """One `LastUpdateTime` that is not ours; it counts when it moves."""
        if payload and payload != self._last:
            self._last = payload
            self._until = now + FOREIGN_PATIENCE

    def alive(self, now: float) -> bool:
        """True while its time has moved within the last 150 s."""
        return self._until is not None and now < self._until


def calculations(site: Mapping[str, Any], grid: Mapping[str, Any] | None) -> dict[str, float]:
    """`Calculations/…` with es-ESS's own signs: feed-in and battery charge are positive. W, %.

    What is unknown is left out: es-ESS has no word for it.
    """
    phases = {f"Grid/L{phase}/Power": (grid or {}).get(f"GridPowerL{phase}") for phase in (1, 2, 3)}
    surplus = site.get("Surplus")
    values = {
        **phases,
        "Grid/TotalFeedIn": _minus(site.get("GridPower")),
        "Battery/Power": _minus(site.get("BatteryPower")),
        "Battery/Soc": site.get("BatterySoc"),
        "Battery/Reservation": site.get("Reservation"),
        "OverheadAvailable": None if surplus is None else max(0.0, surplus),
        "OverheadAssigned": site.get("Assigned"),
        "OverheadRemaining": site.get("Remaining"),
    }
    return {name: value for name, value in values.items() if value is not None}


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def number(value: float) -> bytes:
    """A plain number as es-ESS's readers parse it."""
    return f"{value:.1f}".removesuffix(".0").encode()
