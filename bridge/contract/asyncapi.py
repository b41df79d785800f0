"""The contract as an AsyncAPI 3.0 document, with MQTT bindings.

Operations are written from the bridge's side: `send` is what the bridge publishes, `receive` what
it hears; what is written by either has both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge import __version__
from bridge.contract.schema import command_schema, json_schema, plain_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.contract.load import Contract
    from bridge.contract.model import Topic, Value

_BINDING = "0.2.0"
_OUTSIDE = ("anyone", "owner", "consumer", "external device")
_IDS = "^[A-Za-z0-9_-]{1,32}$"


def asyncapi(contract: Contract, *, base: str | None = None) -> dict[str, Any]:
    """The document for one base topic, ready to be written as JSON or YAML."""
    base = base or contract.base
    channels, operations = {}, {}
    for key, topic in contract.topics.items():
        channels[key] = _channel(contract, topic, base)
        for action in _actions(topic):
            operations[f"{action}_{key}"] = _operation(topic, action)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Heliograph",
            "version": __version__,
            "description": "Every topic of a Heliograph bridge. Sources are positive: GridPower + ="
            " import, BatteryPower + = discharge.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "text/plain",
        "servers": {"broker": _server(base)},
        "channels": channels,
        "operations": operations,
    }


def _server(base: str) -> dict[str, Any]:
    prefix = base.replace("/", "_")
    return {
        "host": "localhost:1883",
        "protocol": "mqtt",
        "description": "Each actor has a connection of its own; this is the supervisor's.",
        "bindings": {
            "mqtt": {
                "clientId": f"{prefix}-bridge",
                "cleanSession": True,
                "keepAlive": 10,
                "lastWill": {
                    "topic": f"{base}/Bridge/Status",
                    "qos": 1,
                    "message": "offline",
                    "retain": True,
                },
                "bindingVersion": _BINDING,
            }
        },
        "x-actor-connections": {
            "clientId": f"{prefix}-{{actor}}",
            "lastWill": {
                "topic": f"{base}/Actors/{{actor}}/Status",
                "qos": 1,
                "message": "offline",
                "retain": True,
            },
        },
    }


def _actions(topic: Topic) -> list[str]:
    writers = [writer.strip() for writer in topic.writer.split(",")]
    inside = [writer for writer in writers if writer not in _OUTSIDE]
    outside = [writer for writer in writers if writer in _OUTSIDE]
    return ["send"] * bool(inside) + ["receive"] * bool(outside)


def _operation(topic: Topic, action: str) -> dict[str, Any]:
    binding: dict[str, Any] = {"bindingVersion": _BINDING}
    if topic.qos != "any":
        binding["qos"] = topic.qos
    if topic.retain != "consumer":
        binding["retain"] = topic.retain == "yes"
    if topic.expiry is not None and action == "send":
        binding["messageExpiryInterval"] = topic.expiry
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.key}"},
        "summary": topic.doc,
        "bindings": {"mqtt": binding},
    }


def _channel(contract: Contract, topic: Topic, base: str) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": f"{base}/{topic.pattern}",
        "description": topic.doc,
        "messages": _messages(contract, topic),
        "x-written-by": topic.writer,
        "x-read-by": list(topic.readers),
        "x-retain": topic.retain,
    }
    if topic.empty is not None:
        channel["x-empty-payload"] = topic.empty
    parameters = {
        name: {"description": contract.parameters[name], "x-pattern": _IDS}
        if name in contract.parameters
        else {"description": f"one of the names of {name}", "enum": list(_names(contract, topic))}
        for name in topic.parameters
    }
    if parameters:
        channel["parameters"] = parameters
    return channel


def _names(contract: Contract, topic: Topic) -> Mapping[str, Value]:
    return contract.names(topic)


def _messages(contract: Contract, topic: Topic) -> dict[str, Any]:
    payload = topic.payload
    if payload.shape is not None:
        return {topic.key: _message("application/json", json_schema(contract, payload.shape), "")}
    if payload.kind == "command":
        return {
            f"{name}_command": _message(
                "text/plain", command_schema(control, contract.limits.lease_max), control.doc
            )
            for name, control in contract.controls.items()
        }
    if payload.kind == "quantity":
        # One message for a family; the channel's parameter lists its members.
        return _plain_messages(contract.quantities.values())
    if payload.kind in ("control", "field", "value"):
        return _plain_messages(contract.names(topic).values())
    return {topic.key: _message("text/plain", plain_schema(payload), "")}


def _plain_messages(values: Iterable[Value]) -> dict[str, Any]:
    found = {}
    for value in values:
        key = value.name.replace("{", "").replace("}", "")
        found[key] = _message("text/plain", plain_schema(value), value.doc) | {"name": value.name}
    return found


def _message(kind: str, schema: dict[str, Any], doc: str) -> dict[str, Any]:
    message = {"contentType": kind, "payload": schema}
    if doc:
        message["summary"] = doc
    return message
