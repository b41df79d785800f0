"""Whatever happens in whatever order: nothing is charged that nobody allowed, nor too often.

The bystander sees only what goes in, what the charger is told, and what the wires carry.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.charging.model import Owner, Plan
from bridge.simulators.car import Car
from tests.charging.rig import Charger, Rig

if TYPE_CHECKING:
    from bridge.charging.model import Inputs

LEASE, SETTLE = 30.0, 3
# S until a charger that does not do what it confirms has been found out and stopped.
FOUND_OUT = 45
MIN_OFF, PAUSE = 40.0, 50.0
PLAN = Plan(min_off=MIN_OFF, phase_pause=PAUSE, phase_delay=15.0)

watts = st.sampled_from(
    [0.0, 500.0, 1379.0, 1380.0, 1700.0, 2300.0, 3680.0, 4140.0, 4200.0, 7000.0]
)
cars: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "soc": st.sampled_from([20.0, 79.99]),
        "capacity": st.just(3000.0),
        "phases": st.sampled_from([1, 2, 3]),
        "max_current": st.sampled_from([8.0, 13.0, 16.0]),
        "wakes": st.sampled_from([0.0, 3.0, 20.0]),
        "plugged": st.sampled_from([True, True, True, False]),
    }
)
chargers: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "car": cars,
        "wiring": st.sampled_from([(1, {1, 3}), (3, {1, 3}), (3, {1, 3}), (3, {3})]),
        "lag": st.sampled_from([0, 0, 3, 7]),
        "volts": st.sampled_from([221.0, 230.0, 238.0, 252.0]),
        # One that tells nothing and does not do what it confirms cannot be seen through.
        "flaw": st.sampled_from([None, None, None, "shy", "stuck"]),
    }
)
events = st.one_of(
    *[st.tuples(st.just("allow"), watts)] * 6,
    *[st.tuples(st.just("allow"), st.just(None))] * 2,
    st.tuples(st.just("distributor"), st.just(False)),
    st.tuples(st.just("plug"), st.booleans()),
    st.tuples(st.just("most"), st.sampled_from([None, 5.0, 10.0, 16.0])),
    st.tuples(st.just("fault"), st.just("the ground wire is missing")),
    st.tuples(st.sampled_from(["silent", "deaf", "mute"]), st.just(True)),
    st.tuples(st.just("wilful"), st.just(16.0)),
    st.tuples(st.just("least"), st.sampled_from([None, 6.0, 9.0])),
    st.tuples(st.just("uses"), st.sampled_from([1, 2, 3])),
)
people = st.one_of(
    st.tuples(st.just("press"), st.sampled_from(["on", "off", "neutral"])),
    st.tuples(st.just("enable"), st.sampled_from([True, False, None])),
    st.tuples(st.just("current"), st.sampled_from([6.0, 9.0, None])),
    st.tuples(st.just("phases"), st.sampled_from([1, 3, None])),
    st.tuples(st.just("price"), st.sampled_from([0.05, 0.30, None])),
    st.tuples(st.just("mode"), st.sampled_from(["default", "eco"])),
    st.tuples(st.just("automatic"), st.booleans()),
    st.tuples(st.just("release"), st.just(None)),
)
# What lasts as long as the wait after it.
PASSING = {"distributor": True, "fault": None, "silent": False, "deaf": False, "mute": False}
waits = st.integers(1, 60)


class Bystander:
    """Keeps a picture of its own and compares every decision with it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        rig.on_decision = self.see
        self.beat: float | None = 0.0
        self.beat_at = 0.0
        settle = SETTLE + rig.charger.lag
        self.past: deque[float] = deque([math.inf] * settle, maxlen=settle)
        self.was_on = False
        self.stopped_at = -math.inf
        self.phases_at_stop = 0
        self.switched_at = -math.inf
        self.switches = 0
        self.alone = False
        self.calm = self.above = 0

    def run(self, script: list[tuple[tuple[str, Any], int]]) -> None:
        for (what, value), seconds in script:
            self.happen(what, value)
            for _ in range(seconds):
                if self.beat is not None and self.rig.now >= self.beat_at:
                    self.rig.allow(self.beat)
                    self.beat_at = self.rig.now + 10
                self.rig.tick()
                self.check_wires()
            if what in PASSING:
                self.happen(what, PASSING[what])

    def happen(self, what: str, value: Any) -> None:
        rig = self.rig
        match what:
            case "allow":
                self.beat, self.beat_at = value, rig.now
            case "distributor" | "silent":
                setattr(rig, what, value)
            case "plug":
                if value:
                    rig.charger.car.plug()
                else:
                    rig.charger.car.unplug()
            case "uses":
                rig.charger.car.phases = value
            case "press":
                rig.charger.forced = value
            case "enable" | "current" | "phases":
                rig.released = what == "enable" and value is None
                rig.owner = replace(rig.owner, **{what: value})
            case "automatic":
                rig.change(automatic=value)
            case "release":
                rig.released = True
            case _:
                setattr(rig.charger, what, value)

    # ---------------------------------------------------------------- what must hold

    def live(self, inputs: Inputs) -> float | None:
        allowance = inputs.allowance
        if allowance is None or not inputs.distributor or self.rig.now >= allowance.at + LEASE:
            return None
        return allowance.watts

    def by_sun(self, inputs: Inputs) -> bool:
        """Whether only an allowance can let it charge."""
        cheap = inputs.plan.low_price and inputs.price is not None and inputs.price <= 0.1
        return not inputs.owner.enable and not cheap

    def see(self, rig: Rig, inputs: Inputs) -> None:
        decision, reading = rig.decision, rig.reading
        assert decision is not None
        wish = decision.wish
        on = wish is not None and wish.on is True
        live = self.live(inputs)
        assert not (self.alone and decision.by_hand), "nobody has pressed anything"
        if decision.by_hand or not inputs.plan.automatic:
            assert not on or inputs.owner.enable
            assert not decision.request.automatic
        if wish is None:
            assert decision.by_hand or reading is None
        if wish is not None and on:
            assert wish.current is not None
            assert wish.current == int(wish.current)
            assert 6 <= wish.current <= 16
            assert wish.phases in (None, 1, 3)
            if reading is not None and reading.max_current is not None:
                assert wish.current <= reading.max_current
            if reading is not None and reading.min_current is not None:
                assert wish.current >= reading.min_current
            if inputs.owner.current is not None:
                assert wish.current <= inputs.owner.current
        if on and self.by_sun(inputs):
            assert live is not None, "on without a live lease"
            width = rig.charger.phases or 3
            if rig.state.car_phases is not None:
                # It may be one that was seen to use fewer; then the wires must bear it out.
                width = min(width, rig.state.car_phases)
            assert reading is not None
            assert width >= min(rig.charger.phases or 3, reading.carrying or 1)
            assert wish is not None
            assert wish.current is not None
            assert wish.current * width * rig.charger.volts <= live + 1e-6
        self.check_times(on=on, inputs=inputs)
        request = decision.request
        assert request.request == 0 or request.minimum <= request.request
        assert 0 < len(decision.sentence) < 200

    def check_times(self, *, on: bool, inputs: Inputs) -> None:
        rig = self.rig
        if on and not self.was_on and not inputs.owner.enable:
            changed = rig.charger.switches != self.phases_at_stop
            rested = rig.now - self.stopped_at >= MIN_OFF
            assert rested or changed, "on again within the minimum time off"
        if self.was_on and not on:
            self.stopped_at, self.phases_at_stop = rig.now, rig.charger.switches
        self.was_on = on

    def check_wires(self) -> None:
        """After each second: what flows, and what was switched."""
        rig = self.rig
        assert rig.charger.under_load == 0, "phases were changed with current flowing"
        if rig.charger.switches != self.switches:
            assert rig.now - self.switched_at >= PAUSE - 1e-6, "phases changed too soon"
            self.switches, self.switched_at = rig.charger.switches, rig.now
            # A slow charger still offers its old current to a car that wakes just now.
            self.calm = 0
        assert rig.decision is not None
        ours = not rig.decision.by_hand
        ours = ours and rig.plan.automatic and rig.charger.mode != "default"
        reachable = not rig.charger.deaf and not rig.silent
        allowance = rig.allowance
        late = allowance is None or rig.now >= allowance.at + LEASE or not rig.distributor
        self.past.append(0.0 if late or allowance is None else allowance.watts)
        pure = not rig.owner.enable and not rig.plan.low_price and rig.owner == Owner()
        # What a person pressed is seen only with the next reading; it is not ours either.
        calm = rig.told is not None and not rig.told.wish.contradicted_by(rig.charger.reading())
        # Nor is what somebody lent a moment ago: from its end on there is the time to settle.
        self.calm = self.calm + 1 if calm and reachable and pure and ours else 0
        calm = self.calm > len(self.past)
        above = rig.charger.power > max(self.past) + 1e-6
        if calm:
            assert not above, "more than is allowed"
        self.above = self.above + 1 if above and ours and pure and reachable else 0
        assert self.above <= FOUND_OUT, "more than is allowed, and nobody sees it"
        current = rig.charger.car.current
        assert current == 0 or current >= 6


