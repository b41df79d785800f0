"""The controls of a system: what each says about what was read, and how it changes it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from actors.devices.alphaess.periods import CHARGE, DISCHARGE, Fields, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.devices.alphaess.weekly import Plan

Value = float | str | bool

SWITCHES: Final = {"GridCharge": CHARGE, "TimedDischarge": DISCHARGE}
SIDES: Final = {
    **SWITCHES,
    "GridChargeMaxSoc": CHARGE,
    "MinSoc": DISCHARGE,
    "ChargeSchedule": CHARGE,
    "DischargeSchedule": DISCHARGE,
}
SCHEDULE: Final = "Schedule"
CURRENT: Final = "ChargeCurrent"
ENABLE: Final = "ChargeEnable"
KEPT: Final = (*SIDES, SCHEDULE)
LONGEST: Final = 255


def of_side(side: Side, fields: Fields) -> dict[str, Value]:
    """What the controls of one side are set to."""
    told: dict[str, Value] = {}
    for name, each in SIDES.items():
        if each is not fields:
            continue
        if name in SWITCHES:
            told[name] = side.on
        elif name.endswith("Schedule"):
            told[name] = side.text
        else:
            told[name] = float(side.stop)
    return told


def changed(name: str, value: Value) -> Callable[[Side], Side]:
    """How a control changes its side. Raises DeviceRefused when the change is made, not before."""

    def change(side: Side) -> Side:
        if name in SWITCHES:
            return replace(side, on=bool(value))
        if isinstance(value, str):
            return side.with_periods(value)
        return side.with_stop(float(value))

    return change


def of_plan(plan: Plan, *, alone: bool) -> dict[str, Value | None]:
    """What a schedule says; `alone`: the system has no other settings, so it has the switches."""
    text = plan.text
    told: dict[str, Value | None] = {SCHEDULE: text if len(text) <= LONGEST else None}
    if alone:
        told |= {"GridCharge": plan.charge, "TimedDischarge": plan.discharge}
    return told


def changed_plan(name: str, value: Value) -> Callable[[Plan], Plan]:
    """How one of the two switches changes a schedule."""
    field = "charge" if name == "GridCharge" else "discharge"

    def change(plan: Plan) -> Plan:
        return replace(plan, **{field: bool(value)})  # type: ignore[arg-type]

    return change
