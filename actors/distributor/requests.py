"""What one consumer asks for: its fields, the owner's word over them, and how long it is alive."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from actors.distributor import reasons
from actors.distributor.allocate import Demand, micro
from actors.distributor.draw import Draw
from actors.distributor.response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from actors.distributor.reasons import Reason
    from bridge.config.settings import ConsumerSettings

    Value: TypeAlias = float | bool | str | None
    Rule: TypeAlias = "ConsumerSettings | ConsumerRule"

GATHER: Final = 0.1
DAY: Final = 86_400.0
# Fields that are no part of the terms: most messages carry only these.
PASSING: Final = frozenset({"Consumption", "CustomName", "OffFor", "Note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerRule:
    """The owner's word over what a consumer asks; None leaves it to the consumer. W and s.

    The same as `consumers:` of the configuration, for whoever has none at hand. `max` caps Request.
    """

    priority: float | None = None
    priority_shift: float | None = None
    max: float | None = None
    automatic: bool | None = None
    ignore_reservation: bool | None = None
    start_delay: float | None = None
    stop_delay: float | None = None
    min_on: float | None = None
    min_off: float | None = None
    value_per_kwh: float | None = None
    start_cost: float | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a consumer: the owner's override, else the rule, else its field. W and s.

    `value` per kWh is the owner's word alone; None leaves it between the feed-in and the import.
    """

    automatic: bool
    priority: float
    request: float
    minimum: float
    start_delay: float
    stop_delay: float
    min_on: float
    min_off: float
    margin: int
    demand: Demand
    value: float | None = None
    start_cost: float = 0.0


NO_RULE: Final = ConsumerRule()
_MARGIN: Final = 20.0
_MARGIN_SHARE: Final = 0.05


def _number(fields: Mapping[str, Value], name: str, default: float = 0.0) -> float:
    value = fields.get(name)
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return default


def _first(*candidates: float | None) -> float:
    return next(candidate for candidate in candidates if candidate is not None)


def terms(
    consumer: str, fields: Mapping[str, Value], rule: Rule, override: Mapping[str, Value]
) -> Terms:
    """Join the owner's override, the owner's rule and what the consumer says."""
    request = max(0.0, _number(fields, "Request"))
    if rule.max is not None:
        request = min(request, max(0.0, rule.max))
    minimum = max(0.0, _number(fields, "Minimum"))
    step = max(0.0, _number(fields, "StepSize"))
    word = override.get("Priority")
    asked = float(word) if isinstance(word, (int, float)) and math.isfinite(word) else None
    priority = _first(asked, rule.priority, _number(fields, "Priority", 100.0))
    automatic = override.get("IsAutomatic")
    if automatic is None:
        automatic = rule.automatic
    if automatic is None:
        automatic = fields.get("IsAutomatic")
    ignores = rule.ignore_reservation
    if ignores is None:
        ignores = bool(fields.get("IgnoreBatReservation"))
    shift = _first(rule.priority_shift, _number(fields, "PriorityShift"))
    demand = Demand(consumer, request, step, minimum, priority, shift, ignores)
    margin = demand.step or max(micro(_MARGIN), round(demand.request * _MARGIN_SHARE))
    return Terms(
        automatic=bool(automatic),
        priority=priority,
        request=request,
        minimum=minimum,
        start_delay=max(0.0, _first(rule.start_delay, _number(fields, "StartDelay"))),
        stop_delay=max(0.0, _first(rule.stop_delay, _number(fields, "StopDelay"))),
        min_on=max(0.0, _first(rule.min_on, _number(fields, "MinOn"))),
        min_off=max(0.0, _first(rule.min_off, _number(fields, "MinOff"))),
        margin=margin,
        demand=demand,
        value=rule.value_per_kwh,
        start_cost=max(0.0, rule.start_cost or 0.0),
    )


