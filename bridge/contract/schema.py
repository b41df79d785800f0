"""Payloads as JSON Schema (draft 7), for documents; the codecs do the checking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.contract.load import Contract
    from bridge.contract.model import Control, Value

_TIME = {"type": "string", "format": "date-time"}


def plain_schema(value: Value) -> dict[str, Any]:
    """The schema of one plain value, as it is written."""
    schema: dict[str, Any] = {}
    if value.kind == "number":
        schema = {"type": "number", "minimum": value.min, "maximum": value.max}
    elif value.kind == "flag":
        schema = {"type": "boolean"}
    elif value.kind == "word":
        schema = {"type": "string"}
        schema |= {"examples": list(value.options)} if value.open else {"enum": list(value.options)}
    else:
        schema = {"type": "string"}
        if value.max_length is not None:
            schema["maxLength"] = value.max_length
    if value.unit is not None:
        schema["x-unit"] = value.unit
    if value.max_age is not None:
        schema["x-max-age"] = value.max_age
    if value.doc:
        schema["description"] = value.doc
    return schema


def json_schema(contract: Contract, shape: str) -> dict[str, Any]:
    """The schema of a JSON payload, completed from the tables where it is made of them."""
    match shape:
        case "state":
            values: dict[str, Value] = dict(contract.members)
        case "site_state":
            values = dict(contract.values["site"])
        case "request":
            values = dict(contract.fields)
        case _:
            return contract.shapes[shape]
    properties: dict[str, Any] = {name: _nullable(value) for name, value in values.items()}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if shape == "request":
        schema["additionalProperties"] = False
    else:
        schema["properties"] = {"at": _TIME, **properties}
    return schema


def command_schema(control: Control, longest: int) -> dict[str, Any]:
    """A plain value, or an object with the value and whose command it is."""
    properties: dict[str, Any] = {
        "value": _nullable(control),
        "id": {"type": ["string", "null"], "maxLength": 64},
        "by": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9_-]{1,32}$"},
    }
    if control.lease:
        properties["ttl"] = {
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "maximum": longest,
            "x-unit": "s",
        }
    structured = {
        "type": "object",
        "required": ["value"],
        "properties": properties,
        "additionalProperties": False,
    }
    return {"oneOf": [plain_schema(control), structured]}


def _nullable(value: Value) -> dict[str, Any]:
    schema = plain_schema(value)
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [schema["type"], "null"]}
