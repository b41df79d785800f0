"""Values as Venus OS wants them on the D-Bus: types, texts, and what stands for unknown. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dbus_fast import Variant

Value = float | int | str | None
"""What a path holds: a number, a text, or None for unknown."""
LONGEST = 200
"""Characters of a text that are shown."""
_INT32 = 2**31


@dataclass(frozen=True)
class Spec:
    """One path: its D-Bus type ('d', 'i' or 's'), the unit and digits of its text.

    writable: people may write it; measured: it becomes unknown when its source falls silent.
    """

    kind: str
    unit: str = ""
    digits: int = 0
    writable: bool = False
    measured: bool = False


def fit(spec: Spec, value: Any) -> Value:
    """`value` in the type of its path; None for what is unknown, not finite or of another type."""
    if value is None:
        return None
    if spec.kind == "s":
        return legible(value) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    if spec.kind == "i":
        whole = round(value)
        return whole if -_INT32 <= whole < _INT32 else None
    # What rounds to nothing is 0, never -0.
    return round(float(value), 6) + 0.0


def legible(words: str) -> str:
    """A text that the bus can carry: it ends the connection of whoever sends it a NUL."""
    return "".join(each for each in words if each.isprintable())[:LONGEST]


def variant(spec: Spec, value: Value) -> Variant:
    """The value as it goes over the bus; unknown is an empty array of int32."""
    if value is None:
        return Variant("ai", [])
    if spec.kind == "s":
        return Variant("s", str(value))
    return Variant("i", int(value)) if spec.kind == "i" else Variant("d", float(value))


def text(spec: Spec, value: Value) -> str:
    """What people read: `21.5C`; three dashes for unknown."""
    if value is None:
        return "---"
    if isinstance(value, str):
        return value
    return f"{value:.{spec.digits}f}{spec.unit}"


def plain(value: Any) -> Any:
    """What another program sent, without variants; an empty list is None."""
    while isinstance(value, Variant):
        value = value.value
    return None if isinstance(value, (list, dict)) and not value else value


def asked(spec: Spec, value: Any) -> Value:
    """A value that somebody wants to write, in the type of its path.

    A number may come as a whole number, a flag or a text that is a number. Raises ValueError.
    """
    value = plain(value)
    if spec.kind == "s":
        if not isinstance(value, str):
            raise ValueError("a text is due here")
        return value
    if isinstance(value, str):
        value = float(value)
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("a number is due here")
    if spec.kind == "i":
        if value != int(value) or not -_INT32 <= value < _INT32:
            raise ValueError("a whole number is due here")
        return int(value)
    return float(value)
