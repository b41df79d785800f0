"""How fast the battery may charge. Pure: SoC in %, the limit in A or W, times in monotonic s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import ExpressionError
from bridge.known import known
from bridge.pace import Pace

if TYPE_CHECKING:
    from bridge.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the owner has chosen. limit: fixed, or an expression of SOC; unit: of all of them."""

    limit: float | Expression
    min: float
    max: float
    step: float
    interval: float = 300.0
    writes: int = 40
    unit: str = "A"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The state of charge in %, the owner's switch; None is unknown, and `why` says why."""

    soc: float | None
    allowed: bool | None = True
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """value: the limit, None to give back. code: `limit`, `unknown`, `off`, `wait` or `budget`."""

    value: float | None
    code: str
    sentence: str


def new_pace(plan: Plan) -> Pace:
    """A limit that was not set yet."""
    return Pace(plan.step, plan.interval, plan.writes)


def decide(plan: Plan, pace: Pace, inputs: Inputs, now: float) -> Decision:
    """The limit to hold now. A fixed one needs no state of charge."""
    if inputs.allowed is not True:
        pace.follow(None, now)
        if inputs.allowed is False:
            return Decision(None, "off", "switched off by its owner")
        return Decision(None, "unknown", inputs.why or "it is not known whether it is switched on")
    wanted, trouble = _limit(plan, inputs)
    if wanted is None:
        pace.follow(None, now)
        return Decision(None, "unknown", trouble or "the limit cannot be computed")
    held = pace.follow(min(max(wanted, plan.min), plan.max), now)
    if held is None:
        if pace.exhausted:
            text = f"the limit was changed {plan.writes} times in a day: it may not be set again"
            return Decision(None, "budget", text)
        return Decision(None, "wait", "the limit was given back a moment ago, not set so soon")
    value = min(max(held, plan.min), plan.max)
    at = "" if inputs.soc is None else f" at {inputs.soc:g} %"
    return Decision(value, "limit", f"the battery may charge with {value:g} {plan.unit}{at}")


def _limit(plan: Plan, inputs: Inputs) -> tuple[float | None, str | None]:
    if isinstance(plan.limit, (int, float)):
        return float(plan.limit), None
    soc = known(inputs.soc, 0.0, 100.0)
    if plan.limit.names and soc is None:
        return None, inputs.why or "the state of charge is not known"
    try:
        return plan.limit.evaluate({"SOC": soc or 0.0}), None
    except ExpressionError as error:
        return None, str(error)
