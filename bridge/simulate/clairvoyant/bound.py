"""The bound itself: the lowest one that a search among prices finds."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from bridge.simulate.clairvoyant.market import Offer, Second, sources, trade, uses
from bridge.simulate.clairvoyant.moments import STEP, Moment, moments
from bridge.simulate.curve import worth as worth_of
from bridge.simulate.house import idle
from bridge.simulate.money import exchange, net_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.simulate.scenario import BatterySpec, ConsumerSpec, Scenario
    from bridge.simulate.weather import Weather

_ROUNDS: Final = 120
_PATIENCE: Final = 6
_FIRST: Final = 0.1
_WATT_SECONDS: Final = 3.6e6
# So many consumers are looked at in all their combinations of on and off.
_COMBINED: Final = 5


class _Found(NamedTuple):
    """A bound, and how it changes with the prices of needs and of the store by hour."""

    value: float
    needs: list[float]
    store: list[float]


def upper_bound(scenario: Scenario, weather: Weather, rounds: int = _ROUNDS) -> float | None:
    """At most this much can be gained over doing nothing, in the day's currency.

    `rounds`: how often the search tries to lower it. None where the grid pays more than it asks:
    then there is no limit but the fuse.
    """
    prices = zip(weather.import_price, weather.export_price, strict=True)
    if any(sold >= bought for bought, sold in prices):
        return None
    nothing = idle(scenario, weather)
    earned = net_value(nothing, exchange(nothing.grid, weather))
    search = _Search(scenario, weather)
    return max(0.0, search.lowest(rounds) - earned)


class _Search:
    """Prices that make the bound low: down the slope, with steps that shrink."""

    def __init__(self, scenario: Scenario, weather: Weather) -> None:
        self.specs: Sequence[ConsumerSpec] = scenario.consumers
        self.battery: BatterySpec | None = scenario.battery
        self.moments: Mapping[Moment, int] = moments(scenario, weather)
        self.hours = max(one.hour for one in self.moments) + 1
        self.most = [one.max_w * max(1.0, one.draw_factor) for one in self.specs]
        # The second in which a need is met counts whole.
        self.needs = [
            one.need_wh / 1000 + most / _WATT_SECONDS
            for one, most in zip(self.specs, self.most, strict=True)
        ]
        self.slack = STEP * sum(count * max(0.0, -one.sold) for one, count in self.moments.items())

    def lowest(self, rounds: int) -> float:
        """The lowest bound found."""
        middle = sum(one.bought + one.sold for one in self.moments) / (2 * len(self.moments))
        needs = [0.0] * len(self.specs)
        store = [middle] * (self.hours if self.battery is not None else 0)
        slope = found = self.look(needs, store)
        best, at = found.value, (needs, store)
        share, failed = _FIRST, 0
        for _ in range(rounds):
            size = sum(value * value for value in (*found.needs, *found.store))
            if not size:
                break
            step = (found.value - best + share * max(abs(best), 0.1)) / size
            needs = [
                max(0.0, price - step * by) for price, by in zip(needs, found.needs, strict=True)
            ]
            store = [price - step * by for price, by in zip(store, found.store, strict=True)]
            found = self.look(needs, store)
            if found.value < best:
                best, at, failed, slope = found.value, (needs, store), 0, found
                continue
            failed += 1
            if failed == _PATIENCE:
                share, failed, found = share / 2, 0, slope
                needs, store = at
        return best

    def look(self, needs: Sequence[float], store: Sequence[float]) -> _Found:
        """The bound at these prices."""
        total = self.slack / _WATT_SECONDS
        used = [0.0] * len(self.specs)
        flows = [0.0] * len(store)
        sets: dict[tuple[object, ...], list[list[Offer]]] = {}
        for moment, count in self.moments.items():
            price = store[moment.hour] if store else 0.0
            key = moment[:4]
            if key not in sets:
                sets[key] = self._takers(moment, needs, price)
            giving = sources(moment.left, moment.bought, self.battery, price)
            second = _best(moment.left, giving, sets[key], len(used))
            hours = count / _WATT_SECONDS
            total += second.worth * hours
            for who, watts in enumerate(second.drawn):
                used[who] += watts * hours
            if store:
                flows[moment.hour] += second.stored * hours
        total += sum(price * need for price, need in zip(needs, self.needs, strict=True))
        slopes = [need - drawn for need, drawn in zip(self.needs, used, strict=True)]
        if self.battery is None:
            return _Found(total, slopes, [])
        kept, levels = _keep(self.battery, store)
        changes = [before - after for before, after in pairwise(levels)]
        return _Found(total + kept, slopes, [a + b for a, b in zip(flows, changes, strict=True)])

    def _takers(self, moment: Moment, needs: Sequence[float], price: float) -> list[list[Offer]]:
        """Who takes, who pays most first, for each set of consumers that may be on."""
        others = uses(moment.sold, self.battery, price)
        there = [who for who, wants in enumerate(moment.open) if wants]
        pays = [one.value_per_kwh - needs[who] for who, one in enumerate(self.specs)]
        if self.battery is not None or len(there) > _COMBINED:
            free = [Offer(pays[who], pays[who], self.most[who], 0.0, who) for who in there]
            return [sorted(others + free, reverse=True)]
        found = []
        for size in range(len(there) + 1):
            for on in combinations(there, size):
                takers = list(others)
                for who in on:
                    # A device that draws less than it was allowed draws less at its minimum too.
                    least = self.specs[who].min_w * min(1.0, self.specs[who].draw_factor)
                    most = self.most[who]
                    takers.append(Offer(inf, pays[who], least, 0.0, who))
                    takers.append(Offer(pays[who], pays[who], most - least, 0.0, who))
                found.append(sorted(takers, reverse=True))
        return found


def _best(
    left: float, giving: Sequence[Offer], sets: Sequence[Sequence[Offer]], count: int
) -> Second:
    return max((trade(left, giving, taking, count) for taking in sets), key=_worth)


def _worth(second: Second) -> float:
    return second.worth


def _keep(battery: BatterySpec, prices: Sequence[float]) -> tuple[float, list[float]]:
    """What keeping energy from hour to hour earns at best at these prices; kWh at each hour's edge.

    The energy at the beginning is given, at each other edge it is what the prices make best.
    """
    capacity = battery.capacity_wh / 1000
    start = capacity * battery.soc_start / 100
    total = prices[0] * start - worth_of(battery, battery.soc_start)
    levels = [start]
    for before, after in pairwise(prices):
        soc = battery.soc_max if after > before else battery.soc_min
        levels.append(capacity * soc / 100)
        total += (after - before) * levels[-1]
    ends = [battery.soc_min, battery.soc_max]
    ends += [
        tier.up_to_soc
        for tier in battery.stored_value_tiers
        if battery.soc_min < tier.up_to_soc < battery.soc_max
    ]
    values = [(worth_of(battery, soc) - prices[-1] * capacity * soc / 100, soc) for soc in ends]
    value, soc = max(values)
    levels.append(capacity * soc / 100)
    return total + value, levels
