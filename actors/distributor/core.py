"""The distributor's decisions: pure, without clock, I/O or waiting.

Everything comes in by calls that carry `now` (monotonic seconds), everything goes out by `decide`.
Call `decide` after each input and at the `wake` of the last decision. Powers are W at this border;
inside they are whole microwatts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.distributor import memory, reasons
from actors.distributor.allocate import MICRO
from actors.distributor.balance import Balance, Meter, Reservation, SiteValues, site_values
from actors.distributor.requests import (
    GATHER,
    NO_RULE,
    PASSING,
    Consumer,
    ConsumerRule,
    terms,
)
from actors.distributor.settings import CoreSettings
from actors.distributor.sharing import Outcome, Round, deadline
from actors.distributor.value import Planner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.distributor.reasons import Reason
    from actors.distributor.requests import Rule, Terms, Value
    from actors.distributor.settings import SettingsLike

__all__ = [
    "Balance",
    "ConsumerRule",
    "CoreSettings",
    "Decision",
    "Distributor",
    "SiteValues",
    "Verdict",
]

LEASE: Final = 30.0


class Verdict(msgspec.Struct, frozen=True):
    """What one consumer may draw (W) and why, and what it says of itself (W), as it counts here.

    `changed`: allowance or code differ from before.
    """

    allowance: float
    reason: str
    code: str
    is_automatic: bool
    priority: float
    request: float
    consumption: float
    changed: bool


class Decision(msgspec.Struct, frozen=True):
    """One decision. `gone` are consumers whose outputs are to be removed; they are forgotten.

    `wake` is the monotonic time at which time alone may change something; None = never.
    """

    allowances: dict[str, Verdict] = {}
    site: SiteValues = SiteValues()
    wake: float | None = None
    gone: list[str] = []


class Distributor:
    """Shares the surplus. `meter_max_age`: s until a balance is too old to give anything.

    `reaction`: s after a raise during which a draw that the consumer has not reported yet may
    explain what the meter shows (0 = the meter is followed at once).
    """

    def __init__(
        self,
        settings: SettingsLike,
        owner: Mapping[str, Rule] | None = None,
        *,
        meter_max_age: float = 8.0,
        reaction: float = 0.0,
    ) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._overrides: dict[str, dict[str, Value]] = {}
        self._energy: dict[str, float] = {}
        self._meter = Meter(meter_max_age)
        self._reaction = reaction
        self._paused = False
        self._stopped = False
        self._held: tuple[str, float] | None = None
        self._planner = Planner(settings)
        self.configure(settings, owner or {})

    # ---------------------------------------------------------------- what comes in

    def configure(self, settings: SettingsLike, owner: Mapping[str, Rule]) -> None:
        """Set or change the owner's settings and rules. A bad reservation withholds power."""
        self._settings = settings
        self._owner = owner
        self._reservation = Reservation(settings.reservation)
        self._planner.settings = settings
        for consumer in self._consumers.values():
            self._renew(consumer)

    def request(
        self,
        name: str,
        fields: Mapping[str, Value],
        now: float,
        *,
        retained: bool = False,
    ) -> None:
        """Decoded fields of a consumer; None resets one. Retained values wait for a live one."""
        if not fields:
            return
        consumer = self._consumer(name, now)
        consumer.draw.integrate(now, consumer.allowance)
        consumer.take(fields, now, retained=retained)
        if not PASSING.issuperset(fields):
            self._renew(consumer)
        self._count(consumer, now)

    def override(self, name: str, field: str, value: Value) -> None:
        """The owner's word about `IsAutomatic` or `Priority`; None takes it back."""
        words = self._overrides.setdefault(name, {})
        if value is None:
            words.pop(field, None)
        else:
            words[field] = value
        if not words:
            del self._overrides[name]
        if name in self._consumers:
            self._renew(self._consumers[name])

    def inherit(self, name: str, allowance: float, now: float) -> None:
        """An allowance (W) that a former run left: stands until all have spoken, 30 s at most."""
        if not (math.isfinite(allowance) and allowance > 0) or self._stopped:
            return
        known = self._consumers.get(name)
        if known is not None and (known.spoken_at is not None or known.inherited_until is not None):
            return
        consumer = self._consumer(name, now)
        consumer.inherited_until = now + LEASE
        consumer.draw.follow(now, 0)
        consumer.give(round(min(allowance, 1e9) * MICRO), now)
        self._count(consumer, now)

    def expect(self, name: str, age: float, now: float) -> None:
        """One of a former run, silent for `age` s: it is told why, or goes after its day."""
        if name not in self._consumers and not self._stopped:
            self._consumer(name, now - age)

    def silence(self, name: str, now: float) -> float:
        """S since a consumer was heard; 0 for an unknown one."""
        known = self._consumers.get(name)
        return 0.0 if known is None else max(0.0, now - known.heard_at)

    def balance(self, balance: Balance, now: float) -> None:
        """One coherent live measurement of the house, taken at `now`."""
        self._meter.take(balance, now)

    def prices(self, imported: float | None, exported: float | None) -> None:
        """What a kWh costs and brings now; None = as the settings say."""
        self._planner.tariff = (imported, exported)

    def pause(self, on: bool) -> None:
        """The owner's pause: every allowance 0 while it lasts."""
        self._paused = on

    @property
    def paused(self) -> bool:
        """Whether the owner has paused the sharing."""
        return self._paused

    def hold(self, reason: str | None, now: float) -> None:
        """Another distributor is at work (a lease of 30 s); None ends it."""
        self._held = (reason, now + LEASE) if reason else None

    def stop(self) -> None:
        """From now on every allowance is 0: the distributor is stopping."""
        self._stopped = True

    def forget(self, name: str) -> None:
        """Drop a consumer. Its counter and the owner's override stay."""
        consumer = self._consumers.pop(name, None)
        if consumer is not None and consumer.draw.kwh > 0:
            self._energy[name] = consumer.draw.kwh

    # ---------------------------------------------------------------- what goes out

    def decide(self, now: float) -> Decision:
        """What everybody may draw from now on, and why."""
        ttl = self._settings.request_ttl
        gone = [name for name, one in self._consumers.items() if one.is_gone(now, ttl)]
        for name in gone:
            self.forget(name)
        for consumer in self._consumers.values():
            consumer.draw.integrate(now, consumer.allowance)
            consumer.count(now, ttl)
        silent = self._meter.silent(now)
        known = SiteValues() if silent else self._meter.values
        reservation, problem = self._reservation.compute(known.soc)
        complaint = self._meter.complaint(now)
        controlled = self._counted(now)
        surplus = None if complaint else self._meter.surplus(controlled)
        outcome = self._share(now, complaint, reservation, problem)
        verdicts = {
            name: self._apply(consumer, outcome, now)
            for name, consumer in self._consumers.items()
            if name in outcome.reasons
        }
        site = self._site(known, controlled, surplus, reservation)
        return Decision(verdicts, site, self._wake(now), gone)

    def energies(self) -> dict[str, float]:
        """Energy drawn under allowances, kWh, of everybody who ever drew any."""
        return self._energy | {name: one.draw.kwh for name, one in self._consumers.items()}

    def export(self) -> dict[str, Any]:
        """What has to survive a restart, as plain JSON values."""
        energy = {name: kwh for name, kwh in self.energies().items() if kwh > 0}
        overrides = {name: dict(words) for name, words in self._overrides.items()}
        return {"energy": energy, "overrides": overrides, "paused": self._paused}

    def restore(self, state: Mapping[str, Any], now: float) -> None:
        """Take back an `export`. Whatever in it is not as it should be is left out."""
        del now  # nothing of a former run has an age in this run's time
        for name, kwh in memory.energies(state).items():
            self._energy[name] = kwh
            if name in self._consumers:
                self._consumers[name].draw.kwh += kwh
        for name, words in memory.overrides(state).items():
            for field_name, value in words.items():
                self.override(name, field_name, value)
        if isinstance(state.get("paused"), bool):
            self._paused = state["paused"]

    # ---------------------------------------------------------------- inside

    def _consumer(self, name: str, now: float) -> Consumer:
        consumer = self._consumers.get(name)
        if consumer is None:
            consumer = Consumer(
                name, self._terms(name, {}), heard_at=now, gathering_until=now + GATHER
            )
            consumer.draw.kwh = self._energy.get(name, 0.0)
            self._consumers[name] = consumer
        return consumer

    def _terms(self, name: str, fields: Mapping[str, Value]) -> Terms:
        return terms(name, fields, self._owner.get(name, NO_RULE), self._overrides.get(name, {}))

    def _renew(self, consumer: Consumer) -> None:
        consumer.terms = self._terms(consumer.id, consumer.fields)

    def _count(self, consumer: Consumer, now: float) -> None:
        consumer.count(now, self._settings.request_ttl)

    def _counted(self, now: float) -> int:
        """The consumption that is ours to control, by the latest reports."""
        return sum([one.draw.value for one in self._consumers.values() if one.draws(now)])

    def _span(self, now: float, response: float = 0.0) -> tuple[int, int]:
        """The least and the most of it that the meter's last measurement may have seen.

        Within `response` s of a change a consumer may draw its allowance without having said so.
        """
        settle = self._settings.tuning.settle if response else 0.0
        since = self._meter.at - max(settle, self._settings.settle)
        low = high = 0
        for consumer in self._consumers.values():
            if not consumer.draws(now):
                continue
            draw = consumer.draw
            least, most = draw.span(since)
            if draw.doubted_until is not None:
                least = min(least, draw.proven(now, self._meter.base))
            if now < consumer.raised_at + self._reaction:
                most = max(most, draw.expected)
            if now < consumer.changed_at + response:
                least, most = min(least, consumer.allowance), max(most, consumer.allowance)
            low += least
            high += most
        return low, high

    def _share(
        self, now: float, complaint: Reason | None, reservation: int | None, problem: str | None
    ) -> Outcome:
        outcome = Outcome()
        parts: list[Consumer] = []
        bar = self._bar_for_all(now)
        kept = 0
        for consumer in self._consumers.values():
            why = bar or self._bar(consumer, now, complaint, problem)
            if consumer.inherited_until is not None:
                if bar is None and self._inherits(consumer, now, complaint):
                    kept += consumer.allowance
                    waits = complaint or reasons.waiting_for_live(consumer.id)
                    outcome.put(consumer, consumer.allowance, waits)
                    continue
                consumer.inherited_until = None
            if consumer.shown is None and consumer.gathering(now):
                continue
            if why is not None:
                consumer.wanted_since = None
                outcome.put(consumer, 0, why)
            else:
                parts.append(consumer)
        if self._settings.strategy == "value":
            low, high = self._span(now, self._settings.tuning.response)
            sky = self._planner.look(self._meter, (low - kept, high - kept), reservation, now)
            self._planner.run(parts, None if complaint else sky, outcome)
            return outcome
        low, high = self._span(now)
        Round(
            now,
            self._meter.surplus(low) - kept,
            self._meter.surplus(high) - kept,
            reservation or 0,
            self._settings.interval,
        ).run(parts, outcome)
        return outcome

    def _bar_for_all(self, now: float) -> Reason | None:
        if self._stopped:
            return reasons.STOPPING
        if self._paused:
            return reasons.PAUSED
        if self._held is not None and now < self._held[1]:
            return reasons.held(self._held[0])
        return None

    def _bar(
        self, consumer: Consumer, now: float, complaint: Reason | None, problem: str | None
    ) -> Reason | None:
        """Why it cannot take part now; None when it can."""
        why = consumer.bar(now, self._settings.request_ttl) or complaint
        if why is None and problem is not None and not consumer.terms.demand.ignores:
            return reasons.no_reservation(problem)
        return why

    def _inherits(self, consumer: Consumer, now: float, complaint: Reason | None) -> bool:
        """Whether the allowance of a former run still stands."""
        until = consumer.inherited_until
        if until is None or now >= until or consumer.says_manual():
            return False
        if complaint is not None:
            # Once the meter has spoken, its silence is silence.
            return not self._meter.spoken
        return not consumer.speaks_fully(now)

    def _apply(self, consumer: Consumer, outcome: Outcome, now: float) -> Verdict:
        amount, (code, text) = outcome.amounts[consumer.id], outcome.reasons[consumer.id]
        if amount != consumer.allowance:
            if amount > consumer.allowance and consumer.is_silent(now, self._settings.request_ttl):
                consumer.draw.doubt(now, consumer.allowance, self._meter.base)
            consumer.give(amount, now)
            self._count(consumer, now)
        changed = consumer.shown != (amount, code)
        consumer.shown = (amount, code)
        known = consumer.terms
        return Verdict(
            amount / MICRO,
            text,
            code,
            known.automatic,
            known.priority,
            known.demand.request / MICRO,
            consumer.draw.value / MICRO,
            changed,
        )

    def _site(
        self, known: SiteValues, controlled: int, surplus: int | None, reservation: int | None
    ) -> SiteValues:
        assigned = sum(consumer.allowance for consumer in self._consumers.values())
        return site_values(known, controlled, surplus, reservation, assigned)

    def _wake(self, now: float) -> float | None:
        ttl, interval = self._settings.request_ttl, self._settings.interval
        silent_at, held = self._meter.silent_at, self._held
        soonest = silent_at if silent_at > now else math.inf
        if now < self._planner.wake < soonest:
            soonest = self._planner.wake
        if held is not None and now < held[1]:
            soonest = min(soonest, held[1])
        for consumer in self._consumers.values():
            soonest = deadline(consumer, now, soonest, (ttl, self._reaction, interval))
        return soonest if soonest < math.inf else None
