"""What it is worth to let a consumer run, by money, over surpluses that may come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.allocate import Demand
    from actors.distributor.money import Prices

_MICRO = 1_000_000


class Bid(NamedTuple):
    """A consumer as a bidder: what a kWh is worth to it, and what it can draw, W.

    `kept` W of the surplus are not for it (the battery's reservation).
    """

    value: float
    first: float
    top: float
    prices: Prices
    spare: float
    kept: float

    def takes(self, surplus: float) -> float:
        """What it draws of a surplus when it runs."""
        return max(self.first, min(self.top, surplus - self.kept - self.spare))

    def gain(self, surplus: float, takes: float) -> float:
        """What that earns in an hour, x 1000, against not running."""
        net = surplus - self.kept
        prices = self.prices
        return self.value * takes + prices.earn(net - takes) - prices.earn(net)

    def above(self, watts: float) -> float:
        """The part of what it draws that it could do without for a while."""
        return max(0.0, watts - self.first)


class Outlook:
    """The surpluses that may come, as far as those who were asked before have left them.

    The first has a weight of its own. `given`: what modulating consumers take above their minimum;
    it goes to a newcomer that makes more of it, for they can catch up later.
    """

    __slots__ = ("_given", "_worth", "rest")

    def __init__(self, surpluses: Sequence[float]) -> None:
        self.rest = list(surpluses)
        self._given = [0.0] * len(self.rest)
        self._worth = 0.0  # of what is given, per kWh

    def lift(self, watts: float) -> None:
        """So many W more (or fewer) in each."""
        self.rest = [one + watts for one in self.rest]

    def expected(self, bid: Bid, first_weight: float) -> float:
        """The mean gain when it runs, per hour x 1000."""
        gains = [
            self._gain(bid, surplus, given)
            for surplus, given in zip(self.rest, self._given, strict=True)
        ]
        if len(gains) == 1:
            return gains[0]
        others = (sum(gains) - gains[0]) / (len(gains) - 1)
        return first_weight * gains[0] + (1 - first_weight) * others

    def _moved(self, bid: Bid, surplus: float, given: float, takes: float) -> float:
        """W of the given that pass to it."""
        if not given or bid.value < self._worth:
            return 0.0
        free = max(0.0, surplus - bid.kept - bid.spare)
        return min(given, max(0.0, takes - free))

    def _gain(self, bid: Bid, surplus: float, given: float) -> float:
        takes = bid.takes(surplus)
        moved = self._moved(bid, surplus, given, takes)
        if not moved:
            return bid.gain(surplus, takes)
        return bid.gain(surplus, takes - moved) + (bid.value - self._worth) * moved

    def grant(self, bid: Bid, worth: float) -> None:
        """It runs: what it takes is gone. `worth` of a kWh above its minimum."""
        for index, surplus in enumerate(self.rest):
            takes = bid.takes(surplus)
            moved = self._moved(bid, surplus, self._given[index], takes)
            self.rest[index] = surplus - takes + moved
            self._given[index] += bid.above(takes) - moved
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
