"""The distributor's decisions: pure, without clock, I/O or waiting.

Everything comes in by calls that carry `now` (monotonic seconds), everything goes out by `decide`.
Call `decide` after each input and at the `wake` of the last decision. Powers are W at this border;
inside they are whole microwatts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from actors.distributor import memory, reasons
from actors.distributor.allocate import MICRO
from actors.distributor.balance import Balance, Meter, Reservation, SiteValues, site_values
from actors.distributor.decision import Decision, Verdict
from actors.distributor.minute import Minute
from actors.distributor.requests import (
    GATHER,
    NO_RULE,
    Consumer,
    ConsumerRule,
    terms,
)
from actors.distributor.settings import CoreSettings
from actors.distributor.sharing import Outcome, Round, deadline
from actors.distributor.value.planner import Planner

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
        self._minute = Minute()
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
        if consumer.take(fields, now, retained=retained):
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
            memory.keep(self._energy, name, consumer.draw.kwh)

    # ---------------------------------------------------------------- what goes out

    def decide(self, now: float) -> Decision:
        """What everybody may draw from now on, and why."""
        ttl = self._settings.request_ttl
        gone: list[str] = []
        controlled = 0
        for name, consumer in self._consumers.items():
            if now >= consumer.counted_until and consumer.is_gone(now, ttl):
                gone.append(name)
                continue
            consumer.draw.integrate(now, consumer.allowance)
            if now >= consumer.counted_until or now < consumer.gathering_until:
                consumer.count(now, ttl)
            if consumer.draws(now):
                controlled += consumer.draw.value
        for name in gone:
            self.forget(name)
        complaint = self._meter.complaint(now)
        known = SiteValues() if self._meter.silent(now) else self._meter.values
        reservation, problem = self._reservation.compute(known.soc)
        surplus = None if complaint else self._meter.surplus(controlled)
        outcome = self._share(now, complaint, reservation, problem)
        verdicts = {
            name: self._apply(consumer, *outcome.given[name], now)
            for name, consumer in self._consumers.items()
            if name in outcome.given
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
        consumer.counted_until = -math.inf

    def _count(self, consumer: Consumer, now: float) -> None:
        consumer.count(now, self._settings.request_ttl)

    def _counted(self, now: float) -> int:
        """The consumption that is ours to control, by the latest reports."""
        return sum([one.draw.value for one in self._consumers.values() if one.draws(now)])

    def _span(self, now: float, settle: float = 0.0, *, responds: bool = False) -> tuple[int, int]:
        """The least and the most of it that the meter's last measurement may have seen.

        Within `settle` s, or the owner's, they may be apart. `responds`: until a consumer has
        followed a change it may draw anything between the old allowance and the new.
        """
        since = self._meter.at - max(settle, self._settings.settle)
        reaction = self._reaction
        low = high = 0
        for consumer in self._consumers.values():
            if not consumer.draws(now):
                continue
            draw = consumer.draw
            least, most = draw.span(since)
            if draw.doubt is not None:
                least = min(least, draw.proven(now, self._meter.base))
            if now < consumer.raised_at + reaction:
                most = max(most, draw.expected)
            if responds and now < consumer.changed_at + consumer.response.span:
                floor, top = consumer.response.bounds(now, consumer.allowance)
                least, most = min(least, floor), max(most, top)
            low += least
            high += most
        return low, high

    def _share(
        self, now: float, complaint: Reason | None, reservation: int | None, problem: str | None
    ) -> Outcome:
        outcome = Outcome()
        parts: list[Consumer] = []
        bar = self._bar_for_all(now)
        ttl, kept = self._settings.request_ttl, 0
        for consumer in self._consumers.values():
            why = bar or (None if consumer.free else consumer.bar(now, ttl)) or complaint
            if why is None and problem is not None and not consumer.terms.demand.ignores:
                why = reasons.no_reservation(problem)
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
        if self._settings.strategy == "es_ess":
            power = None if complaint else self._meter.surplus(self._counted(now)) - kept
            self._minute.run(parts, power, reservation or 0, now, outcome)
            return outcome
        if self._settings.strategy == "value":
            tuning = self._settings.tuning
            low, high = self._span(now, tuning.settle, responds=tuning.responds)
            ours = low - kept, high - kept
            # What an old measurement says of the battery is no sign of what it does now.
            look = self._planner.look
            sky = None if complaint else look(self._meter, ours, reservation, now)
            self._planner.run(parts, sky, outcome)
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

    def _inherits(self, consumer: Consumer, now: float, complaint: Reason | None) -> bool:
        """Whether the allowance of a former run still stands."""
        until = consumer.inherited_until
        if until is None or now >= until or consumer.says_manual():
            return False
        if complaint is not None:
            # Once the meter has spoken, its silence is silence.
            return not self._meter.spoken
        return not consumer.speaks_fully(now)

    def _apply(self, consumer: Consumer, amount: int, why: Reason, now: float) -> Verdict:
        silent = consumer.is_silent(now, self._settings.request_ttl)
        if amount != consumer.allowance:
            if amount > consumer.allowance and silent:
                consumer.draw.suspect(now, consumer.allowance, self._meter.base)
            consumer.give(amount, now)
            self._count(consumer, now)
        before, consumer.shown = consumer.shown, (amount, why.code)
        known = consumer.terms
        # What it draws by hand, or above its allowance, is no surplus of ours, but it is drawn.
        drawn = consumer.draw.value if silent else consumer.consumption
        return Verdict(
            amount / MICRO,
            why,
            known.automatic,
            known.priority,
            known.demand.request / MICRO,
            drawn / MICRO,
            before != consumer.shown,
        )

    def _site(
        self, known: SiteValues, controlled: int, surplus: int | None, reservation: int | None
    ) -> SiteValues:
        assigned = sum([consumer.allowance for consumer in self._consumers.values()])
        return site_values(known, controlled, surplus, reservation, assigned)

    def _wake(self, now: float) -> float | None:
        silent_at, held = self._meter.silent_at, self._held
        soonest = silent_at if silent_at > now else math.inf
        for wake in (self._planner.wake, self._minute.wake):
            if now < wake < soonest:
                soonest = wake
        if held is not None and now < held[1]:
            soonest = min(soonest, held[1])
        lengths = (self._reaction, self._settings.interval)
        for consumer in self._consumers.values():
            soonest = deadline(consumer, now, soonest, lengths)
        return soonest if soonest < math.inf else None
