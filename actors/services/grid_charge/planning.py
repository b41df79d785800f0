"""When to buy and how much: each price limit and each target is played through. Pure.

A policy is a price and a charge: at or below that price the battery is charged from the grid up to
that charge, and then kept; at any other time it follows its own control, which covers the house
and takes the sun that is left over. Sun for which it has no room is fed in at the export price,
which may be negative: a battery filled in the night drives it out. The policy that makes the time
for which prices are known cheapest wins, against the one that buys nothing. What would still be in
the battery at the end counts for nothing: nothing is bought for a need that is not in sight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bridge.curve.heard import mean_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from actors.services.grid_charge.profile import Profile
    from bridge.curve.heard import Rows

_HORIZON: Final = timedelta(hours=36)
_TARGET_STEP: Final = 5
_MOST_LIMITS: Final = 24
_KILO: Final = 1000.0
_NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The owner's numbers. W, Wh, %, currency/kWh.

    efficiency: of charging and discharging together; wear: what a kWh out of the battery costs
    it; min_gain: least that a bought kWh must save; max_price: never bought above it; soc_min: the
    house's own reserve; soc_max: never bought beyond it; max_import: most at the meter; at_meter:
    `power` is what the meter shows, of which the house takes its part.
    """

    power: float
    capacity: float
    efficiency: float = 0.85
    wear: float = 0.05
    min_gain: float = 0.02
    max_price: float = math.inf
    soc_min: float = 10.0
    soc_max: float = 90.0
    max_import: float = math.inf
    interval: float = 300.0
    at_meter: bool = False

    def power_for(self, need: float) -> float:
        """Most W from the grid into the battery while the house needs `need` W."""
        house = max(need, 0.0)
        if self.at_meter:
            return max(0.0, min(self.power, self.max_import) - house)
        return max(0.0, min(self.power, self.max_import - house))


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of time with one price: hours, currency/kWh, and what the house needs, W.

    `need` is load less sun; below 0 the sun leaves something over. `export` is paid for what is fed
    in, below 0 by the owner; 0 where nobody tells it.
    """

    hours: float
    price: float
    need: float
    export: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """Buy at or below `price` up to `target` %; it saves `gain` and buys `bought` kWh.

    With nothing bought it only keeps what is in the battery for dearer hours.
    """

    price: float
    target: float
    gain: float
    bought: float


def steps_of(
    prices: Rows, sun: Rows | None, profile: Profile, now: datetime, exports: Rows = ()
) -> list[Step]:
    """The time to come as far as prices and sun are known without a gap; `sun` None: no panels."""
    found: list[Step] = []
    at, end = now, now + _HORIZON
    for start, last, price in prices:
        if last <= at:
            continue
        if start > at or at >= end:
            break
        for first, until in _hours(at, min(last, end)):
            power = 0.0 if sun is None else mean_of(sun, first, until)
            if power is None:
                return found
            hours = (until - first).total_seconds() / 3600
            paid = mean_of(exports, first, until) or 0.0
            found.append(Step(hours, price, profile.at(first) - power, paid))
        at = min(last, end)
    return found


def _hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut at full hours, at which the expected load changes."""
    while start < end:
        full = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        yield start, min(full, end)
        start = min(full, end)


def best(plan: Plan, steps: Sequence[Step], soc: float) -> Policy | None:
    """The policy that saves most, or None when buying does not pay."""
    if not steps:
        return None
    nothing, _, _ = play(plan, steps, soc, -math.inf, 0.0)
    found: Policy | None = None
    for price in _limits(plan, steps):
        for target in _targets(plan, soc):
            cost, bought, moved = play(plan, steps, soc, price, target)
            gain = nothing - cost
            if gain < plan.min_gain * moved or gain <= _NOISE:
                continue
            # What buys less for the same gain is better.
            if found is None or gain > found.gain + _NOISE:
                found = Policy(price, target, gain, bought)
    return found


def _limits(plan: Plan, steps: Sequence[Step]) -> list[float]:
    """The prices worth trying, cheapest first: those that a later one can pay for, or below 0."""
    dearest, worth = -math.inf, set()
    for step in reversed(steps):
        costs = step.price / plan.efficiency + plan.wear
        if step.price <= plan.max_price and (dearest - costs > 0 or step.price < 0):
            worth.add(step.price)
        dearest = max(dearest, step.price)
    prices = sorted(worth)
    if len(prices) <= _MOST_LIMITS:
        return prices
    count = len(prices) - 1
    return [prices[round(n * count / (_MOST_LIMITS - 1))] for n in range(_MOST_LIMITS)]


def _targets(plan: Plan, soc: float) -> list[float]:
    """Charges worth trying: what is in it, steps of 5 %, and the owner's limit."""
    first = math.floor(max(soc, plan.soc_min) / _TARGET_STEP) * _TARGET_STEP + _TARGET_STEP
    below = range(int(first), math.ceil(plan.soc_max), _TARGET_STEP)
    kept = [] if soc <= plan.soc_min else [min(soc, plan.soc_max)]
    return [*kept, *map(float, below), *([plan.soc_max] if plan.soc_max > soc else [])]


def play(
    plan: Plan, steps: Sequence[Step], soc: float, price: float, target: float
) -> tuple[float, float, float]:
    """What a policy costs (currency), buys for the battery, and moves to cheap hours (kWh).

    Moved is what is bought and what the battery would have given meanwhile.
    """
    way = math.sqrt(plan.efficiency)
    full, floor = plan.capacity, plan.capacity * plan.soc_min / 100
    level, goal = plan.capacity * soc / 100, plan.capacity * min(target, plan.soc_max) / 100
    cost = bought = spared = 0.0
    for step in steps:
        need, most = step.need * step.hours, plan.power * step.hours
        if step.price <= price:
            if level < goal:
                room = plan.power_for(step.need) * step.hours
                # What the sun brings meanwhile is part of the power that the battery takes.
                sun = min(max(-need, 0.0), most)
                taken = max(0.0, min(most - sun, room, (goal - level) / way - sun))
                level += taken * way
                bought += taken
                cost += step.price * taken / _KILO
            if need > 0:  # charged or kept: the grid carries the house
                cost += step.price * need / _KILO
                spared += min(need, most, max(0.0, level - floor) * way)
                continue
        if need <= 0:
            stored = max(0.0, min(-need, most, (full - level) / way))
            level += stored * way
            cost -= step.export * (-need - stored) / _KILO
            continue
        given = min(need, most, max(0.0, level - floor) * way)
        level -= given / way
        cost += plan.wear * given / _KILO + step.price * (need - given) / _KILO
    return cost, bought / _KILO, (bought + spared) / _KILO
