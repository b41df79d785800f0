"""Reads what a Shelly sends, strictly: JSON text to plain values, and the envelopes around them.

Pure: bytes in, values or a DeviceGarbled/DeviceRefused with half a sentence out; the client puts
the name of the device in front.
"""

from __future__ import annotations

import json
import math
from typing import Any

from bridge.errors import DeviceGarbled, DeviceRefused

_UNAUTHORIZED = 401
_NOT_FOUND = 404


def read_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object. NaN, doubled keys and anything cut off are refused.

    Names in it (of networks, of rooms) may hold bytes that are no UTF-8; those are replaced, for
    the numbers beside them are good.
    """
    text = body.decode("utf-8", errors="replace")
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise DeviceGarbled("answers with data nested too deeply to be a Shelly's") from None
    except ValueError as error:
        if text.lstrip()[:1] == "<":
            raise DeviceGarbled("answers with a web page instead of data") from None
        # What the parser says of brackets and columns helps nobody; our own words do.
        why = "" if isinstance(error, json.JSONDecodeError) else f" ({error})"
        raise DeviceGarbled(f"answers with data that cannot be read{why}") from None
    if not isinstance(found, dict):
        raise DeviceGarbled("answers with something else than an object of values")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice")
    return found


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def unwrap(found: dict[str, Any]) -> dict[str, Any]:
    """Return what an RPC answer carries, with or without the frame around it.

    A frame has `result`, `error` or (a notification) `params`; a GET answers the bare result.
    Raises DeviceRefused for an error frame.
    """
    if "error" in found and ("src" in found or "id" in found):
        error = found["error"]
        error = error if isinstance(error, dict) else {}
        raise refusal(error.get("code"), error.get("message"))
    for key, mark in (("result", "src"), ("params", "method")):
        if mark in found and key in found:
            inner = found[key]
            if not isinstance(inner, dict):
                raise DeviceGarbled("answers with an empty frame")
            return inner
    return found


def refusal(code: object, message: object) -> DeviceRefused:
    """Give the plain words for an RPC error. The device's own words are kept, on one short line."""
    if code == _UNAUTHORIZED:
        return DeviceRefused("asks for a password")
    words = " ".join(str(message or "").split())[:80]
    if code == _NOT_FOUND:
        return DeviceRefused(f"does not know what it was asked for ({words or 'not found'})")
    return DeviceRefused(f"reports an error of its own ({words or code})")


def merge(status: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Lay a NotifyStatus change over a full status; the status itself is left as it is."""
    merged = dict(status)
    for key, value in change.items():
        before = merged.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            merged[key] = merge(before, value)
        else:
            merged[key] = value
    return merged


def number(value: object) -> float | None:
    """Give a finite number, also from a text such as "-812.41"; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def flag(value: object) -> bool | None:
    """Give true or false when the value says so clearly, else None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"on", "off", "true", "false"}:
        return value.lower() in {"on", "true"}
    return None


def part(found: dict[str, Any], key: str) -> dict[str, Any]:
    """Give the object under a key; an empty one when there is none."""
    inner = found.get(key)
    return inner if isinstance(inner, dict) else {}


def parts(found: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Give the objects of the list under a key; what is no object in it counts as empty."""
    inner = found.get(key)
    if not isinstance(inner, list):
        return []
    return [each if isinstance(each, dict) else {} for each in inner]


def word(found: dict[str, Any], key: str) -> str | None:
    """Give the text under a key on one line of at most 64 characters; None when there is none."""
    inner = found.get(key)
    if not isinstance(inner, str):
        return None
    return " ".join(inner.split())[:64] or None
