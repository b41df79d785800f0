"""Sharing by expected value: who runs is decided by what it will earn, not by this second's watts.

Priority says who is asked first; money says whether running pays for it, over what the sun may do
next. Starts and stops are weighed slowly; the levels of modulating loads follow the sun, once the
loss of not following has become worth a message.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from actors.distributor.allocate import MICRO, micro, ranks, share
from actors.distributor.requests import locked_off, locked_on
from actors.distributor.value import why
from actors.distributor.value.belief import Belief
from actors.distributor.value.bids import Sky, bid_for, top_of, worth_of
from actors.distributor.value.buffer import STARTS_ABOVE, STOPS_BELOW, Answers
from actors.distributor.value.money import Prices
from actors.distributor.value.sunshine import Sunshine
from actors.distributor.value.worth import Bid, Outlook, best_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.balance import Meter
    from actors.distributor.requests import Consumer, Terms
    from actors.distributor.settings import SettingsLike
    from actors.distributor.sharing import Outcome
    from actors.distributor.value.tuning import Tuning

_PER_KWH: Final = 3.6e6


@dataclass(slots=True)
class _Note:
    """What is remembered of a consumer between two decisions."""

    on: bool = False
    missed: float = 0.0  # what the present level has lost since it was set


@dataclass(slots=True)
class Planner:
    """Shares by value. It remembers the sun and what the present levels have lost."""

    settings: SettingsLike
    tuning: Tuning = field(init=False)
    belief: Belief = field(init=False)
    tariff: tuple[float | None, float | None] = (None, None)
    sunshine: Sunshine = field(default_factory=Sunshine)
    answers: Answers = field(default_factory=Answers)
    wake: float = math.inf
    _notes: dict[str, _Note] = field(default_factory=dict)
    _pondered: float = -math.inf
    _asking: tuple[str, ...] = ()
    _terms: list[Terms] = field(default_factory=list)  # what order and bids were made of
    _house: tuple[object, ...] = ()
    _carried: dict[str, float] = field(default_factory=dict)
    _dearest: float = 0.0  # what a kWh is worth to those who make most of it
    _ordered: list[Consumer] = field(default_factory=list)
    _bids: dict[str, Bid] = field(default_factory=dict)
    _seen: float | None = None

    def __post_init__(self) -> None:
        """A belief of the tuning's length."""
        self.tuning = self.settings.tuning
        self.belief = Belief(self.tuning.span, self.tuning.hold, learns=self.tuning.learns)

    def forget(self) -> None:
        """The meter is silent: what comes after it is another sky."""
        self.belief.forget()
        self.sunshine.forget()
        self.answers.forget()
        self._seen, self.wake, self._pondered = None, math.inf, -math.inf
        self._terms, self._ordered = [], []
        self._bids.clear()

    def look(
        self, meter: Meter, counted: tuple[int, int], reservation: int | None, now: float
    ) -> Sky:
        """The house now; `counted`: the least and the most of the consumption that is ours."""
        settings, known = self.settings, meter.values
        imported, exported = self.tariff
        house = Prices(
            settings.import_price if imported is None else imported,
            settings.export_price if exported is None else exported,
        )
        storage = settings.storage if self.tuning.storage else None
        if storage is not None and not self.answers.buffers(storage, known, now):
            storage = None
        low, high = (meter.base + counted[0]) / MICRO, (meter.base + counted[1]) / MICRO
        made = known.pv if meter.metered_pv else None
        kept = (reservation or 0) / MICRO
        return Sky(now, meter.at, low, high, made, kept, house, storage, known.soc)

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
        self._prepare(parts, sky)
        ordered, bids = self._ordered, self._bids
        asking = tuple(bids)
        if sky.now >= self._pondered + self.tuning.ponder or asking != self._asking:
            if asking != self._asking:
                # Who does not ask is forgotten: ids that are made up must not fill the memory.
                self._notes = {name: self._note(name) for name in asking}
            self._pondered, self._asking = sky.now, asking
            self._ponder(ordered, bids, sky, surplus)
        self.wake = self._pondered + self.tuning.ponder
        aim = self._aim(sky, surplus)
        self._set_levels(ordered, bids, sky, aim, passed, outcome)

    def _aim(self, sky: Sky, surplus: float) -> float:
        """The surplus (W) that the levels are set for."""
        if sky.storage is not None:
            return sky.storage.bears(surplus, self.belief.mean)
        seen = self.belief.samples(surplus)
        return self.sunshine.ahead(self.tuning.lead, min(seen), max(seen))

    def _prepare(self, parts: Sequence[Consumer], sky: Sky) -> None:
        """Order and bids, made anew when the terms of anybody or the house have changed."""
        known = [one.terms for one in parts]
        if known != self._terms and any(_above_allowance(one) for one in parts):
            self._pondered = -math.inf
        mean = round(self.belief.mean, -2)
        house = (sky.prices, sky.reservation, sky.storage, sky.soc, mean)
        if known == self._terms and house == self._house:
            return
        self._terms, self._house = known, house
        self._ordered = _ordered(parts)
        self._dearest = max([worth_of(terms, sky.prices) for terms in known], default=0.0)
        self._carried, total = {}, 0.0
        for one in self._ordered:
            total += top_of(one.terms)
            self._carried[one.id] = min(1.0, max(0.0, mean / total))
        self._bids = {one.id: self._bid(one, sky) for one in self._ordered}

    # ---------------------------------------------------------------- who runs

    def _ponder(
        self, ordered: Sequence[Consumer], bids: dict[str, Bid], sky: Sky, surplus: float
    ) -> None:
        tuning = self.tuning
        locked = {one.id for one in ordered if locked_on(one, sky.now)}
        held = sum(bids[name].first for name in locked)
        buffered = sky.storage is not None
        seen = [self.belief.mean] if buffered else self.belief.samples(surplus)
        # A battery carries what runs through a cloud; nothing starts in one.
        clouded = min(0.0, surplus - seen[0])
        outlook = Outlook([watts - held for watts in seen])
        for one in ordered:
            note, bid, known = self._note(one.id), bids[one.id], one.terms
            running = one.allowance > 0 and not one.is_off()
            if buffered:
                bid = self._bid(one, sky, -STOPS_BELOW if running else STARTS_ABOVE)
            if one.id in locked:
                outlook.lift(bid.first)
            if running:
                weight = self.belief.weight(max(known.min_off, tuning.keep_over))
                earns = outlook.expected(bid, weight)
            else:
                weight = self.belief.weight(max(known.min_on, tuning.start_over))
                earns = outlook.expected(bid, weight, clouded)
            gain = earns * tuning.run / _PER_KWH
            if not running and not buffered and outlook.certain:
                gain *= tuning.lasts
            cost = self._cost(one, bid)
            if running:
                note.on = self._keeps(one, gain + cost > 0, sky.now)
            else:
                pays = gain > cost and not outlook.breaks_into(bid)
                note.on = self._starts(one, pays, sky.now)
            if note.on:
                outlook.grant(bid, self._displaced(one, bid, sky))

    def _cost(self, one: Consumer, bid: Bid) -> float:
        """What a switch costs: the owner's word, and wear."""
        return one.terms.start_cost + self.tuning.wear * (1 + bid.first / 2000)

    def _displaced(self, one: Consumer, bid: Bid, sky: Sky) -> float:
        """What a kWh is worth that it draws above its minimum, to whoever asks after it.

        Without a store it can catch up on that, so part of it only. With one nothing is lost that
        nobody takes now, so nobody has to give way.
        """
        if one.terms.demand.shift:
            # Whose priority shifts gives others their turn, whatever that is worth.
            return bid.prices.left
        if sky.storage is not None:
            return math.inf
        keeps = 1 - self.tuning.yields * self._carried[one.id]
        return bid.prices.left + keeps * (bid.value - bid.prices.left)

    def _keeps(self, one: Consumer, pays: bool, now: float) -> bool:
        if pays:
            one.unwanted_since = None
            return True
        if one.unwanted_since is None:
            one.unwanted_since = now
        return locked_on(one, now) or now < one.unwanted_since + one.terms.stop_delay

    def _starts(self, one: Consumer, pays: bool, now: float) -> bool:
        if not pays:
            one.wanted_since = None
            return False
        if one.wanted_since is None:
            one.wanted_since = now
        return now >= one.wanted_since + one.terms.start_delay and not locked_off(one, now)

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
        ahead = surplus - self.sunshine.surplus
        turns = _in_turns(running, surplus, sky.reservation)
        newcomer = any(not one.allowance for one in running)
        for one in ordered:
            note, bid = self._notes[one.id], bids[one.id]
            if not note.on:
                note.missed = 0.0
                outcome.put(one, 0, why.off(one, bid, sky, self.belief))
                continue
            rest += bid.first
            amount = self._level(one, bid, rest, passed, (sky.now, turns, newcomer))
            rest -= amount / MICRO
            cost = self._cost(one, bid)
            outcome.put(one, amount, why.on(one, bid, amount, (rest, ahead), sky, cost))

    def _level(
        self,
        one: Consumer,
        bid: Bid,
        surplus: float,
        passed: float,
        at: tuple[float, dict[str, int] | None, bool],
    ) -> int:
        (now, turns, newcomer), note, demand = at, self._notes[one.id], one.terms.demand
        limit = 1.0
        if self.tuning.break_even and not bid.reserved:
            limit = bid.prices.threshold(bid.value)
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
        # What a newcomer starts with was this one's: it is not given twice.
        waits = coming < self.tuning.write_cost or now < one.changed_at + self.tuning.gap
        if waits and not (newcomer and best < present):
            return demand.level(present)
        note.missed = 0.0
        return demand.level(best)

    def _bid(self, one: Consumer, sky: Sky, fuller: float = 0.0) -> Bid:
        return bid_for(one.terms, sky, self._dearest, self.tuning.eager, fuller)

    def _note(self, name: str) -> _Note:
        note = self._notes.get(name)
        if note is None:
            note = self._notes[name] = _Note()
        return note


def _above_allowance(one: Consumer) -> bool:
    """Whether it runs, and the least that it now asks for is more than it is allowed."""
    return 0 < one.allowance < one.terms.demand.first


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
