"""Small readers of an LG ESS answer: numbers come as text or as numbers, flags as "0", 1 or "on".

Pure. What is missing, null, empty or no number is None: unknown, never 0.
"""

from __future__ import annotations

import math
from typing import Any

_FLAGS = {"1": True, "on": True, "true": True, "0": False, "off": False, "false": False}
_LONGEST = 64


def section(found: Any, name: str) -> dict[str, Any]:
    """An object inside an object; empty when it is missing or something else."""
    inner = found.get(name) if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else {}


def number(found: dict[str, Any], *names: str, scale: float = 1.0) -> float | None:
    """The first of `names` that is there, as a number times `scale`."""
    for name in names:
        value = found.get(name)
        if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
            continue
        try:
            read = float(value)
        except (ValueError, OverflowError):
            return None
        return round(read * scale, 6) if math.isfinite(read) else None
    return None


def magnitude(found: dict[str, Any], *names: str, scale: float = 1.0) -> float | None:
    """A number whose direction stands elsewhere; a negative one says nothing."""
    value = number(found, *names, scale=scale)
    return None if value is None or value < 0 else value


def kilo(found: dict[str, Any], *names: str) -> float | None:
    """A counter in Wh as kWh; a negative one says nothing."""
    return magnitude(found, *names, scale=0.001)


def flag(found: dict[str, Any], name: str) -> bool | None:
    """A flag however it is written."""
    value = found.get(name)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, str)):
        return _FLAGS.get(str(value).strip().lower())
    return None


def word(found: dict[str, Any], *names: str) -> str | None:
    """The first of `names` that holds text, blanks tidied; a whole number counts as text."""
    for name in names:
        value = found.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            continue
        text = " ".join(str(value).split())[:_LONGEST]
        if text and text.isprintable():
            return text
    return None


def installed(found: Any) -> list[dict[str, Any]]:
    """Those entries of a list that say they are there; the others hold whatever memory held."""
    entries = found if isinstance(found, list) else []
    return [each for each in entries if isinstance(each, dict) and each.get("installed") is True]
