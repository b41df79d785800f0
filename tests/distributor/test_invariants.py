"""Whatever happens in whatever order: the promises of the distributor hold.

The machine keeps its own simple picture of each consumer and checks every decision against it.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.distributor.allocate import Demand, micro
from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Decision, Distributor

TTL, INTERVAL, MAX_AGE, LEASE, GATHER = 180.0, 5.0, 8.0, 30.0, 0.1
# What ends MinOn and StopDelay: safety, and a consumer that wants nothing (more).
ENDS_ALL = {
    *("stopping", "paused", "held", "meter", "reservation_unknown", "manual", "no_request"),
    *("minimum", "expired", "not_live"),
}
NAMES = ("ev", "pump", "heater")
names = st.sampled_from(NAMES)
numbers = st.sampled_from([0.0, 100.0, 300.0, 500.0, 1000.0, 1365.5, 2000.0])
field_values: dict[str, st.SearchStrategy[Any]] = {
    "IsAutomatic": st.sampled_from([True, True, True, False]),
    "Request": numbers,
    "StepSize": st.sampled_from([0.0, 100.0, 250.0, 333.3]),
    "Minimum": st.sampled_from([0.0, 0.0, 300.0, 1000.0]),
    "Consumption": st.sampled_from([0.0, 100.0, 500.0, 1000.0, 2500.0]),
    "Priority": st.sampled_from([1.0, 35.5, 100.0]),
    "PriorityShift": st.sampled_from([0.0, 1.0, 5.0]),
    "IgnoreBatReservation": st.booleans(),
    "StartDelay": st.sampled_from([0.0, 0.0, 3.0]),
    "StopDelay": st.sampled_from([0.0, 0.0, 4.0]),
    "MinOn": st.sampled_from([0.0, 0.0, 10.0]),
    "MinOff": st.sampled_from([0.0, 0.0, 6.0]),
    "OffFor": st.sampled_from([0.0, 4.0]),
    "CustomName": st.just("name"),
}
some_fields = st.fixed_dictionaries({}, optional=field_values)
_WHOLE = {
    "IsAutomatic": st.just(True),
    "Request": numbers.filter(bool),
    "StepSize": field_values["StepSize"],
    "Consumption": field_values["Consumption"],
}
whole_requests = st.fixed_dictionaries(
    _WHOLE, optional={name: value for name, value in field_values.items() if name not in _WHOLE}
)


@dataclass
class Known:
    """What a bystander knows of one consumer."""

    fields: dict[str, Any] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    spoken: float | None = None
    inherited: float = 0.0
    inherited_until: float = -math.inf
    allowance: float = 0.0
    started: float = -math.inf
    stopped: float = -math.inf
    off: float = -math.inf  # when another hand switched it off, as it says
    raised: float = -math.inf
    idle_since: float = -math.inf

    def demand(self, name: str, owner: ConsumerRule | None) -> Demand:
        request = float(self.fields.get("Request", 0))
        if owner is not None and owner.max is not None:
            request = min(request, owner.max)
        get = self.fields.get
        return Demand(name, request, get("StepSize", 0), get("Minimum", 0))


class Sharing(RuleBasedStateMachine):
    """Random requests, meters, owners and times against two equal cores."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.known: dict[str, Known] = {}
        self.overrides: dict[str, dict[str, Any]] = {}
        self.paused = False
        self.held_until = -math.inf
        self.metered = -math.inf  # the last good balance
        self.meter_good = False
        self.meter_ever = False
        self.owner: dict[str, ConsumerRule] = {}
        self.settings = CoreSettings(strategy="surplus")
        self.cores: list[Distributor] = []
        self.decision = Decision()

    @initialize(
        reservation=st.sampled_from([0, "500", "5000-40*SOC"]),
        ruled=st.booleans(),
        reaction=st.sampled_from([0.0, 6.0]),
    )
    def begin(self, *, reservation: str | float, ruled: bool, reaction: float) -> None:
        self.settings = CoreSettings(strategy="surplus", reservation=reservation)
        self.reaction = reaction
        if ruled:
            self.owner = {"pump": ConsumerRule(priority=2, max=500, min_on=7)}
        self.cores = [self.fresh(), self.fresh()]

    def fresh(self) -> Distributor:
        return Distributor(self.settings, self.owner, reaction=self.reaction)

    # ------------------------------------------------------------ what happens

    @rule(name=names, fields=whole_requests)
    def asks(self, name: str, fields: dict[str, Any]) -> None:
        self.speaks(name, fields)

    @rule(name=names, fields=some_fields)
    def changes(self, name: str, fields: dict[str, Any]) -> None:
        self.speaks(name, fields)

    def speaks(self, name: str, fields: dict[str, Any]) -> None:
        if not fields:
            return
        known = self.known.setdefault(name, Known(idle_since=self.now))
        known.fields.update(fields)
        known.live.update(fields)
        known.spoken = self.now
        if "OffFor" in fields:
            known.off = max(known.off, self.now - fields["OffFor"])
        for core in self.cores:
            core.request(name, fields, self.now)
        self.decide()

    @rule(name=names)
    def obeys_and_reports(self, name: str) -> None:
        if name in self.known:
            self.speaks(name, {"Consumption": self.known[name].allowance})

    @rule(name=names, what=st.sampled_from(sorted(field_values)))
    def clears_one(self, name: str, what: str) -> None:
        if name not in self.known:
            return
        known = self.known[name]
        known.fields.pop(what, None)
        known.live.add(what)
        known.spoken = self.now
        for core in self.cores:
            core.request(name, {what: None}, self.now)
        gone = not known.fields
        self.decide(gone={name} if gone else set())
        if gone:
            del self.known[name]

    @rule(name=names, fields=some_fields)
    def retained_noise(self, name: str, fields: dict[str, Any]) -> None:
        if not fields:
            return
        known = self.known.setdefault(name, Known(idle_since=self.now))
        for what, value in fields.items():
            if what not in known.live:
                known.fields[what] = value
        for core in self.cores:
            core.request(name, fields, self.now, retained=True)
        self.decide()

    @rule(
        grid=st.sampled_from([-6200.0, -2500.0, -1365.5, -1000.0, -300.0, 0.0, 200.0, 1500.0]),
        battery=st.sampled_from([None, 0.0, -700.0, 400.0]),
        soc=st.sampled_from([None, 10.0, 90.0, 100.0]),
        pv=st.sampled_from([None, None, 0.0, 800.0, 9000.0]),
        lag=st.sampled_from([0.0, 0.0, 0.5, 2.0]),
    )
    def measures(
        self, grid: float, battery: float | None, soc: float | None, pv: float | None, lag: float
    ) -> None:
        balance = Balance(grid, pv, battery, soc, pv_metered=pv is not None)
        for core in self.cores:
            core.balance(balance, self.now - lag)
        self.metered, self.meter_good, self.meter_ever = self.now - lag, True, True
        self.decide()

    @rule(
        grid=st.sampled_from([-3500.0, -1500.0, -900.0, 0.0, 400.0]),
        seconds=st.integers(1, 12),
        obeyed=st.booleans(),
    )
    def some_seconds_of_weather(self, grid: float, seconds: int, obeyed: bool) -> None:
        """The meter speaks each second; consumers that obey are seen by it a second later."""
        for second in range(seconds):
            drawn = sum(one.allowance for one in self.known.values()) if obeyed and second else 0
            self.time_passes(1.0)
            self.measures(grid + drawn, 0.0, 90.0, None, 0.0)
            if obeyed:
                for name in sorted(self.known):
                    self.obeys_and_reports(name)

    @rule(bad=st.sampled_from([None, math.nan, math.inf]), back=st.booleans())
    def loses_the_meter(self, bad: float | None, back: bool) -> None:
        for core in self.cores:
            core.balance(Balance(bad, why="the meter is gone"), self.now)
        self.meter_good = False
        self.decide()
        if back:
            self.measures(-2500.0, 0.0, 90.0, None, 0.0)

    @rule(length=st.sampled_from([0.0, 0.0, 3.0, 30.0]))
    def is_paused(self, length: float) -> None:
        self.pauses(on=True)
        self.time_passes(length)
        self.pauses(on=False)

    def pauses(self, *, on: bool) -> None:
        self.paused = on
        for core in self.cores:
            core.pause(on)
        self.decide()

    @rule(reason=st.sampled_from(["another es-ESS is live", None, None]), ends=st.booleans())
    def is_held(self, reason: str | None, ends: bool) -> None:
        for why in (reason, None) if ends else (reason,):
            self.held_until = self.now + LEASE if why else -math.inf
            for core in self.cores:
                core.hold(why, self.now)
            self.decide()

    @rule(
        name=names,
        word=st.sampled_from(
            [("IsAutomatic", True), ("IsAutomatic", True), ("IsAutomatic", False), ("Priority", 3)]
        ),
        keep=st.booleans(),
    )
    def overrides_it(self, name: str, word: tuple[str, Any], keep: bool) -> None:
        what, value = word
        self.overrides.setdefault(name, {}).pop(what, None)
        if keep:
            self.overrides[name][what] = value
        for core in self.cores:
            core.override(name, what, value if keep else None)
        self.decide()

    @rule(seconds=st.sampled_from([0.0, 0.05, 0.1, 0.1, 1.0, 1.0, 2.0, 5.0, 8.0, 40.0, 180.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        while (wake := self.decision.wake) is not None and wake <= until:
            self.now = wake
            self.decide()
        self.now = until
        self.decide()

    @rule(crashed=st.booleans(), paused=st.booleans())
    def restarts(self, crashed: bool, paused: bool) -> None:
        if paused:
            self.pauses(on=True)
        before = {name: one.allowance for name, one in self.known.items() if one.allowance}
        kept = [core.export() for core in self.cores]
        energies = [core.energies() for core in self.cores]
        self.cores = [self.fresh(), self.fresh()]
        for core, state, energy in zip(self.cores, kept, energies, strict=True):
            core.restore(state, self.now)
            assert core.energies() == {name: kwh for name, kwh in energy.items() if kwh > 0}
            assert core.paused == self.paused
        self.known, self.meter_good, self.meter_ever = {}, False, False
        self.metered, self.held_until = -math.inf, -math.inf
        for name, allowance in before.items() if crashed else ():
            for core in self.cores:
                core.inherit(name, allowance, self.now)
            self.known[name] = Known(
                inherited=allowance,
                inherited_until=self.now + LEASE,
                allowance=allowance,
                started=self.now,
                raised=self.now,
            )
        self.decide()
        self.pauses(on=False)

    # ------------------------------------------------------------ what must hold

    def decide(self, gone: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        first, second = (core.decide(self.now) for core in self.cores)
        assert first == second, "same inputs, same outputs"
        self.decision = first
        assert set(first.gone) == gone
        assert first.wake is None or first.wake > self.now
        before = {name: one.allowance for name, one in self.known.items()}
        after = {name: verdict.allowance for name, verdict in first.allowances.items()}
        self.check_the_sum(before, after)
        for name, verdict in first.allowances.items():
            known = self.known[name]
            self.check_one(name, known, verdict.allowance, verdict.code)
            self.remember(known, verdict.allowance)

    def check_the_sum(self, before: dict[str, float], after: dict[str, float]) -> None:
        site = self.decision.site
        assert site.assigned is not None
        assert abs(sum(after.values()) - site.assigned) < 1e-3
        surplus = site.surplus if site.surplus is not None else 0.0
        # A lock keeps its smallest level even where the consumer has just made that larger.
        locked = sum(
            max(0.0, verdict.allowance - before.get(name, 0.0))
            for name, verdict in self.decision.allowances.items()
            if verdict.code in {"min_on", "stop_delay"}
        )
        assert sum(after.values()) <= max(surplus, sum(before.values())) + locked + 1e-3

    def automatic(self, name: str) -> bool:
        word = self.overrides.get(name, {}).get("IsAutomatic")
        return bool(self.known[name].fields.get("IsAutomatic") if word is None else word)

    def must_be_off(self, name: str, known: Known) -> bool:
        expired = known.spoken is None or self.now >= known.spoken + TTL
        silent = not self.meter_good or self.now >= self.metered + MAX_AGE
        barred = self.paused or self.now < self.held_until
        return barred or silent or expired or not self.automatic(name)

    def check_one(self, name: str, known: Known, allowance: float, code: str) -> None:
        assert allowance >= 0
        inherits = known.inherited > 0 and self.now < known.inherited_until
        if inherits and allowance == known.inherited and not self.paused:
            return
        known.inherited = 0.0
        demand = known.demand(name, self.owner.get(name))
        amount = micro(allowance)
        assert amount <= demand.request
        assert amount == demand.level(demand.grants(amount)), "a rung of its ladder"
        if self.must_be_off(name, known):
            assert allowance == 0
        self.check_times(name, known, allowance, code)
        if 0 < known.allowance < allowance and demand.grants(micro(known.allowance)):
            locked = code in {"min_on", "stop_delay"}
            assert locked or self.now >= known.raised + INTERVAL, "raising is paced"

    def check_times(self, name: str, known: Known, allowance: float, code: str) -> None:
        ruled = self.owner.get(name)
        min_on = known.fields.get("MinOn", 0.0)
        if ruled is not None and ruled.min_on is not None:
            min_on = ruled.min_on
        if known.allowance > 0 and not allowance:
            # What another hand has switched off is not on for its MinOn.
            ends = code in ENDS_ALL or known.off > known.started
            assert ends or self.now >= known.started + min_on, "MinOn"
        if allowance > 0 and not known.allowance:
            assert self.now >= known.stopped + known.fields.get("MinOff", 0.0), "MinOff"
            assert self.now >= known.idle_since + known.fields.get("StartDelay", 0.0), "StartDelay"

    def remember(self, known: Known, allowance: float) -> None:
        if allowance > known.allowance:
            known.raised = self.now
        if allowance > 0 and not known.allowance:
            known.started = self.now
        if known.allowance > 0 and not allowance:
            # Its MinOff runs since it was off.
            known.stopped = known.off if known.off > known.started else self.now
            known.idle_since = self.now
        known.allowance = allowance

    @invariant()
    def nothing_changes_before_the_wake(self) -> None:
        """Time alone changes nothing between the decision and its wake."""
        if not self.cores:
            return
        wake = self.decision.wake
        later = self.now + 50.0 if wake is None else (self.now + wake) / 2
        again = copy.deepcopy(self.cores[0]).decide(later)
        for name, verdict in self.decision.allowances.items():
            assert again.allowances[name].allowance == verdict.allowance


TestSharing = Sharing.TestCase
TestSharing.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
