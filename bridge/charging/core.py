"""When a car is charged, with what current and on how many phases: pure, the same for every maker.

`decide(state, inputs, now)` is called after each input and once a second. It says what the charger
is to do and what the distributor is asked for. Nothing is charged without somebody's word for it:
a live allowance, the owner's lease, or a price that the owner calls low.
See docs/decisions/0014-charging-core.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bridge.charging import sentences
from bridge.charging.demand import ONE, THREE, Ladder, frame
from bridge.charging.model import ChargerWish, Decision
from bridge.charging.watch import NOTHING, State, observe
from bridge.consuming.request import Request, live

if TYPE_CHECKING:
    from bridge.charging.demand import Frame
    from bridge.charging.model import Inputs
    from bridge.charging.sentences import Words

__all__ = ["State", "decide"]

RAISE: Final = 10.0
"""S between two raises of a running current; it is lowered at once."""
RESUME: Final = 30.0
"""S after a change of phases in which going on is no new start."""
_PATIENCE: Final = 30.0
"""S that a charger may take to change its phases, once told."""
_BLIND: Final = 10.0
"""S to wait before changing phases where the power is not known."""
_RESTING: Final = 6.0


@dataclass(frozen=True, slots=True)
class _Goal:
    """What is wanted now. on: None = nobody writes, or (with `back`) the charger is given back.

    phases: those wanted in force (None: as they are). hurry: a person's word, which the minimum
    time off does not hold up.
    """

    words: Words
    on: bool | None = False
    back: bool = False
    amps: float = 0.0
    phases: int | None = None
    hurry: bool = False
    ladder: Ladder | None = None
    automatic: bool = True


def decide(state: State, inputs: Inputs, now: float) -> tuple[State, Decision]:
    """The state to hand in next time, and what follows now. `now` in monotonic seconds."""
    state = observe(state, inputs, now)
    state, goal = _goal(state, inputs, now)
    request = _request(state, inputs, goal, now)
    if goal.on is None:
        state = replace(_stopped(state, now), switching=None, sent_at=None, resume_until=-math.inf)
        # Lent phases wait: nobody changes them while the charger charges by its own control.
        wish = ChargerWish(None, inputs.owner.current) if goal.back else None
        words = goal.words
    else:
        state, wish, words = _drive(state, inputs, goal, now)
    code, sentence = words
    rest = inputs.plan.hibernate and state.car is False and inputs.owner.enable is None
    told = inputs.told is not None and inputs.told.wish == wish
    return state, Decision(
        wish=wish,
        request=request,
        code=code,
        sentence=sentence,
        by_hand=state.by_hand is not None,
        rest=rest and (told or wish is None),
    )


# -------------------------------------------------------------------------------- who has the say


def _goal(state: State, inputs: Inputs, now: float) -> tuple[State, _Goal]:
    """Who has the say, the most important first, and what follows from it."""
    plan, reading = inputs.plan, inputs.reading
    goal = _people(state, inputs)
    if goal is not None or reading is None:
        return state, goal or _Goal(sentences.SILENT, on=None)
    goal = _trouble(state, inputs, now)
    if goal is not None:
        return state, goal
    if inputs.owner.enable:
        return state, _full_power(state, inputs, plan.max_current, now, by_owner=True)
    if plan.low_price and _cheap(inputs):
        amps = plan.low_price_current or plan.max_current
        return state, _full_power(state, inputs, amps, now, by_owner=False)
    return _surplus(state, inputs, now)


def _people(state: State, inputs: Inputs) -> _Goal | None:
    """People decide against the automatic: by a control, at the charger, by its mode, or always."""
    if inputs.owner.enable is False:
        return _Goal(sentences.DISABLED, automatic=False)
    if state.by_hand is not None:
        words = sentences.STARTED if state.by_hand == "on" else sentences.STOPPED
        return _Goal(words, on=None, automatic=False)
    if inputs.owner.enable:
        return None
    if not inputs.plan.automatic:
        return _Goal(sentences.MANUAL, on=None, back=True, automatic=False)
    if inputs.reading is not None and inputs.reading.mode in inputs.plan.manual_modes:
        return _Goal(sentences.MODE, on=None, back=True, automatic=False)
    return None


def _trouble(state: State, inputs: Inputs, now: float) -> _Goal | None:
    """Nothing can be charged, or nobody wants it."""
    reading, enabled = inputs.reading, inputs.owner.enable
    if reading is not None and reading.vehicle == "fault":
        return _Goal(sentences.fault(reading.fault))
    if enabled:
        # Who has lent the charger to himself waits for the car, full or not.
        return None
    resting = inputs.plan.hibernate and state.car is False
    silent = now > inputs.read_at + inputs.silent_after * (_RESTING if resting else 1.0)
    reasons = (
        (silent, sentences.SILENT),
        (state.car is not True, sentences.NO_CAR),
        (state.full_at is not None, sentences.FULL),
        (state.astray_at is not None, sentences.ASTRAY),
        (not _frame(state, inputs).max_current, sentences.NO_CURRENT),
    )
    return next((_Goal(words) for true, words in reasons if true), None)


def _cheap(inputs: Inputs) -> bool:
    price, limit = inputs.price, inputs.price_limit
    return price is not None and limit is not None and price <= limit


def _frame(state: State, inputs: Inputs, phases: int | None = None) -> Frame:
    found = frame(
        inputs, state.volts or inputs.plan.voltage, state.car_phases, state.cap, state.phases
    )
    return found if phases in (None, found.phases) else replace(found, phases=phases)


def _full_power(state: State, inputs: Inputs, amps: float, now: float, *, by_owner: bool) -> _Goal:
    """As much as may be, on as many phases as may be, whatever the sun does."""
    found = _frame(state, inputs)
    amps = min(math.floor(amps), found.max_current)
    if amps < found.min_current:
        amps = 0.0
    phases = max(found.choices)
    if state.phases in found.choices and not _may_change(state, inputs, now):
        phases = state.phases or phases
    words = sentences.enabled if by_owner else sentences.cheap
    return _Goal(
        words(amps, found.width(phases)) if amps else sentences.NO_CURRENT,
        on=amps > 0,
        amps=amps,
        phases=phases,
        hurry=by_owner,
        automatic=False,
    )


# -------------------------------------------------------------------------------------- the sun


def _surplus(state: State, inputs: Inputs, now: float) -> tuple[State, _Goal]:
    """What the allowance carries, on the phases that suit it."""
    given = live(inputs.allowance, now, distributor=inputs.distributor)
    watts = given or 0.0
    found = _frame(state, inputs)
    state, phases = _phases(state, inputs, found, given, now)
    ladder = (found if phases == found.phases else replace(found, phases=phases)).ladder()
    amps = ladder.current(watts)
    if given is None:
        words = sentences.NO_LEASE if inputs.distributor else sentences.NO_DISTRIBUTOR
    else:
        words = sentences.waiting(ladder.base)
    if amps > 0:
        if state.on and amps > state.amps and now < state.raised_at + RAISE:
            amps = max(state.amps, ladder.current(ladder.base))
        words = sentences.charging(amps, found.width(phases))
    return state, _Goal(words, on=amps > 0, amps=amps, phases=phases, ladder=ladder)


def _phases(
    state: State, inputs: Inputs, found: Frame, watts: float | None, now: float
) -> tuple[State, int]:
    """The phases wanted; up when the sun has carried three for long enough, down when it does not.

    Down is only decided where nothing is allowed on three any more, that is, after the delays of
    the distributor. While they must not be changed yet, they stay wanted as they are.
    """
    if state.switching is not None:
        return state, state.switching
    if found.phases not in found.choices:
        return state, min(found.choices)
    if not found.both:
        return state, found.phases
    free = _may_change(state, inputs, now)
    ladder = found.ladder()
    if found.phases == THREE:
        # Without a lease nothing is known of the sun: then the car only stops.
        enough = watts is None or ladder.current(watts) > 0
        return _carrying(state, None), THREE if enough or not free else ONE
    if not state.on or watts is None or watts < ladder.up:
        return _carrying(state, None), ONE
    since = now if state.carries_since is None else state.carries_since
    state = _carrying(state, since)
    return state, THREE if free and now >= since + inputs.plan.phase_delay else ONE


def _carrying(state: State, since: float | None) -> State:
    return state if state.carries_since == since else replace(state, carries_since=since)


def _may_change(state: State, inputs: Inputs, now: float) -> bool:
    return now >= state.switched_at + inputs.plan.phase_pause


def _request(state: State, inputs: Inputs, goal: _Goal, now: float) -> Request:
    """What the distributor is asked for, in the ladder of the phases that are wanted."""
    plan, ladder = inputs.plan, goal.ladder
    power = inputs.reading.power if inputs.reading is not None else None
    request = Request(
        automatic=goal.automatic and plan.automatic,
        consumption=None if power is None else max(0.0, power),
        priority=plan.priority,
        priority_shift=plan.priority_shift,
        ignore_reservation=plan.ignore_reservation,
        start_delay=plan.start_delay,
        stop_delay=plan.stop_delay,
        min_on=plan.min_on,
        min_off=plan.min_off,
        note=_note(state, inputs, goal),
    )
    if ladder is None or goal.on is None:
        return request
    if now < state.resume_until or _leaves(state, goal):
        # Going on after a change of phases is no new start.
        request = replace(request, start_delay=0.0, min_off=0.0)
    return replace(request, note=None, request=ladder.top, minimum=ladder.base, step=ladder.unit)


def _note(state: State, inputs: Inputs, goal: _Goal) -> str:
    """Why nothing is asked for, or it is not automatic."""
    rests = goal.words == sentences.NO_CAR and state.car is False and inputs.plan.hibernate
    return sentences.note(sentences.HIBERNATES if rests else goal.words)


def _leaves(state: State, goal: _Goal) -> bool:
    """Whether a car that charges is about to change its phases."""
    return state.on and goal.phases is not None and goal.phases != state.phases


# -------------------------------------------------------------------------------- the charger


def _stopped(state: State, now: float) -> State:
    if not state.on:
        return state
    return replace(state, on=False, off_at=now, amps=0.0, carries_since=None)


def _drive(
    state: State, inputs: Inputs, goal: _Goal, now: float
) -> tuple[State, ChargerWish, Words]:
    """Bring the charger towards the goal, one safe step at a time."""
    if state.switching is None and (wanted := goal.phases) not in (None, state.phases):
        if _may_change(state, inputs, now):
            state = _begin_switch(state, wanted, now)
        elif goal.on:
            left = state.switched_at + inputs.plan.phase_pause - now
            words = sentences.held_phases(wanted or ONE, left)
            return _stopped(state, now), ChargerWish(on=False), words
    if state.switching is not None:
        return _switch(state, inputs, now)
    if not goal.on:
        return _stopped(state, now), ChargerWish(on=False), goal.words
    left = state.off_at + inputs.plan.min_off - now
    if not state.on and left > 0 and not goal.hurry and now >= state.resume_until:
        return state, ChargerWish(on=False), sentences.resting(left)
    return _on(state, inputs, goal, now)


def _on(state: State, inputs: Inputs, goal: _Goal, now: float) -> tuple[State, ChargerWish, Words]:
    if not state.on or goal.amps != state.amps or state.resume_until > -math.inf:
        raised = now if goal.amps > state.amps else state.raised_at
        state = replace(state, on=True, amps=goal.amps, raised_at=raised, resume_until=-math.inf)
    reading = inputs.reading
    switchable = reading is not None and len(reading.phases_possible) > 1
    wish = ChargerWish(True, goal.amps, state.phases if switchable else None)
    return state, wish, goal.words


def _begin_switch(state: State, phases: int | None, now: float) -> State:
    resumes = math.inf if state.on else state.resume_until
    return replace(
        _stopped(state, now),
        switching=phases,
        switching_at=now,
        sent_at=None,
        resume_until=resumes,
    )


def _switch(state: State, inputs: Inputs, now: float) -> tuple[State, ChargerWish, Words]:
    """Change the phases with the charging paused: stop, wait for the power to go, change, go on."""
    reading, told, target = inputs.reading, inputs.told, state.switching
    words = sentences.switching(target or ONE)
    if reading is None or target is None:
        return state, ChargerWish(on=False), words
    if state.sent_at is None:
        if told is None or told.wish.on is not False or inputs.read_at <= told.at:
            return state, ChargerWish(on=False), words
        blind = reading.power is None and now < told.at + _BLIND
        if blind or reading.forced == "on" or (reading.power or 0.0) >= NOTHING:
            return state, ChargerWish(on=False), words
        state = replace(state, sent_at=now, switched_at=now)
    sent = state.sent_at if state.sent_at is not None else now
    confirmed = told is not None and told.at >= sent and told.wish.phases == target
    if told is not None and confirmed:
        state = replace(state, switched_at=told.at)
    if reading.phases is None:
        # A charger that does not tell its phases is believed, after a while.
        done = confirmed and now >= sent + _PATIENCE
    else:
        done = inputs.read_at > sent and reading.phases == target
    if not done and now < sent + 2 * _PATIENCE:
        return state, ChargerWish(on=False, phases=target), words
    # A change that failed was a stop: the minimum time off holds.
    return (
        replace(
            state,
            switching=None,
            sent_at=None,
            phases=target if done else reading.phases or state.phases,
            resume_until=now + RESUME if done and state.resume_until > now else -math.inf,
        ),
        ChargerWish(on=False, phases=target if done else None),
        words,
    )
