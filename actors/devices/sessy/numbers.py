"""Numbers out of a Sessy's JSON. Pure; what is missing, null or no number is None, never 0."""

from __future__ import annotations

import math
import re
from typing import Any

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z")


def number(found: Any, key: str, scale: float = 1.0) -> float | None:
    """`found[key]` times `scale`; a number written as a text counts."""
    value = found.get(key) if isinstance(found, dict) else None
    if isinstance(value, str) and _NUMBER.match(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value * scale


def total(*parts: float | None) -> float | None:
    """The sum; unknown when one part is."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) and known else None


def block(found: Any, key: str) -> dict[str, Any]:
    """`found[key]` where it is an object, else an empty one."""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, dict) else {}


def word(found: Any, key: str) -> str | None:
    """`found[key]` as one printable word or line of at most 64 characters."""
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, str):
        return None
    text = " ".join("".join(each if each.isprintable() else " " for each in value[:64]).split())
    return text or None