def made(given: dict[str, Any]) -> Charger:
    phases, possible = given["wiring"]
    return Charger(
        car=Car(**given["car"]),
        phases=phases,
        possible=frozenset(possible),
        lag=given["lag"],
        volts=given["volts"],
        price_limit=0.1,
        shy=given["flaw"] == "shy",
        stuck=given["flaw"] == "stuck",
    )


@settings(max_examples=60, deadline=None)
@given(chargers, st.lists(st.tuples(events, waits), min_size=4, max_size=14))
def test_alone_with_the_sun(charger: dict[str, Any], script: list[Any]) -> None:
    bystander = Bystander(Rig(plan=PLAN, charger=made(charger)))
    bystander.alone = True
    bystander.run(script)


@settings(max_examples=60, deadline=None)
@given(
    chargers,
    st.booleans(),
    st.sampled_from([None, 1, 3]),
    st.lists(st.tuples(st.one_of(events, people), waits), min_size=4, max_size=16),
)
def test_with_people_and_prices(
    charger: dict[str, Any], low_price: bool, phases: int | None, script: list[Any]
) -> None:
    plan = replace(PLAN, low_price=low_price, phases=phases, manual_modes=frozenset({"default"}))
    Bystander(Rig(plan=plan, charger=made(charger))).run(script)
