"""What is learned by watching the charger: who has the say, whether the car is full, what it takes.

Pure: a state and a reading in, a state out. Times are monotonic seconds, A per phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bridge.charging.demand import THREE, volts_of

if TYPE_CHECKING:
    from bridge.charging.model import ChargerReading, Forced, Inputs
    from bridge.consuming.journal import Pressed

NOTHING: Final = 100.0
"""W: a car that takes less than this takes nothing; electronics may."""
AGAIN: Final = 3600.0
"""S after which a car that took nothing is asked again."""
SETTLED: Final = 5.0
"""S after a write from which on a reading must agree with it."""
_FULL, _COMPLETE = 120.0, 30.0
_STEADY: Final = 60.0
_SEEN: Final = 30.0
_WORKING: Final = 1000.0
_BELOW, _REACHED = 1.5, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one decision leaves to the next.

    on, off_at: what was wished last, and when it was last stopped. amps, raised_at: what
    the car was allowed last. phases: those in force, as far as known. switching: to how many, and
    switching_at, sent_at: since when, and when the charger was told; switched_at: the last time
    that phases were changed. carries_since: since when the sun carries three. resume_until: until
    then a stop was only a change of phases. volts: of the ladder. car: whether one is there.
    enable: the owner's lease as it was. by_hand: what a person pressed; excused: (what was pressed,
    until when) and does not count any more. idle_since, full_at: the car takes nothing. astray_at:
    the charger did not keep what it was told. car_phases, seen: what the car uses of three phases,
    and (count, since) of what is just being seen. cap: most A that it takes, when that is less than
    it may.
    """

    on: bool = False
    off_at: float = -math.inf
    amps: float = 0.0
    raised_at: float = -math.inf
    phases: int | None = None
    switching: int | None = None
    switching_at: float = -math.inf
    sent_at: float | None = None
    switched_at: float = -math.inf
    carries_since: float | None = None
    resume_until: float = -math.inf
    volts: float | None = None
    car: bool | None = None
    enable: bool | None = None
    by_hand: Pressed | None = None
    excused: tuple[Forced, float] | None = None
    idle_since: float | None = None
    full_at: float | None = None
    astray_at: float | None = None
    car_phases: int | None = None
    seen: tuple[int, float] | None = None
    cap: float | None = None


def observe(state: State, inputs: Inputs, now: float) -> State:
    """The state after what the newest reading shows."""
    enable = inputs.owner.enable
    if inputs.released or (enable is not None and enable != state.enable):
        state = replace(
            state,
            by_hand=None,
            full_at=None,
            idle_since=None,
            astray_at=None,
            excused=_pressed_now(inputs, now),
        )
    if enable is not state.enable:
        state = replace(state, enable=enable)
    reading = inputs.reading
    if reading is None:
        return replace(state, volts=state.volts or inputs.plan.voltage)
    if reading.car is False and state.car is not False:
        state = _new_session(state, _pressed_now(inputs, now))
    state = _hand(_plain(state, inputs, reading, now), inputs, reading)
    state = _astray(state, inputs, now)
    state = _full(state, inputs, reading, now)
    return _appetite(state, inputs, reading, now)


def _pressed_now(inputs: Inputs, now: float) -> tuple[Forced, float] | None:
    forced = inputs.reading.forced if inputs.reading is not None else None
    return None if forced is None else (forced, now)


def _plain(state: State, inputs: Inputs, reading: ChargerReading, now: float) -> State:
    """What a reading says by itself: the car, the phases, the volts."""
    car = state.car if reading.car is None else reading.car
    phases = _in_force(reading, state.phases)
    volts = volts_of(reading, state.volts or inputs.plan.voltage)
    if (car, phases, volts) == (state.car, state.phases, state.volts):
        return state
    changed = state.switched_at
    if state.switching is None and state.phases is not None and phases != state.phases:
        # Somebody else has changed them; the contactor needs its pause all the same.
        changed = now
    return replace(state, car=car, phases=phases, volts=volts, switched_at=changed)


