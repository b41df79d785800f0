"""Sharing by expected value: who runs is decided by what it will earn, not by this second's watts.

Priority says who is asked first; money says whether running pays for it, over what the sun may do
next. Starts and stops are weighed slowly; the levels of modulating loads follow the sun, once the
loss of not following has become worth a message.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from actors.distributor import reasons
from actors.distributor.allocate import MICRO, micro, ranks, share
from actors.distributor.belief import Belief
from actors.distributor.money import Prices, prices
from actors.distributor.sunshine import Sunshine
from actors.distributor.worth import Bid, Outlook, best_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.balance import Meter
    from actors.distributor.reasons import Reason
    from actors.distributor.requests import Consumer
    from actors.distributor.settings import SettingsLike
    from actors.distributor.sharing import Outcome
    from actors.distributor.tuning import Tuning

_PER_KWH: Final = 3.6e6
_MOSTLY: Final = 0.8
_NOISE: Final = 50.0


@dataclass(slots=True)
class _Note:
    """What is remembered of a consumer between two decisions."""

    on: bool = False
    earns: float = 0.0  # per hour x 1000, over the look-ahead
    missed: float = 0.0  # what the present level has lost since it was set
    needs: float = 0.0  # W of surplus from which on it pays


@dataclass(slots=True)
class Sky:
    """What a decision goes by: the moment, the span of the surplus, and the house. W."""

    now: float
    measured: float
    low: float
    high: float
    pv: float | None
    reservation: float
    prices: Prices


@dataclass(slots=True)
class Planner:
    """Shares by value. It remembers the sun and what the present levels have lost."""

    settings: SettingsLike
    tuning: Tuning = field(init=False)
    belief: Belief = field(init=False)
    tariff: tuple[float | None, float | None] = (None, None)
    sunshine: Sunshine = field(default_factory=Sunshine)
    wake: float = math.inf
    _notes: dict[str, _Note] = field(default_factory=dict)
    _pondered: float = -math.inf
    _asking: tuple[str, ...] = ()
    _seen: float | None = None

    def __post_init__(self) -> None:
        """A belief of the tuning's length."""
        self.tuning = self.settings.tuning
        self.belief = Belief(self.tuning.span, self.tuning.hold)

    def forget(self) -> None:
        """The meter is silent: what comes after it is another sky."""
        self.belief.forget()
        self.sunshine.forget()
        self._seen, self.wake, self._pondered = None, math.inf, -math.inf

    def look(
        self, meter: Meter, counted: tuple[int, int], reservation: int | None, now: float
    ) -> Sky:
        """The house now; `counted`: the least and the most of the consumption that is ours."""
        settings, known = self.settings, meter.values
        imported, exported = self.tariff
        house = prices(
            settings.import_price if imported is None else imported,
            settings.export_price if exported is None else exported,
            settings.storage if self.tuning.storage else None,
            known.soc,
        )
        low, high = ((meter.base + one) / MICRO for one in counted)
        made = known.pv if meter.metered_pv else None
        return Sky(now, meter.at, low, high, made, (reservation or 0) / MICRO, house)

    def run(self, parts: Sequence[Consumer], sky: Sky | None, outcome: Outcome) -> None:
        """Share among `parts` (in order of registration); without a sky there is nothing to."""
        if sky is None:
            self.forget()
            return
        surplus = self.sunshine.see(sky.low, sky.high, sky.pv)
        self.sunshine.mark(sky.measured)
        self.belief.see(surplus, sky.now)
        passed = 0.0 if self._seen is None else min(10.0, max(0.0, sky.now - self._seen))
        self._seen = sky.now
        ordered = _ordered(parts)
        bids = {one.id: self._bid(one, sky) for one in ordered}
        asking = tuple([one.id for one in ordered])
        if sky.now >= self._pondered + self.tuning.ponder or asking != self._asking:
            if asking != self._asking:
                # Who does not ask is forgotten: ids that are made up must not fill the memory.
                self._notes = {name: self._note(name) for name in asking}
            self._pondered, self._asking = sky.now, asking
            self._ponder(ordered, bids, sky, surplus)
        self.wake = self._pondered + self.tuning.ponder
        seen = self.belief.samples(surplus)
        aim = self.sunshine.ahead(self.tuning.lead, min(seen), max(seen))
        self._set_levels(ordered, bids, sky, aim, passed, outcome)

    # ---------------------------------------------------------------- who runs

    def _ponder(
        self, ordered: Sequence[Consumer], bids: dict[str, Bid], sky: Sky, surplus: float
    ) -> None:
        tuning = self.tuning
        locked = {one.id for one in ordered if _locked_on(one, sky.now)}
        held = sum(bids[name].first for name in locked)
        outlook = Outlook([watts - held for watts in self.belief.samples(surplus)])
        for one in ordered:
            note, bid = self._note(one.id), bids[one.id]
            running = one.allowance > 0 and not one.is_off()
            known = one.terms
            if one.id in locked:
                outlook.lift(bid.first)
            horizon = max(known.min_off, tuning.keep_over)
            if not running:
                horizon = max(known.min_on, tuning.start_over)
            note.earns = outlook.expected(bid, self.belief.weight(horizon))
            gain = note.earns * tuning.run / _PER_KWH
            cost = known.start_cost + tuning.wear * (0.5 + bid.first / 2000)
            if running:
                note.on = self._keeps(one, gain + cost > 0, sky.now)
            else:
                note.on = self._starts(one, gain > cost, sky.now)
            if note.on:
                exported = bid.prices.exported
                # Whose priority shifts gives others their turn, whatever that is worth.
                yields = 0.0 if known.demand.shift else tuning.yields
                outlook.grant(bid, exported + yields * (bid.value - exported))

    def _keeps(self, one: Consumer, pays: bool, now: float) -> bool:
        if pays:
            one.unwanted_since = None
            return True
        if one.unwanted_since is None:
            one.unwanted_since = now
        return _locked_on(one, now) or now < one.unwanted_since + one.terms.stop_delay

    def _starts(self, one: Consumer, pays: bool, now: float) -> bool:
        if not pays:
            one.wanted_since = None
            return False
        if one.wanted_since is None:
            one.wanted_since = now
        return now >= one.wanted_since + one.terms.start_delay and not _locked_off(one, now)

    # ---------------------------------------------------------------- how much

    def _set_levels(
        self,
        ordered: Sequence[Consumer],
        bids: dict[str, Bid],
        sky: Sky,
        surplus: float,
        passed: float,
        outcome: Outcome,
    ) -> None:
        running = [one for one in ordered if self._notes[one.id].on]
        rest = surplus - sum([bids[one.id].first for one in running])
        turns = _in_turns(running, surplus, sky.reservation)
        for one in ordered:
            note, bid = self._notes[one.id], bids[one.id]
            if not note.on:
                note.missed = 0.0
                outcome.put(one, 0, self._why_off(one, bid, sky.now))
                continue
            rest += bid.first
            amount = self._level(one, bid, rest, passed, (sky.now, turns))
            rest -= amount / MICRO
            outcome.put(one, amount, self._why_on(one, bid, amount, rest, sky.now))

    def _level(
        self,
        one: Consumer,
        bid: Bid,
        surplus: float,
        passed: float,
        at: tuple[float, dict[str, int] | None],
    ) -> int:
        (now, turns), note, demand = at, self._notes[one.id], one.terms.demand
        limit = bid.prices.threshold(bid.value) if self.tuning.break_even else 1.0
        best = best_level(bid, demand, surplus, limit) if turns is None else turns[one.id]
        present = one.level_now()
        if not present:
            note.missed = 0.0
            return demand.level(best)
        if best == present:
            note.missed = max(0.0, note.missed - self.tuning.write_cost * passed / 30)
            return demand.level(present)
        wanted, has = demand.level(best) / MICRO, demand.level(present) / MICRO
        loss = bid.gain(surplus, wanted) - bid.gain(surplus, has)
        note.missed += max(0.0, loss) * passed / _PER_KWH
        coming = note.missed + max(0.0, loss) * self.tuning.ahead / _PER_KWH
        if coming < self.tuning.write_cost or now < one.changed_at + self.tuning.gap:
            return demand.level(present)
        note.missed = 0.0
        return demand.level(best)

    def _bid(self, one: Consumer, sky: Sky) -> Bid:
        known, house = one.terms, sky.prices
        demand = known.demand
        kept = 0.0 if demand.ignores else sky.reservation
        if kept > 0:
            house = Prices(
                house.imported,
                house.exported,
                house.drawn,
                house.stored,
                0.0,
                max(0.0, house.most_stored - kept),
            )
        value = known.value
        if value is None:
            value = (house.imported + house.exported) / 2
        value = min(value, house.exported + self.tuning.eager * (value - house.exported))
        spare = house.spare(value)
        first = demand.level(1) / MICRO
        top = demand.request / MICRO if demand.step else first
        return Bid(value, first, top, house, spare, kept)

    def _note(self, name: str) -> _Note:
        note = self._notes.get(name)
        if note is None:
            note = self._notes[name] = _Note()
        return note

    # ---------------------------------------------------------------- telling

    def _why_off(self, one: Consumer, bid: Bid, now: float) -> Reason:
        if one.wanted_since is None:
            needed = bid.first + bid.kept
            share = self.belief.share_above(needed)
            if share < _MOSTLY:
                return reasons.too_little(share, needed, self.belief.remembers)
            return reasons.not_worth(bid.first)
        left = _off_until(one) - now
        if left > 0:
            return reasons.off_for(left)
        return reasons.starting_in(one.wanted_since + one.terms.start_delay - now)

    def _why_on(self, one: Consumer, bid: Bid, amount: int, rest: float, now: float) -> Reason:
        """`rest`: W of the surplus that are left after it."""
        lacking = min(amount / MICRO, bid.kept - rest)
        if lacking <= _NOISE:
            return reasons.pays(amount, one.terms.demand.request)
        if one.unwanted_since is not None:
            left = 0.0 if one.started_at is None else one.started_at + one.terms.min_on - now
            if left > 0:
                return reasons.kept_on(left)
            return reasons.stopping_in(one.unwanted_since + one.terms.stop_delay - now)
        return reasons.bridged(amount, lacking)


def _in_turns(
    running: Sequence[Consumer], surplus: float, reservation: float
) -> dict[str, int] | None:
    """The grants of each where priorities shift: then portions go round, and none is bought."""
    demands = [one.terms.demand for one in running]
    if not any(demand.shift for demand in demands):
        return None
    final = share(micro(surplus), micro(reservation), demands, [1] * len(demands))
    return {one.id: grants for one, grants in zip(running, final, strict=True)}


def _ordered(parts: Sequence[Consumer]) -> list[Consumer]:
    demands = [one.terms.demand for one in parts]
    places = ranks(demands)
    order = sorted(range(len(parts)), key=lambda index: (demands[index].base, places[index]))
    return [parts[index] for index in order]


def _locked_on(one: Consumer, now: float) -> bool:
    started = one.started_at
    return bool(one.allowance) and started is not None and now < started + one.terms.min_on


def _off_until(one: Consumer) -> float:
    return -math.inf if one.stopped_at is None else one.stopped_at + one.terms.min_off


def _locked_off(one: Consumer, now: float) -> bool:
    return now < _off_until(one)
