"""When a device is on that can only be on or off: pure, the same for every make.

`decide(state, inputs, now)` is called after each input and once a second. Nothing is switched on
without a live allowance of all that it draws, and nothing is switched at all while a person has the
say. See docs/decisions/0020-switching-core.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bridge.consuming.request import Request, live
from bridge.switching import sentences
from bridge.switching.model import Decision

if TYPE_CHECKING:
    from bridge.consuming.journal import Pressed
    from bridge.switching.model import Inputs, Seen
    from bridge.switching.sentences import Words

SETTLED: Final = 5.0
"""S after a write from which on a reading must agree with it."""
RESUME: Final = 30.0
"""S that a device which is given back while it is on may wait for its allowance."""
_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one decision leaves to the next.

    begun: it was seen on or off in this life. known_at, was_on: when last, and which. on: what was
    wished last; off_at: when it was last switched off, by whomever. by_hand, by_hand_at: what a
    person switched, and when; wanted: what the device had by our word then. returning_until: until
    then it may stay on as a person left it.
    """

    begun: bool = False
    known_at: float = -math.inf
    was_on: bool = False
    on: bool = False
    off_at: float = -math.inf
    by_hand: Pressed | None = None
    by_hand_at: float = -math.inf
    wanted: bool = False
    returning_until: float = -math.inf


def decide(state: State, inputs: Inputs, now: float) -> tuple[State, Decision]:
    """The state to hand in next time, and what follows now. `now` in monotonic seconds."""
    state = _observe(state, inputs, now)
    plan = inputs.plan
    if state.by_hand is not None:
        heard = state.known_at > -math.inf
        words = sentences.by_hand(state.by_hand, plan.hold, heard=heard)
        return state, _decision(state, inputs, now, None, words, automatic=False, asks=False)
    trouble = _trouble(state, inputs, now)
    if trouble is not None:
        ours = inputs.told is not None or bool(inputs.tried)
        state = replace(_stopped(state, now), returning_until=-math.inf)
        return state, _decision(state, inputs, now, False if ours else None, trouble, asks=False)
    state, on, words = _share(state, inputs, now)
    return state, _decision(state, inputs, now, on, words)


def person(state: State, on: bool, now: float) -> State:
    """A person has switched the device, there or by its control: it is his, or ours again."""
    pressed: Pressed = "on" if on else "off"
    if state.by_hand == pressed:
        return replace(state, by_hand_at=now)
    if not on and (state.on or state.was_on or state.by_hand == "on"):
        state = replace(state, off_at=now)
    if state.by_hand is not None and on is state.wanted:
        return given_back(state, now, on=on)
    return replace(
        state,
        begun=True,
        on=False,
        by_hand=pressed,
        by_hand_at=now,
        wanted=state.on if state.by_hand is None else state.wanted,
        returning_until=-math.inf,
    )


def given_back(state: State, now: float, *, on: bool | None) -> State:
    """The automatic has the say again. A device that is on may wait for its allowance."""
    if state.by_hand is None:
        return state
    until = now + RESUME if on else -math.inf
    return replace(state, by_hand=None, on=False, wanted=False, returning_until=until)


# ------------------------------------------------------------------------------- what is seen


def _observe(state: State, inputs: Inputs, now: float) -> State:
    """Who has the say after what the newest reading shows."""
    seen = inputs.seen
    if inputs.released:
        state = given_back(state, now, on=seen.on if seen is not None else None)
    if seen is None or seen.on is None:
        return _held_long(state, inputs, now, on=None)
    if state.was_on and not seen.on:
        # However it went off and whenever it was told: from here on it rests.
        state = replace(state, off_at=seen.at)
    state = replace(state, known_at=max(state.known_at, seen.at), was_on=seen.on)
    if state.by_hand is not None:
        differs = seen.on is not (state.by_hand == "on")
        if differs and seen.at >= state.by_hand_at + SETTLED:
            return person(state, seen.on, now)
        return _held_long(state, inputs, now, on=seen.on)
    if not state.begun:
        state = replace(state, begun=True)
        # What is on before anything was told in this life was switched on by somebody else.
        started = seen.on and inputs.told is None and not inputs.tried
        return person(state, on=True, now=now) if started else state
    if contradicts(inputs):
        return person(state, seen.on, now)
    return _lapsed(state, inputs, seen, now)


