"""Why deciding by value has decided so, for a person: who is off waits for what, who is on and why.

Decides nothing; it is told what was decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.distributor import reasons
from actors.distributor.allocate import MICRO
from actors.distributor.requests import locked_on, off_until

if TYPE_CHECKING:
    from actors.distributor.reasons import Reason
    from actors.distributor.requests import Consumer
    from actors.distributor.value.belief import Belief
    from actors.distributor.value.bids import Sky
    from actors.distributor.value.worth import Bid

_MOSTLY: Final = 0.8
_NOISE: Final = 50.0


def off(one: Consumer, bid: Bid, sky: Sky, belief: Belief) -> Reason:
    """Why it is off."""
    now = sky.now
    if one.wanted_since is not None:
        left = off_until(one) - now
        begins = reasons.starting_in(one.wanted_since + one.terms.start_delay - now)
        return reasons.off_for(left) if left > 0 else begins
    if one.draw.overdrawn:
        return reasons.overdrawn(one.overdraft())
    if bid.value <= bid.prices.left:
        return reasons.worth_more_elsewhere(bid.value, bid.prices.left)
    if sky.storage is not None and bid.kept > _NOISE and belief.mean >= bid.first:
        return reasons.battery_first(bid.kept, sky.soc)
    needed = bid.first + max(0.0, bid.kept)
    share = belief.share_above(needed)
    if share < _MOSTLY:
        return reasons.too_little(share, needed, belief.remembers)
    return reasons.not_worth(bid.first)


def on(
    one: Consumer, bid: Bid, amount: int, left: tuple[float, float], sky: Sky, cost: float
) -> Reason:
    """Why it is on. `cost`: of a switch.

    `left`: W that are left after it of the surplus aimed at, and how much of that aim is not there
    at this moment.
    """
    rest, ahead = left
    if one.draw.overdrawn and one.unwanted_since is None:
        return reasons.overdrawn(one.overdraft())
    planned = bid.kept - rest
    reserved = 0.0 if one.terms.demand.ignores else sky.reservation
    kept = bid.kept if sky.storage is None else reserved
    lacking = min(amount / MICRO, kept - (rest - ahead))
    if one.unwanted_since is not None and max(planned, lacking) > _NOISE:
        return _ending(one, one.unwanted_since, sky.now)
    if lacking <= _NOISE:
        return reasons.pays(amount, one.terms.demand.request, reserved)
    if sky.storage is not None and ahead - rest > _NOISE:
        return reasons.buffered(amount, min(amount / MICRO, ahead - rest))
    if planned <= _NOISE:
        return reasons.rising(amount, lacking)
    return _without_sun(one, bid, amount, lacking, cost, rest >= ahead)


def _ending(one: Consumer, since: float, now: float) -> Reason:
    """What keeps on whoever should be off `since` then."""
    if locked_on(one, now) and one.started_at is not None:
        return reasons.kept_on(one.started_at + one.terms.min_on - now)
    return reasons.stopping_in(since + one.terms.stop_delay - now)


def _without_sun(
    one: Consumer, bid: Bid, amount: int, lacking: float, cost: float, reserved: bool
) -> Reason:
    """Why it may draw `lacking` W of it from the grid, or (`reserved`) of the battery's share."""
    demand = one.terms.demand
    loses = lacking / 1000 * (bid.prices.lacking - bid.value)  # per hour
    if loses <= 0:
        return reasons.bought(amount, lacking, bid.prices.lacking)
    if demand.step and lacking * MICRO < demand.step and amount > demand.first:
        return reasons.rounded_up(amount, demand.request, lacking, reserved)
    return reasons.bridged(amount, lacking, cost / loses * 60, reserved)