@dataclass(slots=True)
class Consumer:
    """One consumer as the distributor knows it. Times are monotonic seconds, powers microwatts."""

    id: str
    terms: Terms
    fields: dict[str, Value] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    spoken_at: float | None = None  # the newest live field
    reported_at: float | None = None  # the newest live Consumption
    consumption: int = 0  # as reported, however long ago
    gathering_until: float = 0.0
    heard_at: float = 0.0
    cleared: bool = False
    draw: Draw = field(default_factory=Draw)
    allowance: int = 0
    inherited_until: float | None = None
    started_at: float | None = None
    raised_at: float = -math.inf
    changed_at: float = -math.inf
    response: Response = field(default_factory=Response)
    stopped_at: float | None = None
    wanted_since: float | None = None  # StartDelay: power is there for it since
    unwanted_since: float | None = None  # StopDelay: power is gone since
    shown: tuple[int, str] | None = None  # the last verdict: allowance, code
    counted_until: float = -math.inf  # what it said means the same until then
    free: bool = False  # nothing of that bars it

    def take(self, fields: Mapping[str, Value], now: float, *, retained: bool) -> bool:
        """New values; None resets a field. A retained value is older than any live one.

        True when its terms may have changed.
        """
        self.heard_at = max(self.heard_at, now)
        changed = False
        for name, value in fields.items():
            if isinstance(value, float) and not math.isfinite(value):
                continue
            if retained and name in self.live:
                continue
            changed = changed or (name not in PASSING and self.fields.get(name) != value)
            if value is None:
                self.fields.pop(name, None)
            else:
                self.fields[name] = value
            if not retained:
                self.live.add(name)
                if name == "Consumption":
                    self.reported_at = None if value is None else now
                elif name == "OffFor" and isinstance(value, (int, float)):
                    # One clock for both: it may have been switched off by another hand than ours.
                    since = now - value
                    self.stopped_at = max(since, self.stopped_at or since)
        if not retained and fields:
            if self.spoken_at is None:
                self.gathering_until = now + GATHER
            self.spoken_at = now if self.spoken_at is None else max(self.spoken_at, now)
        self.consumption = max(0, micro(_number(self.fields, "Consumption")))
        self.cleared = not self.fields
        return changed

    def gathering(self, now: float) -> bool:
        """Whether its first fields are still coming in."""
        return now < self.gathering_until

    def gone_at(self, ttl: float) -> float:
        """When it will have been silent for a day; never where requests live for ever."""
        if not ttl and self.spoken_at is not None:
            return math.inf
        return self.heard_at + DAY

    def is_gone(self, now: float, ttl: float) -> bool:
        """Whether its fields have been cleared, or it was silent for a day."""
        return self.cleared or now >= self.gone_at(ttl)

    def draws(self, now: float) -> bool:
        """Whether its consumption counts as controlled by us."""
        if self.inherited_until is not None:
            return True
        return self.terms.automatic and now >= self.gathering_until

    def bar(self, now: float, ttl: float) -> Reason | None:
        """Why it gets nothing whatever the sun does; None when it may take part."""
        spoken = self.spoken_at
        if spoken is None or now < self.gathering_until:
            return reasons.waiting_for_live(self.id)
        if ttl and now >= spoken + ttl:
            return reasons.expired(self.id, now - spoken)
        known = self.terms
        if not known.automatic:
            # It can explain its own word, not the owner's over it.
            return reasons.manual(self._note(its_own=not self.fields.get("IsAutomatic")))
        if known.demand.request <= 0:
            return reasons.no_request(self._note(its_own=not self.fields.get("Request")))
        if not known.demand.count:
            return reasons.minimum_above_request(known.minimum, known.request)
        return None

    def _note(self, *, its_own: bool) -> str | None:
        note = self.fields.get("Note")
        return note if its_own and isinstance(note, str) else None

    def is_silent(self, now: float, ttl: float) -> bool:
        """Whether it does not tell what it draws, or has not for longer than a request lives."""
        return self.reported_at is None or (ttl > 0 and now >= self.reported_at + ttl)

    def count(self, now: float, ttl: float) -> None:
        """Bring up to date what of the house's consumption counts as this consumer's."""
        if self.is_silent(now, ttl):
            self.draw.follow(now, self.allowance)
        else:
            # What it was allowed a moment ago is no overdraw yet, so a cancelled request frees it.
            known, allowance = self.terms, self.allowance
            self.response.hear(now, abs(self.consumption - allowance) <= known.margin)
            most = max(allowance, known.demand.request)
            self.draw.report(now, self.consumption, allowance, most, known.margin)
        if now < self.gathering_until and self.inherited_until is None:
            # What it draws when it first speaks, the meter has seen already. One that was left an
            # allowance stopped with the former run, and begins again just now.
            self.draw.settle_now(now)
        self.free = self.bar(now, ttl) is None
        self.counted_until = self._same_until(now, ttl)

    def _same_until(self, now: float, ttl: float) -> float:
        """The next time at which time alone changes what its words mean; -inf: it is gone."""
        if self.cleared:
            return -math.inf
        moments = [self.gathering_until, self.gone_at(ttl), self.draw.patient_until]
        if ttl:
            moments += [at + ttl for at in (self.spoken_at, self.reported_at) if at is not None]
        return min([at for at in moments if at > now], default=math.inf)

    def says_manual(self) -> bool:
        """Whether it is known, not only by default, that it takes nothing from us."""
        return "IsAutomatic" in self.fields and not self.terms.automatic

    def speaks_fully(self, now: float) -> bool:
        """Whether it says live what it wants: then an inherited allowance has done its work."""
        known = self.fields
        return (
            self.spoken_at is not None
            and not self.gathering(now)
            and "Request" in known
            and ("IsAutomatic" in known or self.terms.automatic)
        )

    def is_off(self) -> bool:
        """Whether it says that it was switched off after its allowance began."""
        started, stopped = self.started_at, self.stopped_at
        return started is not None and stopped is not None and stopped > started

    def level_now(self) -> int:
        """Its allowance as a number of grants of its present ladder (rounded down)."""
        return self.terms.demand.grants(self.allowance)

    def give(self, amount: int, now: float) -> None:
        """Put an allowance in force and remember when it started, rose or stopped."""
        before, self.allowance = self.allowance, amount
        if amount != before:
            self.response.change(now, before)
            self.changed_at = now
        if amount > before:
            self.raised_at = now
            self.draw.expected = min(amount, self.draw.value + amount - before)
        if amount > 0 >= before:
            self.started_at = now
            self.wanted_since = None
        elif before > 0 >= amount:
            self.stopped_at = self.stopped_at if self.is_off() else now
            self.started_at = None
        if amount <= 0:
            self.unwanted_since = None

    def overdraft(self) -> int:
        """Microwatts that it reports above its allowance."""
        return max(0, self.consumption - self.allowance)


def locked_on(one: Consumer, now: float) -> bool:
    """Whether it has to stay on: its MinOn has not passed."""
    started = one.started_at
    return bool(one.allowance) and started is not None and now < started + one.terms.min_on


def off_until(one: Consumer) -> float:
    """When its MinOff will have passed; -inf when it was never stopped."""
    return -math.inf if one.stopped_at is None else one.stopped_at + one.terms.min_off


def locked_off(one: Consumer, now: float) -> bool:
    """Whether it has to stay off: its MinOff has not passed."""
    return now < off_until(one)
