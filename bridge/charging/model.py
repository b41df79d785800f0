"""The words that chargers and the surplus logic share. Plain data: no I/O, no clock.

W, A per phase, V, kWh, currency/kWh, s; times are monotonic seconds. Consumption is positive.
Unknown is None, never 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.consuming.request import Allowance, Request

VehicleState = Literal["disconnected", "connected", "waiting", "charging", "complete", "fault"]
"""disconnected: no car; connected: a car, and the charger does not let it charge; waiting: the
charger lets it charge and the car does not take any; complete: a car that has finished; fault:
the charger or the car reports a fault."""
Forced = Literal["neutral", "off", "on"]
"""What the charger has been told from outside: nothing, never charge, charge in any case."""
Three = tuple[float | None, float | None, float | None]
NO_THREE: Three = (None, None, None)
BOTH = frozenset({1, 3})
CARRIES = 1.0
"""A phase with more than this (A) carries current."""
_CLOSE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerReading:
    """One reading of a charger; what it does not tell is None.

    vehicle: what the car does. power: W, all phases. powers, currents, voltages: L1 to L3 (W, A,
    V). allowed_current: A per phase that the charger offers the car when it charges. phases: how
    many are switched through to the car, 1 or 3 (not: how many the car uses). phases_possible:
    what `phases` can be set to from here; one member when it cannot be switched. min_current,
    max_current: A per phase that the charger, its cable and its adapter take now.
    session_energy: kWh since the car came. energy: kWh, the counter. forced: see `Forced`; None
    for a charger that cannot tell. mode: a word of the control ChargeMode, or the maker's own.
    price, price_limit: currency/kWh now, and at most for cheap charging, where the charger knows
    them. reason: why the charger does what it does, in its own words. fault: what is wrong with it
    in one plain sentence. extra: further quantities of the kind, by the contract's names.
    """

    vehicle: VehicleState | None = None
    power: float | None = None
    powers: Three = NO_THREE
    currents: Three = NO_THREE
    voltages: Three = NO_THREE
    allowed_current: float | None = None
    phases: int | None = None
    phases_possible: frozenset[int] = BOTH
    min_current: float | None = None
    max_current: float | None = None
    session_energy: float | None = None
    energy: float | None = None
    forced: Forced | None = None
    mode: str | None = None
    price: float | None = None
    price_limit: float | None = None
    reason: str | None = None
    fault: str | None = None
    extra: Mapping[str, float | str | None] = field(default_factory=dict)

    @property
    def carrying(self) -> int | None:
        """How many phases carry current; None when no current is known."""
        known = [amps for amps in self.currents if amps is not None]
        return sum(amps > CARRIES for amps in known) if known else None

    @property
    def draw(self) -> float | None:
        """The largest current of a phase in A; None when no current is known."""
        return max((amps for amps in self.currents if amps is not None), default=None)

    @property
    def car(self) -> bool | None:
        """Whether a car is connected; None when the charger does not say."""
        return None if self.vehicle in (None, "fault") else self.vehicle != "disconnected"


@dataclass(frozen=True, slots=True)
class ChargerWish:
    """What the charger is to do.

    on: True = charge, False = do not charge, None = give it back to its own control; what was set
    besides (current, phases) is then taken back too, unless it is named here. current: A per
    phase, whole; phases: 1 or 3; None = as they are.
    """

    on: bool | None = None
    current: float | None = None
    phases: int | None = None

    def contradicted_by(self, reading: ChargerReading) -> bool:
        """Whether a reading taken well after this was obeyed shows something else."""
        wanted = {None: "neutral", False: "off", True: "on"}[self.on]
        if reading.forced is not None and reading.forced != wanted:
            return True
        if not self.on:
            return False
        amps, phases = reading.allowed_current, reading.phases
        if self.current is not None and amps is not None and abs(amps - self.current) > _CLOSE:
            return True
        return self.phases is not None and phases is not None and phases != self.phases


GIVE_BACK = ChargerWish()


@dataclass(frozen=True, slots=True)
class ChargerLimits:
    """What may be asked of a charger: A per phase, and the phases that may be chosen."""

    min_current: float = 6.0
    max_current: float = 16.0
    phases: frozenset[int] = BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The owner's choices; see the settings of the same names (bridge/charging/settings.py).

    manual_modes: modes of the charger in which a person decides at the charger itself.
    """

    automatic: bool = True
    priority: float = 35.0
    priority_shift: float = 1.0
    ignore_reservation: bool = False
    min_current: float = 6.0
    max_current: float = 16.0
    phases: int | None = None
    voltage: float = 230.0
    min_on: float = 600.0
    min_off: float = 300.0
    start_delay: float = 60.0
    stop_delay: float = 240.0
    phase_pause: float = 300.0
    phase_delay: float = 180.0
    low_price: bool = False
    low_price_current: float | None = None
    hibernate: bool = False
    manual_modes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Owner:
    """What is lent out by the controls; None = nothing. A per phase; phases 1 or 3."""

    enable: bool | None = None
    current: float | None = None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The newest wish that the charger has confirmed, and when."""

    wish: ChargerWish
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a decision goes by.

    reading, read_at: the newest reading and when it was taken; None before the first.
    distributor: whether the distributor is online. price, price_limit: currency/kWh, None while
    unknown. told: see `Told`; None when nothing was told in this life. tried: each `on`
    of the wishes that it was told since without confirming them: it may have followed any of them.
    astray: it goes back to something else although it was told anew. released: somebody has just
    given the charger back to the automatic control. silent_after: s until a reading is too old to
    go by.
    """

    plan: Plan
    reading: ChargerReading | None = None
    read_at: float = -math.inf
    allowance: Allowance | None = None
    distributor: bool = True
    owner: Owner = Owner()
    price: float | None = None
    price_limit: float | None = None
    told: Told | None = None
    tried: frozenset[bool | None] = frozenset()
    astray: bool = False
    released: bool = False
    silent_after: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows.

    wish: what the charger is to do; None = hands off, nothing is written to it. request: what the
    distributor is asked for. code: one word for the kind of situation; sentence: the same for
    people. by_hand: a person at the charger has the say. rest: nobody needs the connection to the
    charger for a while.
    """

    wish: ChargerWish | None
    request: Request
    code: str
    sentence: str
    by_hand: bool = False
    rest: bool = False
