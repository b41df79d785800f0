"""Sharing as es-ESS does: divided anew once a minute; in between, what was given stands.

How much each gets is theirs (es_ess.py). What only our contract knows holds around it: a consumer
that may not take part has 0 at once, and who asks for MinOn, MinOff or a delay is given it, counted
at the divisions. See docs/decisions/0025-es-ess-by-the-minute.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actors.distributor import reasons
from actors.distributor.allocate import MICRO, micro
from actors.distributor.es_ess import CYCLE, Ask, distribute, first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.reasons import Reason
    from actors.distributor.requests import Consumer
    from actors.distributor.sharing import Outcome

# Added to a shift by `Demand`; the rule adds its own.
_SHIFT_EXTRA = 0.0001
# The rule grants step by step: steps of thousandths of a W would keep everybody waiting.
_LEAST_STEP = 1.0
_MOST_STEPS = 20_000


@dataclass(slots=True)
class Minute:
    """Remembers the last division until the next one, at `wake` (monotonic s)."""

    wake: float = math.inf
    _power: float = 0.0  # W that were divided
    _left: float = 0.0  # W that nobody was given
    _given: dict[str, int] = field(default_factory=dict)  # microwatts

    def run(
        self,
        parts: Sequence[Consumer],
        surplus: int | None,
        reservation: int,
        now: float,
        outcome: Outcome,
    ) -> None:
        """Share among `parts` (in order of registration); `surplus` None: it is not known.

        After a silence or a pause there is nothing that could stand, so it is divided at once.
        """
        if surplus is None or not parts:
            self.wake = math.inf
            self._given.clear()
            return
        if not now < self.wake < math.inf:
            self.wake = now + CYCLE
            self._divide(parts, max(0.0, surplus / MICRO), reservation / MICRO, now)
        # Who drops out has dropped its share.
        self._given = {one.id: self._given[one.id] for one in parts if one.id in self._given}
        for one in parts:
            amount = self._given.get(one.id, 0)
            outcome.put(one, amount, self._reason(one, amount, reservation, now))

    # ---------------------------------------------------------------- dividing

    def _divide(
        self, parts: Sequence[Consumer], power: float, reservation: float, now: float
    ) -> None:
        free = [one for one in parts if _running(one) or now >= _off_until(one)]
        given = self._share(free, power, reservation, now)
        waits = {one.id for one in free if not _running(one) and _waits(one, given[one.id], now)}
        if waits:
            free = [one for one in free if one.id not in waits]
            given = self._share(free, power, reservation, now)
        self._power, self._left = power, power - sum(given.values())
        self._given = {one.id: micro(given.get(one.id, 0.0)) for one in parts}

    def _share(
        self, free: Sequence[Consumer], power: float, reservation: float, now: float
    ) -> dict[str, float]:
        least = max(_LEAST_STEP, power / _MOST_STEPS)
        asks = [_ask(one, least) for one in free]
        kept: set[str] = set()
        while True:
            given, _ = distribute(power, reservation, asks, kept)
            late = {one.id for one in free if not given[one.id] and _holds(one, now)}
            if not late:
                break
            kept |= late
        for one in free:
            if given[one.id] and one.id not in kept:
                one.unwanted_since = None
            elif one.allowance and one.unwanted_since is None:
                one.unwanted_since = now
        return given

    # ---------------------------------------------------------------- telling

    def _reason(self, one: Consumer, amount: int, reservation: int, now: float) -> Reason:
        if one.id not in self._given:
            return reasons.next_share(self.wake - now)
        if not amount:
            return self._why_off(one, reservation, now)
        if one.draw.overdrawn and one.unwanted_since is None:
            return reasons.overdrawn(one.overdraft())
        if one.unwanted_since is not None:
            on_until = -math.inf if one.started_at is None else one.started_at + one.terms.min_on
            if on_until > now:
                return reasons.kept_on(self._turn(on_until) - now)
            return reasons.stopping_in(self._turn(one.unwanted_since + one.terms.stop_delay) - now)
        return reasons.shared(amount, one.terms.demand.request, micro(self._power), self.wake - now)

    def _why_off(self, one: Consumer, reservation: int, now: float) -> Reason:
        if (off_until := _off_until(one)) > now:
            return reasons.off_for(self._turn(off_until) - now)
        if one.wanted_since is not None:
            starts_at = self._turn(one.wanted_since + one.terms.start_delay)
            return reasons.starting_in(starts_at - now)
        kept = 0 if one.terms.demand.ignores else reservation
        left = max(0, micro(self._left) - kept)
        return reasons.no_share(micro(first(_ask(one))), left, kept, self.wake - now)

    def _turn(self, moment: float) -> float:
        """The first division at or after a moment."""
        return self.wake + CYCLE * max(0, math.ceil((moment - self.wake) / CYCLE - 1e-9))


def _ask(one: Consumer, least: float = _LEAST_STEP) -> Ask:
    """Its request as es-ESS reads it. Who names no step is on or off, with all of its request.

    `least`: W; a smaller step counts as so much.
    """
    known = one.terms
    demand = known.demand
    step = max(least, demand.step / MICRO) if demand.step else demand.request / MICRO
    shift = demand.shift / MICRO
    return Ask(
        one.id,
        demand.request / MICRO,
        step,
        known.minimum if demand.step else 0.0,
        known.priority,
        round(shift - _SHIFT_EXTRA, 6) if shift else 0.0,
        demand.ignores,
    )


def _running(one: Consumer) -> bool:
    return one.allowance > 0 and not one.is_off()


def _off_until(one: Consumer) -> float:
    return -math.inf if one.stopped_at is None else one.stopped_at + one.terms.min_off


def _holds(one: Consumer, now: float) -> bool:
    """Whether it is on, and MinOn or StopDelay keeps it so."""
    if not _running(one):
        return False
    started = one.started_at
    since = now if one.unwanted_since is None else one.unwanted_since
    on = started is not None and now < started + one.terms.min_on
    return on or now < since + one.terms.stop_delay


def _waits(one: Consumer, given: float, now: float) -> bool:
    """Whether one that is off would be given something, and its StartDelay has not passed."""
    if not given:
        one.wanted_since = None
        return False
    if one.wanted_since is None:
        one.wanted_since = now
    return now < one.wanted_since + one.terms.start_delay
