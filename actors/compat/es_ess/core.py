"""What es-ESS's topics mean in ours: pure translation, no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = "es-ESS/SolarOverheadDistributor"
STATUS = "es-ESS/$SYS/Status"
FOREIGN_PATIENCE = 150.0
LEASE = 30.0
_MOST_CONSUMERS = 1000


@dataclass(slots=True)
class Consumer:
    """What one consumer said under the es-ESS tree, and when it last said something live."""

    fields: dict[str, Any] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    live_at: float | None = None
    told_at: float = 0.0


class Ledger:
    """Collects fields by consumer and says what has to be handed on.

    Retained fields are kept, but nothing is handed on before the first live message; later they
    are older than what was said live and change nothing. With `request_ttl` 0 a consumer counts as
    alive for ever, as in es-ESS; else for that many seconds. Who clears all its fields is gone.
    """

    def __init__(self, request_ttl: float, refresh: float) -> None:
        self._ttl = request_ttl
        self._refresh = refresh
        self.consumers: dict[str, Consumer] = {}

    def hear(
        self, consumer: str, name: str, value: Any, now: float, *, retained: bool
    ) -> dict[str, Any] | None:
        """Take one field (None clears it); the fields to hand on now, or None."""
        entry = self.consumers.get(consumer)
        if entry is None:
            if value is None or len(self.consumers) >= _MOST_CONSUMERS:
                return None
            entry = self.consumers[consumer] = Consumer()
        if retained and name in entry.live:
            return None
        if value is None:
            entry.fields.pop(name, None)
        else:
            entry.fields[name] = value
        if retained:
            return None
        entry.live.add(name)
        first = entry.live_at is None
        entry.live_at = entry.told_at = now
        if not entry.fields:
            del self.consumers[consumer]
        return {name: value, **entry.fields} if first else {name: value}

    def fields(self) -> dict[str, dict[str, Any]]:
        """What each consumer that has spoken live says now."""
        return {
            name: entry.fields
            for name, entry in self.consumers.items()
            if entry.live_at is not None
        }

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


class Leases:
    """Allowances handed on to consumers that know of no lease: here they have one all the same."""

    def __init__(self) -> None:
        self._given: dict[str, float] = {}

    def give(self, consumer: str, allowance: float, now: float) -> None:
        """An allowance (W) goes out; above 0 it holds for 30 s unless it is repeated."""
        if allowance > 0:
            self._given[consumer] = now + LEASE
        else:
            self._given.pop(consumer, None)

    def holds(self, consumer: str) -> bool:
        """Whether it was told more than 0 last."""
        return consumer in self._given

    def lapsed(self, now: float) -> list[str]:
        """Who must be told 0 because nothing was repeated; each once."""
        return self._take([name for name, until in self._given.items() if until <= now])

    def all(self) -> list[str]:
        """Everybody who holds something; each must be told 0, once."""
        return self._take(list(self._given))

    def _take(self, names: list[str]) -> list[str]:
        for name in names:
            del self._given[name]
        return names


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
    surplus, assigned = site.get("Surplus"), site.get("Assigned")
    # There is no overhead below 0 there: what remains is negative only where more is assigned.
    available = None if surplus is None else max(0.0, surplus)
    remaining = None if available is None or assigned is None else available - assigned
    values = {
        **phases,
        "Grid/TotalFeedIn": _minus(site.get("GridPower")),
        "Battery/Power": _minus(site.get("BatteryPower")),
        "Battery/Soc": site.get("BatterySoc"),
        "Battery/Reservation": site.get("Reservation"),
        "OverheadAvailable": available,
        "OverheadAssigned": assigned,
        "OverheadRemaining": remaining,
    }
    return {name: value for name, value in values.items() if value is not None}


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def number(value: float) -> bytes:
    """A plain number as es-ESS's readers parse it."""
    return f"{value:.1f}".removesuffix(".0").encode()
