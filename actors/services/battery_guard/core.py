"""What the battery may do while a car charges. Pure: powers in W, times in monotonic s.

What the house needs beyond its sun is what comes from the grid and out of the battery together,
whoever of the two delivers it now: `demand = GridPower + BatteryPower`. Of that the car's part goes
to the grid, the rest stays with the battery.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from bridge.known import known
from bridge.pace import Pace, Urgent

Mode = Literal["cover", "hold"]
Control = Literal[
    "GridSetpoint", "MaxDischargePower", "MaxDischargeCurrent", "BatterySetpoint", "BatteryMode"
]
HOLD: Final = "hold"
# The direction in which a change cannot wait: never too much from the grid.
_URGENT: Final[dict[str, Urgent]] = {
    "GridSetpoint": "down",
    "MaxDischargePower": "up",
    "MaxDischargeCurrent": "up",
    "BatterySetpoint": "both",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the owner has chosen; W (A for a current), V and s. See the README."""

    control: Control = "GridSetpoint"
    mode: Mode = "cover"
    base: float = 0.0
    max: float = 11000.0
    min_power: float = 200.0
    step: float = 250.0
    interval: float = 60.0
    settle: float = 8.0
    writes: int = 40
    voltage: float | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known now; None is unknown, and `why` says in one sentence why.

    grid: W, + import; battery: W, + discharge; car: W, all chargers together; allowed: the
    owner's switch, true without one; age: s that the meter's reading is old.
    """

    grid: float | None
    battery: float | None
    car: float | None
    allowed: bool | None = True
    why: str | None = None
    age: float = 0.0


@dataclass(slots=True)
class State:
    """What the guard remembers: its writes, what it set last and from which demand, and pauses."""

    pace: Pace
    value: float | str | None = None
    changed_at: float = -math.inf
    demand: float | None = None
    holding: bool = False
    idle_since: float | None = None
    released_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class Decision:
    """value: what the control shall be, None to give it back. uncovered: the car's W from the grid.

    code: `idle`, `unknown`, `off`, `sun`, `wait`, `guard` or `budget`; sentence: for people.
    """

    value: float | str | None
    code: str
    sentence: str
    uncovered: float | None = None


def new_state(plan: Plan) -> State:
    """A guard that holds nothing."""
    urgent = _URGENT.get(plan.control, "none")
    return State(Pace(plan.step, plan.interval, plan.writes, urgent))


def decide(plan: Plan, state: State, inputs: Inputs, now: float) -> Decision:
    """What to hold now; unknown inputs, an idle car and the owner's switch end it."""
    grid, battery, car = known(inputs.grid), known(inputs.battery), known(inputs.car)
    inputs = replace(inputs, grid=grid, battery=battery, car=car)
    found = _decide(plan, state, inputs, now)
    if found.value != state.value:
        state.value, state.changed_at = found.value, now
    return found


def _decide(plan: Plan, state: State, inputs: Inputs, now: float) -> Decision:
    stop = _reason_to_stop(plan, inputs)
    if stop is not None:
        return _let_go(state, *stop, now)
    assert inputs.grid is not None  # noqa: S101 - _reason_to_stop has seen to it
    assert inputs.battery is not None  # noqa: S101 - as above
    assert inputs.car is not None  # noqa: S101 - as above
    # Meter and battery do not tell of our own change at the same moment: until both must have,
    # the demand from before it stands. What the car draws counts at once.
    if now - inputs.age >= state.changed_at + plan.settle or state.demand is None:
        state.demand = inputs.grid + inputs.battery
    demand = state.demand
    cap = inputs.car if plan.mode == "cover" else math.inf
    to_grid = min(max(demand, 0.0), cap)
    from_battery = max(demand, 0.0) - to_grid
    if plan.control == "BatteryMode":
        return _toggle(plan, state, inputs.car, to_grid, now)
    wanted = _wanted(plan, to_grid, from_battery, demand)
    if wanted is None:
        text = f"the car draws {inputs.car:.0f} W, all of it from the sun"
        return _let_go(state, "sun", text, now)
    held = state.pace.follow(wanted, now)
    if held is None or (plan.control == "GridSetpoint" and held <= 0):
        return _without_value(plan, state, inputs.car, to_grid)
    value = min(held, plan.max)
    if plan.control == "GridSetpoint":
        value = min(plan.base + held, plan.max)
    return Decision(value, "guard", _words(plan, inputs.car, to_grid, value), to_grid)


