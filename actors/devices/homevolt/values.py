"""Small readers of what a Homevolt's JSON holds: unknown is None, never 0. Pure."""

from __future__ import annotations

import math
from typing import Any

_LONGEST_WORD = 64


def number(value: object) -> float | None:
    """A finite number, also from a text such as "68.5"; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def scaled(found: dict[str, Any], key: str, scale: float) -> float | None:
    """The number under a key times `scale`."""
    value = number(found.get(key))
    return None if value is None else value * scale


def flag(value: object) -> bool | None:
    """True or false when the value says so clearly."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    return bool(value) if value in (0, 1) else None


def part(found: object, key: str) -> dict[str, Any]:
    """The object under a key; an empty one when there is none."""
    inner = found.get(key) if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else {}


def parts(found: object, key: str) -> list[dict[str, Any]]:
    """The objects of the list under a key; what is no object in it is left out."""
    inner = found.get(key) if isinstance(found, dict) else None
    return [each for each in inner if isinstance(each, dict)] if isinstance(inner, list) else []


def words(found: dict[str, Any], key: str) -> list[str]:
    """The texts of the list under a key."""
    inner = found.get(key)
    return [str(each)[:_LONGEST_WORD] for each in inner] if isinstance(inner, list) else []


def word(found: dict[str, Any], key: str) -> str | None:
    """The text (or number, as text) under a key, on one line; None when there is none."""
    inner = found.get(key)
    if isinstance(inner, bool) or not isinstance(inner, (str, int, float)):
        return None
    return " ".join(str(inner).split())[:_LONGEST_WORD] or None


def together(values: list[float | None]) -> float | None:
    """Their sum; unknown when one of them is, or when there are none."""
    known = [each for each in values if each is not None]
    return sum(known) if known and len(known) == len(values) else None
