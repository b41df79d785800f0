"""A charger and its car in virtual time, for the core alone: no I/O, one tick is one second."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bridge.charging.core import State, decide
from bridge.charging.errand import MISSES
from bridge.charging.model import (
    BOTH,
    ChargerReading,
    ChargerWish,
    Decision,
    Inputs,
    Owner,
    Plan,
    Told,
)
from bridge.consuming.request import Allowance
from bridge.simulators.car import Car

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.charging.model import Forced


@dataclass
class Charger:
    """A charger that obeys at once; `forced` may also be pressed by a person."""

    car: Car = field(default_factory=lambda: Car(plugged=False))
    forced: Forced = "neutral"
    amps: float = 16.0
    phases: int | None = 3
    possible: frozenset[int] = BOTH
    volts: float = 230.0
    mode: str = "eco"
    fault: str | None = None
    most: float | None = None
    price: float | None = None
    price_limit: float | None = None
    least: float | None = None
    deaf: bool = False  # it takes no orders
    mute: bool = False  # it takes orders, but its answers are lost
    wilful: float | None = None  # A that it goes back to, whatever it was told
    lag: int = 0  # s for which a car goes on after it was told to stop
    stuck: bool = False  # its phases do not change
    shy: bool = False  # it tells neither power nor phases
    contactor: int = 0  # how often it closed or opened
    switches: int = 0  # of phases
    under_load: int = 0  # switches of phases with current flowing
    session: float = 0.0
    _closed: bool = False
    _left: int = 0

    @property
    def offers(self) -> float:
        goes_on = self.forced == "on" or self._left > 0
        return self.amps if goes_on and self.fault is None else 0.0

    @property
    def power(self) -> float:
        return self.car.power(self.volts)

    def obey(self, wish: ChargerWish) -> bool:
        if self.deaf:
            return False
        was_on = self.forced == "on"
        self.forced = {None: "neutral", False: "off", True: "on"}[wish.on]  # type: ignore[assignment]
        if not wish.on and was_on:
            self._left = self.lag
        if not self.offers:
            self.car.step(0.0, 0.0, 3, self.volts)
        if wish.current is not None:
            self.amps = wish.current if self.wilful is None else self.wilful
        if wish.phases is not None and wish.phases != self.phases:
            self.under_load += self.power > 0
            if not self.stuck:
                self.switches += 1
                self.phases = wish.phases
        return not self.mute

    def step(self, seconds: float) -> None:
        most = self.offers if self.most is None else min(self.offers, self.most)
        self.car.step(seconds, most, self.phases or 3, self.volts)
        self._left = max(0, self._left - 1)
        closed = self.power > 0
        self.contactor += closed != self._closed
        self._closed = closed

    def reading(self) -> ChargerReading:
        state = self.car.state(self.offers)
        word: Any = "connected" if state == "waiting" and not self.offers else state
        a, b, c = self.car.currents
        return ChargerReading(
            vehicle="fault" if self.fault else word,
            power=None if self.shy else self.power,
            currents=(None, None, None) if self.shy else (a, b, c),
            voltages=(self.volts,) * 3,
            allowed_current=self.amps,
            phases=None if self.shy else self.phases,
            phases_possible=self.possible,
            min_current=self.least,
            max_current=self.most,
            forced=self.forced,
            mode=self.mode,
            price=self.price,
            price_limit=self.price_limit,
            fault=self.fault,
        )


@dataclass
class Rig:
    """The core over a charger: `tick` is one second of it."""

    plan: Plan = field(default_factory=Plan)
    charger: Charger = field(default_factory=Charger)
    now: float = 0.0
    state: State = field(default_factory=State)
    owner: Owner = field(default_factory=Owner)
    allowance: Allowance | None = None
    distributor: bool = True
    told: Told | None = None
    tried: frozenset[bool | None] = frozenset()
    misses: int = 0
    released: bool = False
    silent: bool = False
    decision: Decision | None = None
    reading: ChargerReading | None = None
    read_at: float = float("-inf")
    on_decision: Callable[[Rig, Inputs], None] = lambda rig, inputs: None

    def tick(self) -> Decision:
        self.now += 1.0
        self.charger.step(1.0)
        if not self.silent:
            self.reading, self.read_at = self.charger.reading(), self.now
        return self.decide()

    def decide(self) -> Decision:
        if self.released:
            self.told = None
        inputs = Inputs(
            plan=self.plan,
            reading=self.reading,
            read_at=self.read_at,
            allowance=self.allowance,
            distributor=self.distributor,
            owner=self.owner,
            price=self.reading.price if self.reading else None,
            price_limit=self.reading.price_limit if self.reading else None,
            told=self.told,
            tried=self.tried,
            astray=self.misses >= MISSES,
            released=self.released,
        )
        self.released = False
        self.state, self.decision = decide(self.state, inputs, self.now)
        self.on_decision(self, inputs)
        self._carry(self.decision.wish)
        return self.decision

    def _carry(self, wish: ChargerWish | None) -> None:
        """As the shell does: once each, and again where the charger shows something else."""
        if wish is None:
            return
        told = self.told
        known = told is not None and told.wish == wish and not self.tried
        if not known:
            self.misses = 0
        elif told is not None and self.reading is not None:
            late = min(self.now, self.read_at) >= told.at + 10
            known = not (late and wish.contradicted_by(self.reading))
            self.misses += not known
        if known:
            return
        self.tried |= {wish.on}
        if self.charger.obey(wish):
            self.told, self.tried = Told(wish, self.now), frozenset()

    def allow(self, watts: float | None) -> None:
        self.allowance = None if watts is None else Allowance(watts, self.now)

    def change(self, **choices: Any) -> None:
        self.plan = replace(self.plan, **choices)
