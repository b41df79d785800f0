"""What is best in one second: whoever pays most is served first, by whatever is cheapest."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.simulate.scenario import BatterySpec

_OUTLET = -1
_LOAD = -2


class Offer(NamedTuple):
    """Power to be had or to be used. `rank` orders, `price` is per kWh, `most` in W.

    `stored`: W that it adds to the store for each W; `who`: the consumer; -1: a way
    for sun that is left over, which nothing else takes: into the battery, into the grid.
    """

    rank: float
    price: float
    most: float
    stored: float = 0.0
    who: int = _OUTLET


class Second(NamedTuple):
    """What a second is worth (W times price), what goes into the store (W), who draws what (W)."""

    worth: float
    stored: float
    drawn: list[float]


def sources(left: float, bought: float, battery: BatterySpec | None, price: float) -> list[Offer]:
    """Who gives, the cheapest first: sun that must go somewhere, battery, grid."""
    found = [Offer(bought, bought, inf)]
    if left > 0:
        found.append(Offer(-inf, 0.0, left))
    if battery is not None:
        out = 1 / battery.eta_discharge
        found.append(Offer(price * out, price * out, battery.max_discharge_w, -out))
    return sorted(found)


def uses(sold: float, battery: BatterySpec | None, price: float) -> list[Offer]:
    """Who takes besides the consumers."""
    found = [Offer(sold, sold, inf)]
    if battery is not None:
        into = battery.eta_charge
        found.append(Offer(price * into, price * into, battery.max_charge_w, into))
    return found


def trade(left: float, giving: Sequence[Offer], taking: Sequence[Offer], count: int) -> Second:
    """Match them, best first, until nobody pays what the next one asks; the load comes first.

    The battery neither charges from the grid nor feeds into it. That sun goes to the highest bid
    even where the grid could serve that one cheaply is no loss: a house that imports charges
    nothing, so what is matched is worth at least what any house can do in a second.
    """
    worth = stored = 0.0
    drawn = [0.0] * count
    givers = iter(giving)
    giver = next(givers)
    there = giver.most
    needed = Offer(inf, 0.0, -left, 0.0, _LOAD)
    for taker in (needed, *taking) if left < 0 else taking:
        rest = taker.most
        while rest > 0 and taker.rank > giver.rank:
            if taker.who == _OUTLET and giver.rank > -inf:
                rest = 0.0
                break
            power = min(rest, there)
            worth += power * (taker.price - giver.price)
            stored += power * (taker.stored + giver.stored)
            if taker.who >= 0:
                drawn[taker.who] += power
            rest -= power
            there -= power
            if there <= 0:
                giver = next(givers)
                there = giver.most
        if rest > 0:
            break
    return Second(worth, stored, drawn)
