"""The AsyncAPI document: valid by its own schema, and true to the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bridge.contract import load_contract
from bridge.contract.asyncapi import asyncapi

C = load_contract()
DOCUMENT = json.loads(json.dumps(asyncapi(C, base="my/house")))
SCHEMA = json.loads((Path(__file__).parent / "data" / "asyncapi-3.0.0.json").read_text())


def payloads() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{key}/{name}", message["payload"])
        for key, channel in DOCUMENT["channels"].items()
        for name, message in channel["messages"].items()
    ]


def validator(schema: dict[str, Any]) -> Draft7Validator:
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def test_it_is_valid_asyncapi() -> None:
    errors = [error.message for error in Draft7Validator(SCHEMA).iter_errors(DOCUMENT)]
    assert errors == []


def test_the_schema_would_find_a_fault() -> None:
    for fault in (
        {"channels": {"x": {"address": 5}}},
        {"operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/pause"}}}},
        {"servers": {"x": {"host": "h"}}},
    ):
        assert not Draft7Validator(SCHEMA).is_valid(DOCUMENT | fault)
    binding = {"mqtt": {"qos": 3, "bindingVersion": "0.2.0"}}
    operation = DOCUMENT["operations"]["send_pause"] | {"bindings": binding}
    assert not Draft7Validator(SCHEMA).is_valid(DOCUMENT | {"operations": {"x": operation}})


@pytest.mark.parametrize(("name", "schema"), payloads())
def test_every_payload_schema_is_draft_7(name: str, schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)


def test_every_topic_has_a_channel_with_its_address_parameters_and_reach() -> None:
    assert set(DOCUMENT["channels"]) == set(C.topics)
    for key, topic in C.topics.items():
        channel = DOCUMENT["channels"][key]
        assert channel["address"] == f"my/house/{topic.pattern}"
        assert set(channel.get("parameters", {})) == set(topic.parameters)
        assert channel["messages"]
        operations = [
            operation["bindings"]["mqtt"]
            for operation in DOCUMENT["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{key}"
        ]
        assert operations
        for binding in operations:
            assert binding.get("qos", "any") == topic.qos
            assert (
                binding.get("retain", "consumer")
                == {
                    "yes": True,
                    "no": False,
                    "never": False,
                    "consumer": "consumer",
                }[topic.retain]
            )
            assert binding.get("messageExpiryInterval") == topic.expiry


def test_operations_are_from_the_bridges_side() -> None:
    operations = set(DOCUMENT["operations"])
    assert "send_allowance" in operations
    assert "receive_allowance" not in operations
    assert "receive_request_field" in operations
    assert "send_request_field" not in operations
    assert {"send_quantity", "receive_quantity", "send_control_set"} <= operations
    assert {"receive_control_set", "receive_pause_set", "send_pause"} <= operations


def test_the_will_is_in_the_server_binding() -> None:
    binding = DOCUMENT["servers"]["broker"]["bindings"]["mqtt"]
    assert binding["clientId"] == "my_house-bridge"
    assert binding["keepAlive"] == 10
    assert binding["lastWill"]["topic"] == "my/house/Bridge/Status"
    assert binding["lastWill"]["message"] == "offline"


AT = "2026-11-21T21:14:03Z"
GRANT = {"allowance": 1365, "ttl": 30, "seq": 1, "at": AT, "reason": "all of 1365 W granted"}


@pytest.mark.parametrize(
    ("address", "message", "value"),
    [
        ("Requests/p/Grant", "grant/grant", GRANT),
        ("Devices/d/State", "device_state/device_state", {"at": AT, "GridPower": None}),
        ("Devices/d/State", "device_state/device_state", {"at": AT, "InverterState": "off"}),
        ("Site/State", "site_state/site_state", {"at": AT, "Surplus": -5}),
        ("Requests/p", "request/request", {"Request": 3000, "IsAutomatic": None}),
        ("Forecasts/f/Curve", "forecast_curve/forecast_curve", []),
        (
            "Devices/d/BatterySetpoint/Set",
            "control_set/BatterySetpoint_command",
            {"value": -5, "ttl": 60, "id": "1", "by": "guard"},
        ),
        ("Devices/d/BatteryMode/Set", "control_set/BatteryMode_command", {"value": None}),
    ],
)
def test_what_the_codec_reads_the_schema_accepts(address: str, message: str, value: Any) -> None:
    channel = C.match(address)
    assert channel is not None
    channel.decode(json.dumps(value).encode())
    assert validator(dict(payloads())[message]).is_valid(value)


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("grant/grant", GRANT | {"allowance": -1}),
        ("grant/grant", {"allowance": 1}),
        ("device_state/device_state", {"BatterySoc": 101}),
        ("device_state/device_state", {"InverterState": "dancing"}),
        ("request/request", {"Requst": 5}),
        ("control_set/MinSoc_command", {"value": 5, "ttl": 60}),
        ("control_set/BatterySetpoint_command", {"value": 5, "ttl": 3601}),
        ("quantity/GridPower", 1000001),
        ("device_status/device_status", "asleep"),
    ],
)
def test_what_the_codec_refuses_the_schema_refuses(message: str, value: object) -> None:
    assert not validator(dict(payloads())[message]).is_valid(value)