def _in_force(reading: ChargerReading, before: int | None) -> int | None:
    """The phases that are switched through; where it is not told, the only ones that can be."""
    if reading.phases is None and len(reading.phases_possible) == 1:
        return min(reading.phases_possible)
    return reading.phases or before


def _new_session(state: State, excused: tuple[Forced, float] | None) -> State:
    """The car has gone: the next one may be another, and what a person pressed was for this one."""
    return replace(
        state,
        by_hand=None,
        excused=excused,
        idle_since=None,
        full_at=None,
        astray_at=None,
        car_phases=None,
        seen=None,
        cap=None,
    )


def _hand(state: State, inputs: Inputs, reading: ChargerReading) -> State:
    """Whether somebody has pressed start or stop since the charger was told something else.

    Neutral is nobody's word: the charger may have forgotten. Before anything was told in this
    life, `on` is a person's word; `off` may be what an earlier life has left. What was tried
    without an answer is ours, too: the charger may have heard it.
    """
    forced, told = reading.forced, inputs.told
    if forced is None:
        return state
    if state.excused is not None:
        word, until = state.excused
        if forced == word and (told is None or told.at <= until):
            return state
        state = replace(state, excused=None)
    if forced == "neutral" or (forced == "on") in inputs.tried:
        return state
    if told is None:
        pressed = forced == "on"
    else:
        pressed = inputs.read_at >= told.at + SETTLED and told.wish.on is not (forced == "on")
    return replace(state, by_hand=forced) if pressed else state


def _astray(state: State, inputs: Inputs, now: float) -> State:
    """Whether the charger draws by its own will while it is on by ours."""
    if inputs.astray and state.on:
        return replace(state, astray_at=now)
    if state.astray_at is not None and now >= state.astray_at + AGAIN:
        return replace(state, astray_at=None)
    return state


def _full(state: State, inputs: Inputs, reading: ChargerReading, now: float) -> State:
    """A car that may charge and takes nothing is full, or waits for a time of its own."""
    if state.full_at is not None and now >= state.full_at + AGAIN:
        state = replace(state, full_at=None, idle_since=None)
    told = inputs.told
    if not state.on or told is None or told.wish.on is not True or inputs.read_at < told.at:
        return state if state.idle_since is None else replace(state, idle_since=None)
    if reading.power is None:
        idle = reading.vehicle in ("waiting", "complete")
    else:
        idle = reading.power < NOTHING
    if not idle:
        known = state.idle_since is not None or state.full_at is not None
        return replace(state, idle_since=None, full_at=None) if known else state
    since = now if state.idle_since is None else state.idle_since
    patience = _COMPLETE if reading.vehicle == "complete" else _FULL
    full = now if now >= since + patience else None
    return replace(state, idle_since=since, full_at=full)


def _appetite(state: State, inputs: Inputs, reading: ChargerReading, now: float) -> State:
    """How many phases the car uses, and how much of the current that it may take."""
    told, carrying, draw = inputs.told, reading.carrying, reading.draw
    power = reading.power or 0.0
    idle = not state.on or told is None or told.wish.on is not True
    if idle or told is None or not carrying or draw is None or power < NOTHING:
        return state if state.seen is None else replace(state, seen=None)
    if reading.phases == THREE and state.car_phases and carrying > state.car_phases:
        # It takes more than was thought, perhaps more than is allowed: that counts at once.
        state = replace(state, car_phases=carrying)
    elif reading.phases == THREE and power > _WORKING:
        if state.seen is None or state.seen[0] != carrying:
            state = replace(state, seen=(carrying, now))
        elif now >= state.seen[1] + _SEEN and state.car_phases != carrying:
            state = replace(state, car_phases=carrying)
    offered = told.wish.current
    if offered is None or now < told.at + _STEADY:
        return state
    if draw < offered - _BELOW:
        return replace(state, cap=math.ceil(draw) + 1.0)
    if state.cap is not None and draw >= state.cap - _REACHED:
        return replace(state, cap=None)
    return state
