"""Whatever happens in whatever order: never on without a lease unless by hand, and no hand undone.

The bystander sees only what is allowed, what people press, and what the relay does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import DeviceError
from bridge.switching.core import RESUME, SETTLED
from bridge.switching.model import Plan
from tests.switching.rig import REQUEST, Rig

LEASE, TIMER, MIN_OFF = 30.0, 60.0, 40.0
# S until a device that is heard again has been told to be off (the longest pause of the retries).
REACHED = 20
PLAN = Plan(request=REQUEST, min_off=MIN_OFF)

events = st.one_of(
    *[st.tuples(st.just("allow"), st.sampled_from([0.0, 1999.0, 2000.0, 2000.0, 4000.0, None]))]
    * 4,
    st.tuples(st.just("distributor"), st.just(False)),
    *[st.tuples(st.sampled_from(["away", "mute", "stubborn", "blind"]), st.just(True))] * 2,
    st.tuples(st.just("will"), st.just(True)),
    st.tuples(st.sampled_from(["kill", "stop"]), st.none()),
)
people = st.one_of(
    *[st.tuples(st.just("press"), st.none())] * 2,
    st.tuples(st.just("control"), st.sampled_from([True, False, None])),
    st.tuples(st.just("owner"), st.sampled_from([True, False])),
)
PASSING = {"distributor": True, "will": False} | dict.fromkeys(
    ("away", "mute", "stubborn", "blind"), False
)
waits = st.integers(1, 75)
scripts = st.lists(st.tuples(st.one_of(events, people), waits), min_size=4, max_size=16)


class Bystander:
    """Keeps a picture of its own and compares it with the relay after each second."""

    def __init__(self, plan: Plan, timer: float | None) -> None:
        self.rig = Rig(plan=plan)
        self.rig.relay.timer = timer
        self.rig.relay.on_move = self.moved
        self.off_at = -math.inf
        self.unlent = 0  # s without a lease while on by our word
        self.reached = 0  # s for which it could be reached all the time
        self.given_back_at = -math.inf
        self.hand_at = -math.inf
        self.hand: bool | None = None  # what a person switched and the shell knows of
        self.pressed: tuple[bool, float] | None = None  # what it may not know yet
        self.contrary = False  # the press was against what the automatic had told
        self.missed = False  # pressed a moment before a kill: the next life finds it so
        self.writing = False
        self.gone = False  # its last will says so

    def moved(self, by: str, on: bool) -> None:
        rig = self.rig
        if by == "us" and not self.writing:
            hold = rig.plan.hold
            held = hold is None or rig.clock.at < self.hand_at + hold
            assert self.hand in (None, on) or not held, "a hand press was overwritten"
            if on:
                resumes = rig.clock.at <= self.given_back_at + RESUME + 1
                assert resumes or rig.clock.at - self.off_at >= MIN_OFF - 1, "on again too soon"
                assert self.lent(), "switched on without a lease"
        if not on:
            self.off_at = rig.clock.at

    def lent(self) -> bool:
        rig = self.rig
        allowance = rig.shell.hearing.allowance if rig.shell is not None else None
        if allowance is None or not rig.distributor:
            return False
        return rig.clock.at < allowance.at + LEASE and allowance.watts >= REQUEST

    async def run(self, script: list[tuple[tuple[str, Any], int]]) -> None:
        self.rig.start()
        for (what, value), seconds in script:
            await self.happen(what, value)
            for _ in range(seconds):
                await self.rig.tick()
                self.check()
            if what in PASSING:
                await self.happen(what, PASSING[what])
            if self.rig.shell is None:
                self.missed = self.pressed is not None
                self.pressed = None
                self.rig.start()

    async def happen(self, what: str, value: Any) -> None:
        rig = self.rig
        match what:
            case "allow":
                rig.allow(value)
            case "distributor":
                rig.tell_distributor(online=value)
            case "press":
                rig.relay.press()
                # What the shell believes for sure is what can be contradicted.
                shell = rig.shell
                certain = shell is not None and not shell.errand.tried and not shell.errand.leftover
                told = shell.errand.told if shell is not None else None
                free = shell is not None and shell.state.by_hand is None
                self.contrary = free and told is not None and told.on is not rig.relay.on
                self.hand = None
                self.pressed = (rig.relay.on, rig.clock.at) if certain else None
            case "owner":
                rig.owner(value)
                if value:
                    self.release()
            case "control":
                await self.command(value)
            case "will":
                self.gone = value
                rig.will(gone=value)
            case "kill":
                rig.kill()
                self.reached = 0
            case "stop":
                await rig.stop()
                self.reached = 0
            case _:
                setattr(rig.relay, what, value)

    def release(self) -> None:
        self.hand, self.pressed = None, None
        self.given_back_at = self.rig.clock.at

    async def command(self, value: bool | None) -> None:
        self.writing = True
        try:
            found = await self.rig.control(value)
        except DeviceError:
            found = None
        self.writing = False
        if value is not None and self.rig.relay.on is value:
            # Also where the answer was lost: it is his word that did it.
            self.rig.relay.by = "person"
        if value is None:
            self.release()
        elif found is value and self.rig.shell is not None:
            self.pressed = None
            self.settle_hand()

    def settle_hand(self) -> None:
        """Take over what the shell says of who has the say, where it says that a person has."""
        shell = self.rig.shell
        before = self.hand
        by_hand = shell.state.by_hand if shell is not None else None
        self.hand = None if by_hand is None else by_hand == "on"
        if self.hand is not None:
            self.rig.relay.by = "person"
            self.hand_at = self.rig.clock.at
        if before is not None and self.hand is None:
            self.given_back_at = self.rig.clock.at

    # ---------------------------------------------------------------- what must hold

    def check(self) -> None:
        relay, shell = self.rig.relay, self.rig.shell
        heard = shell is not None and not (
            relay.away or relay.mute or relay.stubborn or relay.blind
        )
        self.reached = self.reached + 1 if heard else 0
        self.check_hand()
        ours = relay.on and relay.by == "us" and self.hand is None
        self.unlent = self.unlent + 1 if ours and not self.lent() else 0
        able = relay.timer is not None and not relay.stubborn
        if able:
            # Whatever happens to the bridge or to the way to the device.
            assert self.unlent <= LEASE + TIMER + 2, "on by our word without a lease"
        if self.unlent > 2 and not self.pressed:
            assert self.reached <= REACHED, "reached, and still on without a lease"
        self.check_words()

    def check_hand(self) -> None:
        """A press is believed as soon as it can have been seen, and stays."""
        rig, shell = self.rig, self.rig.shell
        if self.pressed is not None and shell is not None:
            on, at = self.pressed
            by_hand = None if shell.state.by_hand is None else shell.state.by_hand == "on"
            if by_hand is on:
                self.settle_hand()
                self.pressed = None
            elif self.reached >= 2 * SETTLED and rig.clock.at >= at + 2 * SETTLED:
                assert by_hand is None, "a press was not seen"
                told = shell.errand.told
                same = told is not None and told.on is on
                assert same or not self.contrary, "a press was not believed"
                # It was what the automatic wants, too; or it was given back by this.
                self.given_back_at = rig.clock.at
                self.pressed = None
        elif shell is not None and shell.state.by_hand is not None and self.hand is None:
            # What was on before the shell came counts as a person's.
            self.settle_hand()
        elif shell is not None and shell.state.by_hand is None and self.hand is not None:
            hold = rig.plan.hold
            assert hold is not None or self.missed, "a person's word was forgotten"
            self.missed = False
            self.settle_hand()
        if shell is not None and shell.state.by_hand is None and rig.relay.on:
            waits = rig.relay.by == "person" and self.reached > REACHED and not self.pressed
            if waits and not self.lent():
                late = rig.clock.at - self.given_back_at
                assert late <= RESUME + REACHED, "left on without a lease"

    def check_words(self) -> None:
        rig = self.rig
        if rig.shell is None or rig.shell.decision is None:
            return
        request = rig.shell.decision.request
        assert request.minimum == request.step == request.request
        assert request.request in (0.0, REQUEST)
        if self.gone:
            assert (request.request, request.consumption) == (0.0, None), "promised to one gone"
        if rig.shell.state.by_hand is not None and rig.decision.on is None:
            assert not request.automatic or rig.shell.seen is None
        if self.reached == 0 and rig.relay.away and rig.clock.at > rig.shell.state.known_at + 31:
            assert request.request == 0, "promised to a dead relay"


def play(bystander: Bystander, script: list[Any]) -> None:
    async def main() -> None:
        await bystander.run(script)

    anyio.run(main)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([TIMER, None]), scripts)
def test_a_hand_is_respected(timer: float | None, script: list[Any]) -> None:
    play(Bystander(PLAN, timer), script)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([TIMER, None]), scripts)
def test_a_hand_for_a_while(timer: float | None, script: list[Any]) -> None:
    play(Bystander(replace(PLAN, hold=45.0), timer), script)
