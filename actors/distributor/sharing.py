"""One round of sharing: who may take part, what is kept, what is new, what waits for its time.

The surplus comes as a span (`low`, `high`), because meter and reports never agree to the moment:
`high` bounds what may be kept, `low` what may be newly given. All powers in microwatts.
"""

from __future__ import annotations

from operator import gt
from typing import TYPE_CHECKING

import msgspec

from actors.distributor import reasons
from actors.distributor.allocate import missing, share
from actors.distributor.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.allocate import Demand
    from actors.distributor.requests import Consumer


class Outcome(msgspec.Struct):
    """Allowances in microwatts and why; who is not in it is not told anything yet."""

    given: dict[str, tuple[int, Reason]] = {}

    def put(self, consumer: Consumer, amount: int, reason: Reason) -> None:
        """Decide about one consumer."""
        self.given[consumer.id] = (amount, reason)


class Round(msgspec.Struct, frozen=True):
    """What a round of sharing goes by. `interval`: s between two raises of a running load."""

    now: float
    low: int
    high: int
    reservation: int
    interval: float

    def run(self, parts: Sequence[Consumer], outcome: Outcome) -> None:
        """Share among `parts` (in order of registration) and remember what waits for its time."""
        if not parts:
            return
        real = [consumer for consumer in parts if not self._must_wait(consumer)]
        power, reserved = self._budget(real)
        locks, final = self._keep_on(real, power, reserved)
        left = power
        for consumer, grants in zip(real, final, strict=True):
            if grants:
                left -= consumer.terms.demand.level(grants)
        for consumer, grants, lock in zip(real, final, locks, strict=True):
            outcome.put(consumer, *self._verdict(consumer, grants, lock, left))
        waits = [one for one in parts if one.terms.start_delay and not one.allowance]
        if waits or len(real) < len(parts):
            self._candidates(parts, dict(zip((c.id for c in real), locks, strict=True)), outcome)

    # ---------------------------------------------------------------- starting

    def _must_wait(self, consumer: Consumer) -> bool:
        """Whether it is off, and MinOff or StartDelay has not passed."""
        if consumer.allowance and not consumer.is_off():
            return False
        rests = self._off_until(consumer) > self.now
        return rests or not (consumer.allowance or self._lasted(consumer))

    def _off_until(self, consumer: Consumer) -> float:
        if consumer.stopped_at is None or not consumer.terms.min_off:
            return self.now
        return consumer.stopped_at + consumer.terms.min_off

    def _lasted(self, consumer: Consumer) -> bool:
        delay, since = consumer.terms.start_delay, consumer.wanted_since
        return not delay or (since is not None and self.now >= since + delay)

    def _candidates(
        self, parts: Sequence[Consumer], locks: dict[str, int], outcome: Outcome
    ) -> None:
        """What those who are off would get; the clock of StartDelay runs while it is anything.

        Whoever is not in `locks` must wait. The high surplus decides, so that the moment between a
        report and the meter does not start a clock anew.
        """
        demands = [consumer.terms.demand for consumer in parts]
        start = [locks.get(consumer.id, 0) for consumer in parts]
        would = share(self.high, self.reservation, demands, start)
        left = self.high - sum(d.level(n) for d, n in zip(demands, would, strict=True))
        for consumer, grants in zip(parts, would, strict=True):
            if consumer.allowance and consumer.id in locks:
                continue
            if not grants:
                consumer.wanted_since = None
            elif consumer.wanted_since is None:
                consumer.wanted_since = self.now
            if consumer.id not in locks:
                outcome.put(consumer, 0, self._waits_for(consumer, left))

    def _waits_for(self, consumer: Consumer, left: int) -> Reason:
        """Why one that is off and must wait has nothing: its time, or power."""
        if consumer.wanted_since is None:
            return self._lacking(consumer, left)
        if (off_until := self._off_until(consumer)) > self.now:
            return reasons.off_for(off_until - self.now)
        start_at = consumer.wanted_since + consumer.terms.start_delay
        return reasons.starting_in(start_at - self.now)

    # ---------------------------------------------------------------- keeping

    def _keep_on(
        self, real: Sequence[Consumer], power: int, reserved: int
    ) -> tuple[list[int], list[int]]:
        """(grants that are locked, grants of each).

        A running consumer that would get nothing keeps its smallest level while MinOn or StopDelay
        last. That may push out others, which may be locked in turn.
        """
        demands = [consumer.terms.demand for consumer in real]
        final = share(power, reserved, demands)
        tops = self._tops(real, demands, final)
        locks = [0] * len(real)
        if tops is not None and any(map(gt, final, tops)):
            final = share(power, reserved, demands, locks, tops)
        while True:
            locked = False
            for index, consumer in enumerate(real):
                if not final[index] and consumer.allowance and self._holds(consumer):
                    locks[index], locked = 1, True
            if not locked:
                break
            final = share(power, reserved, demands, locks, tops)
        for consumer, grants, lock in zip(real, final, locks, strict=True):
            if grants and not lock:
                consumer.unwanted_since = None
            elif consumer.allowance and consumer.unwanted_since is None:
                consumer.unwanted_since = self.now
        return locks, final

    def _tops(
        self, real: Sequence[Consumer], demands: Sequence[Demand], anew: Sequence[int]
    ) -> list[int] | None:
        """The most that anybody may have while meter and reports disagree; `anew`: without this.

        Power that may not exist keeps what runs, and what is held may pass to a more important
        newcomer; but no running consumer is raised at the cost of another before it is certain,
        and none makes room for one that pacing keeps from being raised now.
        """
        if self.low == self.high:
            return None
        certain = share(self.low, self.reservation, demands)
        tops = []
        for one, low, budget in zip(real, certain, anew, strict=True):
            now = one.level_now()
            if not now:
                tops.append(max(low, budget))
            else:
                tops.append(now if self._paced(one) else max(now, low))
        return tops

    def _holds(self, consumer: Consumer) -> bool:
        return self._on_until(consumer) > self.now or self._stops_at(consumer) > self.now

    def _on_until(self, consumer: Consumer) -> float:
        if consumer.started_at is None:
            return self.now
        return consumer.started_at + consumer.terms.min_on

    def _stops_at(self, consumer: Consumer) -> float:
        since = consumer.unwanted_since
        return (self.now if since is None else since) + consumer.terms.stop_delay

    def _paced(self, consumer: Consumer) -> bool:
        return self.now < consumer.raised_at + self.interval

    def _budget(self, real: Sequence[Consumer]) -> tuple[int, int]:
        """(power to share, reservation out of it) while meter and reports may disagree.

        The low surplus is certain. What is held already may be held on, and may change hands by
        priority, as far as the high surplus carries it; nothing beyond that is given anew.
        """
        held = respecting = 0
        for one in real:
            if not one.allowance:
                continue
            level = one.terms.demand.level(one.level_now())
            held += level
            respecting += 0 if one.terms.demand.ignores else level
        power = max(self.low, min(self.high, held))
        reservation = max(0, self.reservation)
        # What only those hold who ignore the reservation is no power for those who respect it.
        passes_on = held if respecting else 0
        free = max(self.low - reservation, min(self.high - reservation, passes_on))
        return power, power - free

    # ---------------------------------------------------------------- telling

    def _verdict(self, consumer: Consumer, grants: int, lock: int, left: int) -> tuple[int, Reason]:
        """The allowance after pacing, and its reason. `left` is what nobody has been given."""
        demand = consumer.terms.demand
        target = demand.level(grants)
        amount = target
        if 0 < consumer.allowance < target and self._paced(consumer):
            # Held back power stays set aside. If the ladder has changed, there may be no rung.
            amount = demand.level(consumer.level_now()) or target
        return amount, self._reason(consumer, grants, amount, lock, left)

    def _reason(self, consumer: Consumer, grants: int, amount: int, lock: int, left: int) -> Reason:
        demand = consumer.terms.demand
        if lock and grants <= lock:
            on_for = self._on_until(consumer) - self.now
            stops_in = self._stops_at(consumer) - self.now
            return reasons.kept_on(on_for) if on_for > 0 else reasons.stopping_in(stops_in)
        if consumer.draw.overdrawn:
            return reasons.overdrawn(consumer.overdraft())
        if not amount:
            return self._lacking(consumer, left)
        if amount < demand.level(grants):
            left_of_pace = consumer.raised_at + self.interval - self.now
            return reasons.paced(demand.level(grants), left_of_pace)
        return self._having(demand, grants, left)

    def _having(self, demand: Demand, grants: int, left: int) -> Reason:
        if grants >= demand.count:
            return reasons.full(demand.request)
        lacks = missing(demand, grants, left, self.reservation)
        kept = 0 if demand.ignores else self.reservation
        return reasons.partial(demand.level(grants), demand.request, lacks, kept)

    def _lacking(self, consumer: Consumer, left: int) -> Reason:
        demand = consumer.terms.demand
        if not demand.ignores and demand.first <= left:
            return reasons.reserved(self.reservation)
        kept = 0 if demand.ignores else self.reservation
        return reasons.waiting(missing(demand, 0, left, self.reservation), kept)


