"""Who gets how much of a given surplus: the allocation rules of es-ESS, in a sane form.

Powers are whole microwatts and priorities whole millionths inside, so that no rounding error can
tip a decision and the quick way equals the step by step way exactly. Each consumer climbs its own
ladder (0, first grant, then steps, at most its request); the grants of all consumers are made in
the order of their effective priority. A grant that does not fit ends the climb of its consumer for
this allocation, because what is left only falls.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MICRO: Final = 1_000_000
_MOST: Final = 1e9
# Added to each shift, as in es-ESS: it keeps two consumers with equal shifts from moving as one.
_SHIFT_EXTRA: Final = 100
# One microwatt of grace, for sums that were formed with floats outside.
_GRACE: Final = 1
_FIRST_WALK: Final = 64


def micro(value: float) -> int:
    """`value` in millionths, bounded to 1e9 either way; the unknowable (NaN) is 0."""
    if -_MOST <= value <= _MOST:
        return round(value * MICRO)
    if math.isnan(value):
        return 0
    return round(math.copysign(_MOST, value) * MICRO)


class Demand:
    """What one consumer may be given: the ladder 0, `first`, `first` + n * `step`, `request`.

    All powers in microwatts. `count` is the number of grants to the top of the ladder; 0 when
    nothing can be granted.
    """

    __slots__ = ("base", "count", "first", "id", "ignores", "priority", "request", "shift", "step")

    def __init__(
        self,
        id: str,  # noqa: A002 - what it is called everywhere
        request: float,
        step: float = 0.0,
        minimum: float = 0.0,
        priority: float = 100.0,
        shift: float = 0.0,
        ignores: bool = False,  # noqa: FBT002 - see above
    ) -> None:
        """Powers in W. `step` 0 means all or nothing (`minimum` is then ignored)."""
        self.id = id
        self.request = max(0, micro(request))
        self.step = max(1, micro(step)) if step > 0 else 0
        self.ignores = ignores
        self.priority = micro(priority)
        self.base = 0 if ignores else self.priority
        self.shift = micro(shift) + _SHIFT_EXTRA if shift > 0 else 0
        least = max(0, micro(minimum)) if self.step else 0
        self.first = least or (min(self.step, self.request) if self.step else self.request)
        if self.request <= 0 or self.first > self.request:
            self.count = 0
        elif self.step:
            self.count = 1 + -(-(self.request - self.first) // self.step)
        else:
            self.count = 1

    def level(self, grants: int) -> int:
        """Microwatts after so many grants."""
        if grants <= 0:
            return 0
        return min(self.request, self.first + (grants - 1) * self.step)

    def grants(self, amount: int) -> int:
        """The most grants that stay within `amount` microwatts."""
        if amount < self.first or not self.count:
            return 0
        if amount >= self.request:
            return self.count
        return 1 + (amount - self.first) // self.step


class Grant(NamedTuple):
    """One grant: who, W, and the effective priority at that moment."""

    id: str
    power: float
    priority: float


@dataclass(slots=True)
class _Climb:
    """An allocation under way. `rest` is what is left, before the reservation."""

    demands: Sequence[Demand]
    counts: list[int]
    tops: Sequence[int]
    ranks: list[int]
    rest: int
    reservation: int

    def room(self, demand: Demand) -> int:
        left = self.rest if demand.ignores else self.rest - self.reservation
        return left + _GRACE

    def fits(self, index: int) -> bool:
        demand, count = self.demands[index], self.counts[index]
        return demand.level(count + 1) - demand.level(count) <= self.room(demand)

    def key(self, index: int) -> int:
        demand = self.demands[index]
        return demand.base + self.counts[index] * demand.shift

    def take(self, index: int, counts: int) -> None:
        demand = self.demands[index]
        self.rest -= demand.level(counts) - demand.level(self.counts[index])
        self.counts[index] = counts


def ranks(demands: Sequence[Demand]) -> list[int]:
    """Who comes first at equal effective priority.

    The order of registration, but among themselves those who ignore the reservation (they all
    start at 0) go by their configured priority: they share out the places they hold.
    """
    order = list(range(len(demands)))
    places = [index for index in order if demands[index].ignores]
    if len(places) > 1:
        chosen = sorted(places, key=lambda index: (demands[index].priority, index))
        for place, index in zip(places, chosen, strict=True):
            order[index] = place
    return order


def _begin(
    power: int,
    reservation: int,
    demands: Sequence[Demand],
    start: Sequence[int] | None,
    tops: Sequence[int] | None = None,
) -> _Climb:
    counts = list(start) if start is not None else [0] * len(demands)
    held = sum([d.level(n) for d, n in zip(demands, counts, strict=True)]) if any(counts) else 0
    tops = [demand.count for demand in demands] if tops is None else tops
    return _Climb(demands, counts, tops, ranks(demands), power - held, max(0, reservation))


def share(
    power: int,
    reservation: int,
    demands: Sequence[Demand],
    start: Sequence[int] | None = None,
    tops: Sequence[int] | None = None,
) -> list[int]:
    """Share `power` microwatts; returns the number of grants of each demand, in order.

    `start` are grants already held: deducted first (what is left may be negative), their shifts
    counted. `tops` are the most grants that each may have. A negative reservation counts as 0.
    """
    if not max([demand.shift for demand in demands], default=0):
        counts = list(start) if start is not None else [0] * len(demands)
        _in_turn(power, max(0, reservation), demands, counts, tops)
        return counts
    climb = _begin(power, reservation, demands, start, tops)
    heap = [
        (climb.key(index), climb.ranks[index], index)
        for index in range(len(demands))
        if climb.counts[index] < climb.tops[index]
    ]
    heapq.heapify(heap)
    budget = _FIRST_WALK
    while heap:
        _walk(climb, heap, budget)
        if heap:
            _leap(climb, heap)
            budget = _FIRST_WALK + 4 * len(heap)
    return climb.counts


def _in_turn(
    rest: int,
    reservation: int,
    demands: Sequence[Demand],
    counts: list[int],
    tops: Sequence[int] | None,
) -> None:
    """Where no priority shifts, each takes all that fits at its turn: the way of most houses."""
    rest += _GRACE
    for demand, count in zip(demands, counts, strict=True):
        if count:
            rest -= demand.level(count)
    places = ranks(demands)
    for _, _, index in sorted(
        [
            (demand.base, place, i)
            for i, (demand, place) in enumerate(zip(demands, places, strict=True))
        ]
    ):
        demand, count = demands[index], counts[index]
        held = demand.level(count) if count else 0
        reached = demand.grants(held + (rest if demand.ignores else rest - reservation))
        if tops is not None and reached > tops[index]:
            reached = tops[index]
        if reached > count:
            counts[index] = reached
            rest -= demand.level(reached) - held


def _walk(climb: _Climb, heap: list[tuple[int, int, int]], budget: int) -> None:
    """Make at most `budget` grants one after the other. The hot loop of every decision."""
    demands, counts, tops = climb.demands, climb.counts, climb.tops
    rest, reserved = climb.rest + _GRACE, climb.reservation
    while heap and budget:
        key, rank, index = heap[0]
        demand, count = demands[index], counts[index]
        room = rest if demand.ignores else rest - reserved
        if count:
            held = min(demand.request, demand.first + (count - 1) * demand.step)
            increment = min(demand.step, demand.request - held)
        else:
            held, increment = 0, demand.first
        if increment > room:
            heapq.heappop(heap)
            continue
        budget -= 1
        if demand.shift:
            counts[index] = count + 1
            rest -= increment
        else:
            # Without a shift nobody can come between: all that fits at once.
            counts[index] = min(tops[index], demand.grants(held + room))
            rest -= demand.level(counts[index]) - held
        if counts[index] >= tops[index]:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (key + demand.shift, rank, index))
    climb.rest = rest - _GRACE


def _leap(climb: _Climb, heap: list[tuple[int, int, int]]) -> None:
    """Make all grants up to the highest priority level up to which everybody's fit, at once."""
    heap[:] = [entry for entry in heap if climb.fits(entry[2])]
    if not heap or climb.rest < 0:
        return
    indices = [index for _, _, index in heap]
    demands = climb.demands
    low = min(heap)[0] - 1
    high = max(demands[i].base + climb.tops[i] * demands[i].shift for i in indices)
    if not _all_fit(climb, indices, high):
        fine = min((demands[i].shift for i in indices if demands[i].shift), default=1)
        while high - low > fine:
            middle = (low + high) // 2
            if _all_fit(climb, indices, middle):
                low = middle
            else:
                high = middle
        high = low
    for index in indices:
        climb.take(index, _reached(climb, index, high))
    heap[:] = [
        (climb.key(index), climb.ranks[index], index)
        for index in indices
        if climb.counts[index] < climb.tops[index]
    ]
    heapq.heapify(heap)


