"""What each consumer bids: what a kWh is worth to it, and what the house would do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actors.distributor.allocate import MICRO
from actors.distributor.value import buffer
from actors.distributor.value.money import Prices, Storage
from actors.distributor.value.worth import Bid

if TYPE_CHECKING:
    from actors.distributor.requests import Terms


class Sky(msgspec.Struct, frozen=True):
    """What a decision goes by: the moment, the span of the surplus, and the house. W; soc in %.

    `storage`: the battery, where its owner prices it and it has charge to give.
    """

    now: float
    measured: float
    low: float
    high: float
    pv: float | None
    reservation: float
    prices: Prices
    storage: Storage | None = None
    soc: float | None = None


def worth_of(terms: Terms, house: Prices) -> float:
    """What a kWh is worth: the owner's word, else between both prices, never below 0.

    Where selling brings more than buying costs, nobody buys who has not been told to.
    """
    if terms.value is not None:
        return terms.value
    return max(0.0, min(house.lacking, (house.lacking + house.left) / 2))


def top_of(terms: Terms) -> float:
    """The most that it can draw, W."""
    demand = terms.demand
    return (demand.request if demand.step else demand.level(1)) / MICRO


def bid_for(terms: Terms, sky: Sky, dearest: float, eager: float, fuller: float = 0.0) -> Bid:
    """Its bid. `dearest`: the most that a kWh is worth to anybody who asks; `eager`: see Tuning.

    `fuller`: % of charge that the battery should have beyond its target.
    """
    demand, house = terms.demand, sky.prices
    value = worth_of(terms, house)
    kept = 0.0 if demand.ignores else sky.reservation
    storage = sky.storage
    if storage is not None and sky.soc is not None:
        edge = storage.edge(value)
        house = storage.around(edge, house.lacking, house.left)
        best = dearest - house.left
        share = min(1.0, max(0.0, (value - house.left) / best)) if best > 0 else 1.0
        steered = buffer.kept(storage, buffer.target(storage, edge, share) + fuller, sky.soc)
        kept = min(0.0, steered) if demand.ignores else _both(kept, steered)
    if sky.reservation > 0 and not demand.ignores:
        # What it bought would come out of what the owner reserves: it takes what the sun gives.
        value = min(value, house.lacking)
    first = demand.level(1) / MICRO
    top = top_of(terms)
    value = min(value, house.left + eager * (value - house.left))
    reserved = storage is None and kept > 0
    return Bid(value, first, top, house, house.spare(value), kept, reserved)


def _both(reserved: float, steered: float) -> float:
    """The owner's reservation is withheld whatever the money says."""
    return max(reserved, steered) if reserved > 0 else steered