def contradicts(inputs: Inputs) -> bool:
    """Whether the reading shows something that the device was not told and did not do by itself."""
    seen, told = inputs.seen, inputs.told
    if seen is None or seen.on is None or told is None or seen.on in inputs.tried:
        return False
    if seen.at < told.at + SETTLED:
        return False
    if told.on and seen.on:
        # Its own timer was over long ago: somebody has switched it on again.
        return seen.at >= told.until + SETTLED
    # A timer that has run out is nobody's word.
    return seen.on is not told.on and (seen.on or seen.at < told.until)


def _held_long(state: State, inputs: Inputs, now: float, *, on: bool | None) -> State:
    hold = inputs.plan.hold
    if state.by_hand is None or hold is None or now < state.by_hand_at + hold:
        return state
    return given_back(state, now, on=on)


def _lapsed(state: State, inputs: Inputs, seen: Seen, now: float) -> State:
    """Its own timer has switched it off, or a person has while it was being given back."""
    told = inputs.told
    if state.on and not seen.on and told is not None and told.on and seen.at >= told.until:
        return _stopped(state, now)
    if now < state.returning_until and not seen.on:
        return replace(state, returning_until=-math.inf, off_at=now)
    return state


# ------------------------------------------------------------------------------- what is done


def _trouble(state: State, inputs: Inputs, now: float) -> Words | None:
    """Nothing can be promised to a device that is not heard or does not follow."""
    if now > state.known_at + inputs.silent_after:
        return sentences.SILENT
    pause = min(_PAUSE * 2.0 ** min(inputs.misses - 1, 10), _LONGEST_PAUSE)
    if inputs.stuck or (inputs.misses and now < inputs.missed_at + pause):
        return sentences.ASTRAY
    return None


def _share(state: State, inputs: Inputs, now: float) -> tuple[State, bool | None, Words]:
    """What the allowance says: all that it draws, or off."""
    plan, told = inputs.plan, inputs.told
    watts = live(inputs.allowance, now, distributor=inputs.distributor)
    returns = now < state.returning_until
    if watts is not None and watts >= _asked(plan.request):
        rested = max(state.off_at + plan.min_off, told.at + SETTLED if told else -math.inf)
        if not state.on and not returns and now < rested:
            return state, False, sentences.resting(rested - now)
        state = replace(state, on=True, returning_until=-math.inf)
        return state, True, sentences.running(watts)
    if returns:
        return state, None, sentences.returning(plan.request, state.returning_until - now)
    words = sentences.waiting(plan.request)
    if watts is None:
        words = sentences.NO_LEASE if inputs.distributor else sentences.NO_DISTRIBUTOR
    if state.returning_until > -math.inf:
        state = replace(state, returning_until=-math.inf, off_at=now)
    return _stopped(state, now), False, words


def _asked(watts: float) -> float:
    """As it is published: an allowance is never finer."""
    return round(watts, 1)


def _stopped(state: State, now: float) -> State:
    return replace(state, on=False, off_at=now) if state.on else state


def _decision(
    state: State,
    inputs: Inputs,
    now: float,
    on: bool | None,
    words: Words,
    *,
    automatic: bool = True,
    asks: bool = True,
) -> Decision:
    plan = inputs.plan
    watts = _asked(plan.request) if asks else 0.0
    # Going on as a person left it is no new start.
    resumes = now < state.returning_until
    rests = not (state.on or state.was_on or resumes) and state.off_at > -math.inf
    request = Request(
        automatic=automatic,
        request=watts,
        minimum=watts,
        step=watts,
        consumption=_drawn(state, inputs, now),
        priority=plan.priority,
        priority_shift=plan.priority_shift,
        ignore_reservation=plan.ignore_reservation,
        start_delay=0.0 if resumes else plan.start_delay,
        stop_delay=plan.stop_delay,
        min_on=plan.min_on,
        min_off=0.0 if resumes else plan.min_off,
        off_since=state.off_at if rests else None,
        note=None if automatic and asks else words[1],
    )
    return Decision(on, request, *words)


def _drawn(state: State, inputs: Inputs, now: float) -> float | None:
    """What it draws: measured, else by its state; unknown while nothing is heard."""
    seen = inputs.seen
    if seen is None or now > max(seen.at, state.known_at) + inputs.silent_after:
        return None
    if seen.power is not None:
        return max(0.0, seen.power)
    if seen.on is None:
        return None
    return inputs.plan.request if seen.on else 0.0