def _reached(climb: _Climb, index: int, key: int) -> int:
    """How many grants the consumer has when everything up to priority `key` is granted."""
    demand, count = climb.demands[index], climb.counts[index]
    if key < demand.base:
        return count
    if not demand.shift:
        return climb.tops[index]
    return max(count, min(climb.tops[index], (key - demand.base) // demand.shift + 1))


def _all_fit(climb: _Climb, indices: Sequence[int], key: int) -> bool:
    """True only if each grant up to `key` fits at its turn, in whatever order."""
    left = climb.rest
    floor = 0
    for index in indices:
        demand, count = climb.demands[index], climb.counts[index]
        reached = _reached(climb, index, key)
        if reached > count:
            left -= demand.level(reached) - demand.level(count)
            if not demand.ignores:
                floor = climb.reservation
    return left >= floor - _GRACE


def allocate(
    power: float,
    reservation: float,
    demands: Sequence[Demand],
    start: Mapping[str, int] | None = None,
) -> dict[str, float]:
    """Share `power` W; the allowance of each in W. `start`: grants already held, by id."""
    held = [(start or {}).get(demand.id, 0) for demand in demands]
    counts = share(micro(power), micro(reservation), demands, held)
    return {d.id: d.level(count) / MICRO for d, count in zip(demands, counts, strict=True)}


def allocate_stepwise(
    power: float,
    reservation: float,
    demands: Sequence[Demand],
    start: Mapping[str, int] | None = None,
) -> tuple[dict[str, float], list[Grant]]:
    """The same as `allocate`, grant by grant, and the list of grants in the order made."""
    held = [(start or {}).get(demand.id, 0) for demand in demands]
    climb = _begin(micro(power), micro(reservation), demands, held)
    grants: list[Grant] = []
    while True:
        order = sorted(range(len(demands)), key=lambda i: (climb.key(i), climb.ranks[i]))
        chosen = next(
            (i for i in order if climb.counts[i] < demands[i].count and climb.fits(i)), None
        )
        if chosen is None:
            break
        before, key = climb.rest, climb.key(chosen)
        climb.take(chosen, climb.counts[chosen] + 1)
        grants.append(Grant(demands[chosen].id, (before - climb.rest) / MICRO, key / MICRO))
    levels = {d.id: d.level(n) / MICRO for d, n in zip(demands, climb.counts, strict=True)}
    return levels, grants


def missing(demand: Demand, count: int, left: int, reservation: int) -> int:
    """Whole W (at least 1) that the next grant lacks when `left` microwatts are not given away."""
    room = left if demand.ignores else left - max(0, reservation)
    increment = demand.level(count + 1) - demand.level(count)
    return max(1, math.ceil((increment - room) / MICRO))
