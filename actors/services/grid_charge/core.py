"""Whether to charge from the grid now. Pure: the wall clock for the curves, monotonic s for holds.

Safety (an unknown input, the owner's switch, price and charge limits) ends charging at once; a new
start waits until `interval` after the last end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from actors.services.grid_charge.planning import Plan, Policy, best, steps_of
from bridge.curve.heard import value_at
from bridge.known import known

if TYPE_CHECKING:
    from datetime import datetime

    from actors.services.grid_charge.profile import Profile
    from bridge.curve.heard import Rows

Action = Literal["charge", "keep", "leave"]
_AGAIN: Final = 3.0  # % below the target at which charging begins again
_REPLAN: Final = 900.0
_MOVED: Final = 5.0  # % of charge after which the plan is made anew
_LEAST: Final = 100.0  # W; less is no charging


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known; None is unknown, and `why` says in one sentence why.

    demand: W that the house needs beyond its sun (grid + battery); sun: the forecast, or `no_sun`
    where the house has none; exports: what is paid for feeding in, as far as it is told.
    """

    soc: float | None
    demand: float | None
    prices: Rows | None
    sun: Rows | None = None
    no_sun: bool = False
    allowed: bool | None = True
    why: str | None = None
    exports: Rows = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """action: what the battery shall do; power: W to charge with (0 when it does not)."""

    action: Action
    power: float
    code: str
    sentence: str


@dataclass(slots=True)
class State:
    """The policy in force, what it was made from, and when the action changed last."""

    policy: Policy | None = None
    planned_at: float = -math.inf
    planned_for: tuple[object, ...] = ()
    planned_soc: float = math.nan
    horizon: float = 0.0
    action: Action = "leave"
    left_at: float = -math.inf
    idle_since: float | None = field(default=None)


def due(state: State, inputs: Inputs, utc: datetime, now: float) -> bool:
    """True when a plan can and should be made: new curves, another slot, another charge, time."""
    soc = _soc(inputs)
    if soc is None or inputs.prices is None or not (inputs.sun or inputs.no_sun):
        return False
    moved = not abs(soc - state.planned_soc) < _MOVED
    return moved or now - state.planned_at >= _REPLAN or _basis(inputs, utc) != state.planned_for


def make_plan(
    plan: Plan, state: State, inputs: Inputs, profile: Profile, utc: datetime, now: float
) -> None:
    """Find the best policy and keep it; this takes a moment of computing."""
    soc = _soc(inputs)
    if soc is None or inputs.prices is None:
        return
    sun = None if inputs.no_sun else inputs.sun
    steps = steps_of(inputs.prices, sun, profile, utc, inputs.exports)
    state.policy = best(plan, steps, soc)
    state.horizon = sum(step.hours for step in steps)
    state.planned_at, state.planned_for = now, _basis(inputs, utc)
    state.planned_soc = soc


def _soc(inputs: Inputs) -> float | None:
    return known(inputs.soc, 0.0, 100.0)


def _basis(inputs: Inputs, utc: datetime) -> tuple[object, ...]:
    slot = next((row[0] for row in inputs.prices or () if row[0] <= utc < row[1]), None)
    return (inputs.prices, inputs.exports, inputs.sun, slot)


def decide(plan: Plan, state: State, inputs: Inputs, utc: datetime, now: float) -> Decision:
    """What to do at this moment by the policy in force."""
    stop = _reason_to_stop(plan, state, inputs, utc)
    if stop is not None:
        return _leave(state, *stop, now)
    assert inputs.soc is not None  # noqa: S101 - _reason_to_stop has seen to it
    assert inputs.demand is not None  # noqa: S101 - as above
    assert state.policy is not None  # noqa: S101 - as above
    policy, target = state.policy, min(state.policy.target, plan.soc_max)
    begin = target if state.action == "charge" else target - _AGAIN
    if state.action == "leave" and now - state.left_at < plan.interval:
        text = "the battery was let go a moment ago, and charging does not begin again so soon"
        return Decision("leave", 0.0, "wait", text)
    if inputs.soc < begin or (state.action == "leave" and inputs.soc < target):
        # What the meter shows is the house's and the battery's together, whatever the house draws.
        house = 0.0 if plan.at_meter else max(inputs.demand, 0.0)
        power = min(plan.power, plan.max_import - house)
        if power < _LEAST:
            return _leave(state, "import", "the house draws all that may be imported", now)
        state.action, state.idle_since = "charge", None
        text = (
            f"charging from the grid up to {target:g} %, at up to {policy.price:g}/kWh:"
            f" {policy.bought:.1f} kWh that save {policy.gain:.2f}"
        )
        return Decision("charge", power, "charge", text)
    return _keep(plan, state, inputs.demand, target, now)


def _keep(plan: Plan, state: State, demand: float, target: float, now: float) -> Decision:
    """Full enough: what is in it stays in it while power is cheap, but the sun may come in."""
    if demand > 0:
        state.idle_since = None
    elif state.action == "leave":
        return Decision("leave", 0.0, "sun", "the sun carries the house")
    elif state.idle_since is None:
        state.idle_since = now
    elif now - state.idle_since >= plan.interval:
        return _leave(state, "sun", "the sun carries the house", now)
    state.action = "keep"
    return Decision("keep", 0.0, "keep", f"{target:g} % are kept for dearer hours")


def _leave(state: State, code: str, sentence: str, now: float) -> Decision:
    if state.action != "leave":
        state.left_at = now
    state.action, state.idle_since = "leave", None
    return Decision("leave", 0.0, code, sentence)


def _reason_to_stop(
    plan: Plan, state: State, inputs: Inputs, utc: datetime
) -> tuple[str, str] | None:
    if inputs.allowed is False:
        return "off", "switched off by its owner"
    price = None if inputs.prices is None else value_at(inputs.prices, utc)
    unknown = _unknown(inputs, price, utc)
    if unknown is not None or price is None:
        return "unknown", unknown or "the tariff does not tell a price for now"
    if state.policy is None:
        return "idle", f"buying for later does not pay in the {state.horizon:.0f} h that are known"
    limit = min(plan.max_price, state.policy.price)
    if price > limit:
        return "dear", f"power costs {price:g}/kWh; it is bought at up to {limit:g}/kWh"
    return None


def _unknown(inputs: Inputs, price: float | None, utc: datetime) -> str | None:
    if None in (inputs.allowed, _soc(inputs), known(inputs.demand)) or inputs.prices is None:
        return inputs.why or "what is needed for a decision is not known"
    if price is None:
        return "the tariff does not tell a price for now"
    if not inputs.no_sun and (inputs.sun is None or value_at(inputs.sun, utc) is None):
        return inputs.why or "the forecast says nothing about now"
    return None