def _reason_to_stop(plan: Plan, inputs: Inputs) -> tuple[str, str] | None:
    if inputs.allowed is False:
        return "off", "switched off by its owner"
    if inputs.car is not None and inputs.car < plan.min_power:
        return "idle", "the car does not charge"
    if None in (inputs.grid, inputs.battery, inputs.car, inputs.allowed):
        return "unknown", inputs.why or "what flows in the house is not known"
    return None


def _let_go(state: State, code: str, sentence: str, now: float) -> Decision:
    state.pace.follow(None, now)
    if state.holding:
        state.released_at = now
    state.holding, state.idle_since = False, None
    return Decision(None, code, sentence)


def _wanted(plan: Plan, to_grid: float, from_battery: float, demand: float) -> float | None:
    """The control's value before it is paced; None where the sun does it all."""
    match plan.control:
        case "GridSetpoint":
            return min(to_grid, plan.max - plan.base) if to_grid > 0 else None
        case "BatterySetpoint":
            # With sun left over the battery must be free to charge.
            return min(from_battery, plan.max) if demand > 0 else None
        case "MaxDischargeCurrent":
            assert plan.voltage  # noqa: S101 - the settings are refused without it
            return min(from_battery / plan.voltage, plan.max)
        case _:
            return min(from_battery, plan.max)


def _without_value(plan: Plan, state: State, car: float, to_grid: float) -> Decision:
    if state.pace.exhausted:
        sentence = (
            f"{plan.control} was changed {plan.writes} times in a day, which is its limit:"
            " the battery helps the car until it may be written again"
        )
        return Decision(None, "budget", sentence)
    if to_grid < plan.step:
        return Decision(None, "sun", f"the car draws {car:.0f} W, nearly all from the sun")
    left = f"{plan.control} was given back a moment ago and is not written again so soon"
    return Decision(None, "wait", left)


def _toggle(plan: Plan, state: State, car: float, to_grid: float, now: float) -> Decision:
    """A mode is held or not; sun for less than `interval` does not end it."""
    needed = to_grid >= plan.step
    if state.holding:
        if needed:
            state.idle_since = None
        elif state.idle_since is None:
            state.idle_since = now
        elif now - state.idle_since >= plan.interval:
            text = f"the car draws {car:.0f} W, all of it from the sun"
            return _let_go(state, "sun", text, now)
        return Decision(HOLD, "guard", _words(plan, car, to_grid, HOLD), to_grid)
    if not needed:
        return Decision(None, "sun", f"the car draws {car:.0f} W, all of it from the sun")
    if now - state.released_at < plan.interval:
        return Decision(None, "wait", "the battery was let go a moment ago and is not held so soon")
    if not state.pace.spend(now):
        return _without_value(plan, state, car, to_grid)
    state.holding, state.idle_since = True, None
    return Decision(HOLD, "guard", _words(plan, car, to_grid, HOLD), to_grid)


def _words(plan: Plan, car: float, to_grid: float, value: float | str) -> str:
    shown = value if isinstance(value, str) else f"{value:.0f}"
    unit = {"MaxDischargeCurrent": " A", "BatteryMode": ""}.get(plan.control, " W")
    whose = "of it" if plan.mode == "cover" else "of the house"
    return (
        f"the car draws {car:.0f} W, {to_grid:.0f} W {whose} not from the sun:"
        f" {plan.control} {shown}{unit}"
    )
