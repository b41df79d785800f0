"""JSON payloads: a small, quick part of JSON Schema, compiled once.

What topics.yaml uses of JSON Schema is what is understood here: type (one or several), enum,
minimum, maximum, format date-time, properties, required, additionalProperties, items. Anything else
is refused when the contract is loaded, so that no rule is silently without effect.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.contract.payload import refuse, shown, text_of
from bridge.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[Any, str, bool], Any]

JSON_BYTES = 65536
_KNOWN = {
    "type",
    "enum",
    "minimum",
    "maximum",
    "format",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "description",
}
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_NAMES = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "an object",
    "array": "a list",
}


def json_of(label: str, payload: bytes, limit: int = JSON_BYTES) -> Any:
    """The JSON value of a payload; PayloadError for anything else."""
    text_of(label, payload, limit)
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError):
        return refuse(label, "is not JSON that can be read")


def to_json(label: str, value: Any, limit: int = JSON_BYTES) -> bytes:
    """A checked value as JSON."""
    try:
        payload = msgspec.json.encode(value)
    except UnicodeEncodeError:
        refuse(label, "has characters that are not valid Unicode")
    if len(payload) > limit:
        refuse(label, f"would have {len(payload)} bytes: at most {limit} are sent")
    return payload


def is_time(text: str) -> bool:
    """True for RFC 3339 with a time zone."""
    if not _TIME.match(text):
        return False
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True


def compile_shape(schema: Mapping[str, Any]) -> Check:
    """A function `(value, label, strict)` that gives the value back, cleaned, or refuses it.

    Strict (our own) values may hold nothing that is not listed; from others it is left out.
    """
    unknown = set(schema) - _KNOWN
    if unknown:
        sentence = f"a shape in topics.yaml uses {', '.join(sorted(unknown))}, which is not known"
        raise ContractError(sentence)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    checks = {name: _CHECKS[name](schema) for name in types}
    expected = " or ".join(_NAMES[name] for name in types)

    def check(value: Any, label: str, strict: bool) -> Any:
        one = checks.get(_type_of(value)) or (
            checks.get("number") if _type_of(value) == "integer" else None
        )
        if one is None:
            refuse(label, f"{shown(value)} is not {expected}")
        return one(value, label, strict)

    return check


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return name
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, (list, tuple)) else "something else"


def _number(schema: Mapping[str, Any]) -> Check:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)

    def check(value: Any, label: str, strict: bool) -> Any:  # noqa: ARG001 - one signature for all
        if isinstance(value, float) and not math.isfinite(value):
            refuse(label, f"{shown(value)} is not a finite number")
        if not low <= value <= high:
            refuse(label, f"{shown(value)} is out of range: it takes {low:g} to {high:g}")
        return int(value) if value == int(value) else value

    return check


def _string(schema: Mapping[str, Any]) -> Check:
    options = schema.get("enum")
    is_date = schema.get("format") == "date-time"

    def check(value: Any, label: str, strict: bool) -> Any:  # noqa: ARG001 - one signature for all
        if options is not None and value not in options:
            refuse(label, f"{shown(value)} is not known: it takes {', '.join(options)}")
        if is_date and not is_time(value):
            refuse(label, f"{shown(value)} is not a time like 2026-11-21T21:14:03Z")
        return value

    return check


def _same(schema: Mapping[str, Any]) -> Check:  # noqa: ARG001 - one signature for all
    def check(value: Any, label: str, strict: bool) -> Any:  # noqa: ARG001 - one signature for all
        return value

    return check


def _list(schema: Mapping[str, Any]) -> Check:
    item = compile_shape(schema["items"])

    def check(value: Any, label: str, strict: bool) -> Any:
        return [item(each, f"{label}[{n}]", strict) for n, each in enumerate(value)]

    return check


def _object(schema: Mapping[str, Any]) -> Check:
    parts = {key: compile_shape(part) for key, part in schema.get("properties", {}).items()}
    required = schema.get("required", [])
    rest = schema.get("additionalProperties")
    others = compile_shape(rest) if rest else None

    def check(value: Any, label: str, strict: bool) -> Any:
        for key in required:
            if key not in value:
                refuse(label, f"has no {key}")
        cleaned = {}
        for key, each in value.items():
            part = parts.get(key, others)
            if part is not None:
                cleaned[key] = part(each, f"{label}.{key}", strict)
            elif strict:
                refuse(label, f"knows no {shown(key)}")
        return cleaned

    return check


_CHECKS: dict[str, Callable[[Mapping[str, Any]], Check]] = {
    "number": _number,
    "integer": _number,
    "string": _string,
    "boolean": _same,
    "null": _same,
    "object": _object,
    "array": _list,
}


class JsonCodec:
    """One JSON payload of a fixed shape; reads to dict or list, writes from them."""

    def __init__(self, label: str, schema: Mapping[str, Any], *, empty: bool) -> None:
        self.label = label
        self._check = compile_shape(schema)
        self._empty = empty

    def encode(self, value: Any) -> bytes:
        """JSON of a value that fits the shape exactly."""
        if value is None:
            if not self._empty:
                refuse(self.label, "cannot be empty here")
            return b""
        return to_json(self.label, self._check(value, self.label, True))

    def decode(self, payload: bytes) -> Any:
        """The value; what the shape does not list is left out."""
        if not payload:
            if not self._empty:
                refuse(self.label, "is empty: send JSON")
            return None
        return self._check(json_of(self.label, payload), self.label, False)
