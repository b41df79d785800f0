"""The figures that deciding by value goes by. Each idea can be turned off, to see what it does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Times in s, money in the currency of the prices.

    `span`, `hold`: what the belief remembers, and how long a state of the sky lasts; `lead`: how
    far a moving surplus is followed beyond now. `start_over`, `keep_over`: how far a start and a
    stop look ahead at least; `run`: over how long a switch pays itself off; `wear`: what it costs
    beyond the owner's start cost (of a load of 1 kW). `eager`: how much of what a kWh gains
    counts now, because a better hour may come (1 = none will). `yields`: the same for what
    modulating ones draw above their minimum, which they can catch up on. `write_cost`, `ahead`,
    `gap`: the loss, past and in the next s, that is borne before a set-point is sent, and the
    least time between two. `ponder`: between two looks at who runs. `settle`: how far meter and
    reports may be apart; `response`: until a change has to show in the reports. `break_even`:
    steps are rounded by money; `storage`: the battery's prices count.
    """

    span: float = 1200.0
    hold: float = 150.0
    start_over: float = 600.0
    keep_over: float = 900.0
    run: float = 3600.0
    yields: float = 0.8
    lead: float = 10.0
    ahead: float = 30.0
    eager: float = 0.8
    wear: float = 0.012
    write_cost: float = 0.0004
    gap: float = 10.0
    ponder: float = 5.0
    settle: float = 6.0
    response: float = 40.0
    break_even: bool = True
    storage: bool = True


DEFAULT = Tuning()