def deadline(consumer: Consumer, now: float, soonest: float, lengths: tuple[float, float]) -> float:
    """The next time after `now` at which something about it may change by time alone.

    At most `soonest`; `lengths` are the reaction and the interval, s.
    """
    known, draw = consumer.terms, consumer.draw
    reaction, interval = lengths
    # Written out, because every decision asks it of everybody.
    soonest = min(soonest, consumer.counted_until)
    since = consumer.wanted_since
    if since is not None and known.start_delay and now < since + known.start_delay < soonest:
        soonest = since + known.start_delay
    since = consumer.unwanted_since
    if since is not None and known.stop_delay and now < since + known.stop_delay < soonest:
        soonest = since + known.stop_delay
    since = consumer.started_at
    if since is not None and known.min_on and now < since + known.min_on < soonest:
        soonest = since + known.min_on
    since = consumer.stopped_at
    if since is not None and known.min_off and now < since + known.min_off < soonest:
        soonest = since + known.min_off
    raised = consumer.raised_at
    if reaction and now < raised + reaction < soonest:
        soonest = raised + reaction
    if interval and consumer.allowance and now < raised + interval < soonest:
        soonest = raised + interval
    inherited = consumer.inherited_until
    if inherited is not None and now < inherited < soonest:
        soonest = inherited
    if draw.doubt is not None and now < draw.doubted_until < soonest:
        soonest = draw.doubted_until
    return soonest
