"""What it is worth to let a consumer run, by money, over surpluses that may come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.allocate import Demand
    from actors.distributor.value.money import Prices

_MICRO = 1_000_000


class Bid(NamedTuple):
    """A consumer as a bidder: what a kWh is worth to it, and what it can draw, W.

    `kept` W of the surplus are not for it (the battery's). `reserved`: that is the owner's word
    alone, without a price: it is bridged through a cloud, but nothing starts or steps into it.
    """

    value: float
    first: float
    top: float
    prices: Prices
    spare: float
    kept: float
    reserved: bool = False

    def gain(self, surplus: float, takes: float) -> float:
        """What that earns in an hour, x 1000, against not running."""
        net = surplus - self.kept
        prices = self.prices
        return self.value * takes + prices.earn(net - takes) - prices.earn(net)


class Outlook:
    """The surpluses that may come, as far as those who were asked before have left them.

    The first has a weight of its own. `given`: what modulating consumers take above their minimum;
    it goes to a newcomer that makes more of it, for they can catch up later.
    """

    __slots__ = ("_given", "_worth", "certain", "rest")

    def __init__(self, surpluses: Sequence[float]) -> None:
        self.rest = list(surpluses)
        self._given = [0.0] * len(self.rest)
        self._worth = 0.0  # of what is given, per kWh
        self.certain = False  # whether each of them pays for the one asked about last

    def lift(self, watts: float) -> None:
        """So many W more (or fewer) in each."""
        self.rest = [one + watts for one in self.rest]

    def expected(self, bid: Bid, first_weight: float, lift: float = 0.0) -> float:
        """The mean gain when it runs, per hour x 1000, with `lift` W more (fewer) in each."""
        gains = self._gains(bid, lift)
        self.certain = min(gains) > 0
        if len(gains) == 1:
            return gains[0]
        others = (sum(gains) - gains[0]) / (len(gains) - 1)
        return first_weight * gains[0] + (1 - first_weight) * others

    def _gains(self, bid: Bid, lift: float) -> list[float]:
        """What it gains when it runs, in each: `bid.gain` of what it takes, all at once."""
        if lift:
            bid = bid._replace(kept=bid.kept - lift)
        value, kept = bid.value, bid.kept
        takes = self._takes(bid)
        nets = [surplus - kept for surplus in self.rest]
        without = bid.prices.earn_each(nets)
        left = [net - taken for net, taken in zip(nets, takes, strict=True)]
        gains = [
            value * taken + earned - lost
            for taken, earned, lost in zip(takes, bid.prices.earn_each(left), without, strict=True)
        ]
        for index, moved in self._moved(bid, takes):
            gain = bid.gain(self.rest[index], takes[index] - moved)
            gains[index] = gain + (value - self._worth) * moved
        return gains

    def _takes(self, bid: Bid) -> list[float]:
        """What it draws of each surplus when it runs."""
        first, top, kept, spare = bid.first, bid.top, bid.kept, bid.spare
        free = [surplus - kept - spare for surplus in self.rest]
        return [first if one < first else min(top, one) for one in free]

    def _moved(self, bid: Bid, takes: Sequence[float]) -> list[tuple[int, float]]:
        """(which, W of the given that pass to it), where any do."""
        if bid.value < self._worth or not any(self._given):
            return []
        first, given = bid.first, self._given
        found = []
        for index, taken in enumerate(takes):
            if taken <= first and given[index]:
                lacking = taken - max(0.0, self.rest[index] - bid.kept - bid.spare)
                if lacking > 0:
                    found.append((index, min(given[index], lacking)))
        return found

    def breaks_into(self, bid: Bid) -> bool:
        """Whether its start would take of what the owner reserves, by the present surplus."""
        if not bid.reserved:
            return False
        given = self._given[0] if bid.value >= self._worth else 0.0
        return self.rest[0] + given - bid.kept < bid.first

    def grant(self, bid: Bid, worth: float) -> None:
        """It runs: what it takes is gone. `worth` of a kWh above its minimum."""
        takes = self._takes(bid)
        passed = self._moved(bid, takes)
        self.rest = [one - taken for one, taken in zip(self.rest, takes, strict=True)]
        if bid.top > bid.first:
            pairs = zip(self._given, takes, strict=True)
            self._given = [given + (taken - bid.first) for given, taken in pairs]
        for index, moved in passed:
            self.rest[index] += moved
            self._given[index] -= moved
        if bid.top > bid.first:
            self._worth = max(self._worth, worth)


def best_level(bid: Bid, demand: Demand, surplus: float, threshold: float) -> int:
    """The grants that pay most for a running consumer; at least one.

    A step of which only a part is covered is taken when that part exceeds `threshold`.
    """
    ideal = surplus - bid.kept - bid.spare
    grants = max(1, min(demand.count, demand.grants(round(max(0.0, min(ideal, 1e9)) * _MICRO))))
    if grants < demand.count:
        level, above = demand.level(grants) / _MICRO, demand.level(grants + 1) / _MICRO
        if ideal - level > threshold * (above - level):
            grants += 1
    return grants
