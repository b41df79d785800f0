"""The figures that deciding by value goes by. Each idea can be turned off, to see what it does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Times in s, money in the currency of the prices.

    The sky: `span` is what the belief remembers; `hold` how long a state lasts, until it `learns`
    that of this sky; `lead` how far a moving surplus is followed beyond now.

    Who runs: `start_over`, `keep_over` are how far a start and a stop look ahead at least; `run` is
    over how long a switch pays itself off, and `lasts` how many times that, where every surplus
    remembered would have paid; `wear` what a switch costs beyond the owner's start cost (for 2 kW
    twice as much); `eager` how much of what a kWh gains counts now, because a better hour may come
    (1: none will); `yields` how much of the gain of what modulates above its minimum does not
    count against a newcomer, where the mean of the sun carries all (0: nobody gives way); `storage`
    whether the battery is the buffer.

    How much: `write_cost` is the loss, past and in the next `ahead` s, that is borne before a
    set-point is sent, and `gap` the least time between two; `break_even`: steps are rounded by
    money. `ponder`: between two looks at who runs.

    Settling: `settle` is how far meter and reports may be apart; `responds`: who has not yet
    followed a change may draw anything between the old and the new.
    """

    span: float = 2400.0
    hold: float = 150.0
    learns: bool = True
    lead: float = 10.0
    start_over: float = 600.0
    keep_over: float = 900.0
    run: float = 3600.0
    lasts: float = 7.0
    wear: float = 0.008
    eager: float = 0.75
    yields: float = 0.7
    storage: bool = True
    write_cost: float = 0.00045
    ahead: float = 30.0
    gap: float = 10.0
    break_even: bool = True
    ponder: float = 5.0
    settle: float = 6.0
    responds: bool = True


DEFAULT = Tuning()
