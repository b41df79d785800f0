"""What goes out: allowances as leases, grants, reasons, counters, the site's figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.clock import stamp_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.distributor.core import Decision, SiteValues, Verdict
    from bridge.actor import Actor

TTL = 30
REPEAT = 10.0
_ENERGY_EVERY = 30.0
_SITE_EVERY = 30.0
# With these codes an allowance above 0 is one that a former run left behind.
_LEFT_BEHIND = frozenset({"not_live", "meter"})


@dataclass(slots=True)
class _Shown:
    """What one consumer was told last."""

    allowance: float
    code: str
    automatic: bool
    priority: float
    request: float
    consumption: float
    reason: str
    due: float
    seq: int = 0
    energy: float = -1.0
    energy_at: float = 0.0


def _rounded(**values: float | None) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 1) for name, value in values.items()}


def _new() -> _Shown:
    return _Shown(0.0, "", False, 0.0, 0.0, 0.0, "", 0.0)


class Outlet:
    """Publishes decisions: what changed at once, lowered allowances first, the rest each 10 s."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._shown: dict[str, _Shown] = {}
        self._site: dict[str, tuple[float | None, float]] = {}
        self._state: SiteValues | None = None

    def forget_shown(self) -> None:
        """After a reconnect nothing is known to stand on the broker."""
        for shown in self._shown.values():
            shown.due = 0.0
            shown.energy = -1.0
            shown.reason = ""
        self._site.clear()
        self._state = None

    async def publish(self, decision: Decision, energies: Mapping[str, float]) -> None:
        """Publish what is new in `decision`, and what is due to be repeated."""
        now = self._actor.clock.now()
        due: list[tuple[str, Verdict]] = []
        for consumer, verdict in decision.allowances.items():
            if verdict.allowance > 0 and verdict.code in _LEFT_BEHIND:
                await self._let_stand(consumer, verdict)
            elif self._is_due(consumer, verdict, now):
                due.append((consumer, verdict))
        due.sort(key=lambda item: item[1].allowance > self._allowance(item[0]))
        # The plain allowances of all go first: what people read can wait for what devices obey.
        for consumer, verdict in due:
            await self._tell_allowance(consumer, verdict, now)
        for consumer, verdict in due:
            await self._explain(consumer, verdict)
        for consumer in decision.allowances:
            await self._tell_energy(consumer, energies.get(consumer, 0.0), now)
        await self._tell_site(decision.site, now)

    def _allowance(self, consumer: str) -> float:
        shown = self._shown.get(consumer)
        return shown.allowance if shown else 0.0

    def _is_due(self, consumer: str, verdict: Verdict, now: float) -> bool:
        shown = self._shown.get(consumer)
        return (
            shown is None
            or now >= shown.due
            or (
                shown.allowance != verdict.allowance
                or shown.code != verdict.code
                or shown.automatic != verdict.is_automatic
                or shown.priority != verdict.priority
                or shown.request != verdict.request
            )
        )

    async def _let_stand(self, consumer: str, verdict: Verdict) -> None:
        """What a former run left runs out by itself: to renew it would switch on, unproven.

        It is remembered, so that a stop takes it back.
        """
        shown = self._shown.setdefault(consumer, _new())
        shown.allowance, shown.code = verdict.allowance, verdict.code
        await self._give_reason(consumer, shown, verdict.reason)

    async def _tell_allowance(self, consumer: str, verdict: Verdict, now: float) -> None:
        shown = self._shown.setdefault(consumer, _new())
        shown.seq += 1
        shown.due = now + REPEAT
        shown.allowance, shown.code = verdict.allowance, verdict.code
        shown.automatic, shown.priority = verdict.is_automatic, verdict.priority
        shown.request, shown.consumption = verdict.request, verdict.consumption
        await self._actor.publish(
            "Requests/{consumer}/Allowance", verdict.allowance, consumer=consumer
        )

    async def _explain(self, consumer: str, verdict: Verdict) -> None:
        shown = self._shown[consumer]
        grant = self._grant(shown, verdict.reason)
        await self._actor.publish("Requests/{consumer}/Grant", grant, consumer=consumer)
        await self._give_reason(consumer, shown, verdict.reason)

    async def _give_reason(self, consumer: str, shown: _Shown, reason: str) -> None:
        if shown.reason != reason:
            shown.reason = reason
            await self._actor.publish("Requests/{consumer}/Reason", reason, consumer=consumer)

    def _grant(self, shown: _Shown, reason: str) -> dict[str, Any]:
        return {
            "allowance": shown.allowance,
            "ttl": TTL,
            "seq": shown.seq,
            "at": stamp_ms(self._actor.clock.utc()),
            "reason": reason,
            "automatic": shown.automatic,
            "priority": shown.priority,
            "request": round(shown.request, 1),
            "consumption": round(shown.consumption, 1),
        }

    async def _tell_energy(self, consumer: str, energy: float, now: float) -> None:
        shown = self._shown.get(consumer)
        if shown is None or (shown.energy >= 0 and now - shown.energy_at < _ENERGY_EVERY):
            return
        energy = round(energy, 3)
        shown.energy_at = now
        if energy != shown.energy:
            shown.energy = energy
            await self._actor.publish("Requests/{consumer}/Energy", energy, consumer=consumer)

    async def _tell_site(self, site: SiteValues, now: float) -> None:
        oldest = min((at for _, at in self._site.values()), default=-math.inf)
        if site == self._state and now - oldest < _SITE_EVERY:
            return
        self._state = site
        # The site's own actor publishes what is measured; plain, only what is decided here is ours.
        measured = _rounded(
            GridPower=site.grid,
            PvPower=site.pv,
            BatteryPower=site.battery,
            BatterySoc=site.soc,
            LoadPower=site.load,
        )
        decided = _rounded(
            ControlledPower=site.controlled,
            Surplus=site.surplus,
            Reservation=site.reservation,
            Available=site.available,
            Assigned=site.assigned,
            Remaining=site.remaining,
        )
        for name, value in decided.items():
            last = self._site.get(name)
            if last is None or last[0] != value or now - last[1] >= _SITE_EVERY:
                await self._actor.publish("Site/{Value}", value, Value=name)
                self._site[name] = (value, now)
        at = stamp_ms(self._actor.clock.utc())
        await self._actor.publish("Site/State", {"at": at, **measured, **decided})

    async def remove(self, consumer: str) -> None:
        """Clear everything a consumer that is gone had from us; who still draws is told 0 first."""
        shown = self._shown.pop(consumer, None)
        if shown is not None and shown.allowance > 0:
            await self._actor.publish("Requests/{consumer}/Allowance", 0.0, consumer=consumer)
        for name in ("Allowance", "Grant", "Reason", "Energy", "Error"):
            await self._actor.publish(f"Requests/{{consumer}}/{name}", None, consumer=consumer)

    async def stop(self, reason: str) -> None:
        """Every allowance 0, now."""
        publish = self._actor.publish
        for consumer, shown in self._shown.items():
            shown.seq += 1
            shown.allowance = 0.0
            await publish("Requests/{consumer}/Allowance", 0.0, consumer=consumer)
        for consumer, shown in self._shown.items():
            grant = self._grant(shown, reason)
            await publish("Requests/{consumer}/Grant", grant, consumer=consumer)
            await publish("Requests/{consumer}/Reason", reason, consumer=consumer)
