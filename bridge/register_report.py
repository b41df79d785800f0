"""What a person should know of a register device after a reading: refused rows, unknown values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.modbus.registers import Registers
    from bridge.register_device import RegisterDevice
    from bridge.registers.controls import Asked
    from bridge.registers.model import RegisterMap, Value

_MOST = 12


def control_states(actor: RegisterDevice) -> dict[str, dict[str, Asked | None]]:
    """What the last reading says of each control that is offered, by device; None = unknown.

    Controls of which no register tells are left out.
    """
    return {
        bound.device: {
            name: recipe.state(actor.registers[bound.device].values)
            for name, recipe in bound.all_recipes().items()
            if bound.offers(name) and recipe.tells_state
        }
        for bound in actor.bound
    }


def report(registers: Registers, values: Mapping[str, Value | None]) -> Iterator[str]:
    """Sentences about one device; `values` are its quantities as they were read just now."""
    table = registers.table
    if registers.refused:
        named = [
            f"{name} ({table[name].address})" if name in table else name
            for name in registers.refused
        ]
        yield f"it refuses {_count(named, 'register')}: {_some(named)}"
    by_reason: dict[str, list[str]] = {}
    for name, value in values.items():
        if value is None:
            by_reason.setdefault(_why(registers, name), []).append(name)
    for reason, names in by_reason.items():
        yield f"{_count(names, 'value')} unknown, because {reason}: {_some(names)}"


def _why(registers: Registers, quantity: str) -> str:
    rows = set(_rows_of(registers.table, quantity))
    polled = {row.name for rows_ in registers.polled.values() for row in rows_}
    if rows & registers.refused.keys():
        return "the device refuses their registers"
    if rows and not rows & polled:
        return "no second source confirms their registers (`unconfirmed: true` reads them)"
    if any(name in registers.values and registers.raw(name) is None for name in rows):
        return "the device did not answer for them"
    return "the device says that it has no value"


def _rows_of(
    table: RegisterMap, quantity: str, seen: frozenset[str] = frozenset()
) -> Iterator[str]:
    """The rows that a quantity comes from, by way of other quantities too."""
    for row in table.registers:
        if row.quantity is not None and _member(row.quantity, quantity):
            yield row.name
    text = table.quantities.get(quantity)
    if text is None or quantity in seen:
        return
    for name in Formula(text).names:
        if name in table:
            yield name
        else:
            yield from _rows_of(table, name, seen | {quantity})


def _member(declared: str, quantity: str) -> bool:
    if declared == quantity:
        return True
    pattern = re.sub(r"\\\{\w+\\\}", r"\\d+", re.escape(declared))
    return re.fullmatch(pattern, quantity) is not None


def _count(names: list[str], what: str) -> str:
    verb = "" if what == "register" else " are" if len(names) > 1 else " is"
    return f"{len(names)} {what}{'s' if len(names) > 1 else ''}{verb}"


def _some(names: list[str]) -> str:
    more = len(names) - _MOST
    shown = ", ".join(names[:_MOST])
    return shown if more <= 0 else f"{shown} and {more} more"
