"""JSON payloads: readings, requests, commands, grants and curves."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from bridge.contract import Channel, Command, load_contract
from bridge.errors import PayloadError

C = load_contract()
AT = "2026-11-21T21:14:03.123Z"


def channel(address: str) -> Channel:
    found = C.match(address)
    assert found is not None, address
    return found


def refused(address: str, payload: bytes | str) -> str:
    with pytest.raises(PayloadError) as caught:
        channel(address).decode(payload.encode() if isinstance(payload, str) else payload)
    return str(caught.value)


def unwritable(address: str, value: Any) -> str:
    with pytest.raises(PayloadError) as caught:
        channel(address).encode(value)
    return str(caught.value)


# ------------------------------------------------------------------------------------ readings


def test_a_reading_goes_out_with_null_for_unknown_and_comes_back() -> None:
    state = channel("Devices/meter/State")
    sent = {"at": AT, "GridPower": -1234.56, "GridVoltageL1": 230.0, "PvPower": -3, "Power": None}
    payload = state.encode(sent)
    assert payload == (
        b'{"at":"2026-11-21T21:14:03.123Z","GridPower":-1234.6,"GridVoltageL1":230,"PvPower":0,'
        b'"Power":null}'
    )
    assert state.decode(payload) == json.loads(payload)


def test_a_reading_of_ours_is_exact() -> None:
    assert "at" in unwritable("Devices/m/State", {"GridPower": 1})
    assert "at" in unwritable("Devices/m/State", {"at": "now"})
    assert unwritable("Devices/m/State", {"at": AT, "Gridpower": 1}) == "State knows no 'Gridpower'"
    assert "GridPower nan" in unwritable("Devices/m/State", {"at": AT, "GridPower": math.nan})
    assert "Surplus" in unwritable("Devices/m/State", {"at": AT, "Surplus": 1})
    assert "GridFrequency" in unwritable("Site/State", {"at": AT, "GridFrequency": 50})


def test_a_foreign_reading_needs_no_time_and_may_hold_more() -> None:
    decode = channel("Devices/esp/State").decode
    assert decode(b'{"GridPower": 5, "rssi": -60}') == {"GridPower": 5}
    assert decode(b'{"GridPower": "12.5", "InverterState": "Running"}') == {
        "GridPower": 12.5,
        "InverterState": "running",
    }
    assert decode(b'{"at": null, "GridPower": null}') == {"at": None, "GridPower": None}
    assert decode(b"") is None


def test_one_bad_value_refuses_the_whole_foreign_reading() -> None:
    sentence = refused("Devices/esp/State", '{"PvPower": 5, "BatterySoc": 500}')
    assert sentence == "BatterySoc 500 is out of range: it takes 0 to 100 %"
    assert "'yesterday' is not a time" in refused("Devices/esp/State", '{"at": "yesterday"}')
    assert "is not a time" in refused("Devices/esp/State", '{"at": "2026-13-21T21:14:03Z"}')
    assert "a list is not a JSON object" in refused("Devices/esp/State", "[1]")
    assert "true is not a number" in refused("Devices/esp/State", '{"PvPower": true}')


# ------------------------------------------------------------------------------------ requests


def test_a_request_object_is_read_field_by_field_in_any_case() -> None:
    text = '{"request": 3000, "ISAUTOMATIC": "on", "StepSize": "250", "Minimum": null}'
    assert channel("Requests/ev").decode(text.encode()) == {
        "Request": 3000,
        "IsAutomatic": True,
        "StepSize": 250,
        "Minimum": None,
    }
    assert channel("Requests/ev").decode(b'{"IsAutomatic": 1}') == {"IsAutomatic": True}
    assert channel("Requests/ev").decode(b"") is None


def test_a_request_object_that_is_wrong_says_where() -> None:
    assert refused("Requests/ev", '{"Requst": 5}') == "Requests knows no field 'Requst'"
    sentence = refused("Requests/ev", '{"Request": "3 kW"}')
    assert sentence == "Request '3 kW' is not a plain number: send the number alone, in W"
    assert refused("Requests/ev", "{") == "Requests is not JSON that can be read"
    assert "a list is not a number" in refused("Requests/ev", '{"Request": [1]}')
    assert refused("Requests/ev", '{"Request": 1e999}')
    assert "5 is neither" in refused("Requests/ev", '{"IsAutomatic": 5}')


def test_a_request_of_our_own_consumers_is_written() -> None:
    payload = channel("Requests/ev").encode({"Request": 3000.0, "IsAutomatic": True})
    assert payload == b'{"Request":3000,"IsAutomatic":true}'
    assert "no field 'Foo'" in unwritable("Requests/ev", {"Foo": 1})


@pytest.mark.parametrize("depth", [100, 5000, 30000])
def test_deep_json_is_refused_not_fatal(depth: int) -> None:
    for text in ("[" * depth + "]" * depth, '{"a":' * (depth // 3) + "1" + "}" * (depth // 3)):
        assert refused("Requests/ev", text)
        assert refused("Tariffs/t/Curve", text)


def test_json_that_is_too_long_or_not_text() -> None:
    sentence = refused("Requests/ev", b'{"a":"' + b"x" * 70000 + b'"}')
    assert sentence == "Requests has 70008 bytes: at most 65536 are read"
    assert "UTF-8" in refused("Requests/ev", b'{"CustomName": "\xff"}')


# ------------------------------------------------------------------------------------ commands

SET = "Devices/ess/BatterySetpoint/Set"


@pytest.mark.parametrize(
    ("payload", "command"),
    [
        (b"-2000", Command(value=-2000)),
        (b"0", Command(value=0)),
        (b"", Command(value=None)),
        (b'{"value": null, "by": "guard"}', Command(value=None, by="guard")),
        (
            b' {"value": 500, "ttl": 90, "id": "a-1", "by": "battery_guard"} ',
            Command(value=500, ttl=90, id="a-1", by="battery_guard"),
        ),
        (b'{"value": "500", "id": 7, "by": null}', Command(value=500, id="7")),
        (b'{"value": 1, "ttl": 0.5}', Command(value=1, ttl=0.5)),
    ],
)
def test_a_command_is_read(payload: bytes, command: Command) -> None:
    assert channel(SET).decode(payload) == command


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ('{"ttl": 5}', "BatterySetpoint has no value"),
        (
            '{"value": 1, "ttl": 3601}',
            "BatterySetpoint ttl 3601 must be more than 0 and at most 3600 s",
        ),
        ('{"value": 1, "ttl": 0}', "BatterySetpoint ttl 0 must be more than 0 and at most 3600 s"),
        (
            '{"value": 1, "ttl": -1}',
            "BatterySetpoint ttl -1 must be more than 0 and at most 3600 s",
        ),
        (
            '{"value": 1, "ttl": "60"}',
            "BatterySetpoint ttl '60' must be more than 0 and at most 3600 s",
        ),
        (
            '{"value": 1, "ttl": true}',
            "BatterySetpoint ttl true must be more than 0 and at most 3600 s",
        ),
        (
            '{"value": 1, "tll": 5}',
            "BatterySetpoint knows no 'tll': it takes value, ttl, id, by",
        ),
        ('{"value": 1, "by": "a b"}', "BatterySetpoint by 'a b' is not the id of an actor"),
        ('{"value": 1, "by": 5}', "BatterySetpoint by 5 is not the id of an actor"),
        (
            '{"value": 1, "id": []}',
            "BatterySetpoint id a list is not text of at most 64 plain characters",
        ),
        (
            '{"value": true}',
            "BatterySetpoint true is not a number: send the number alone, in W",
        ),
        ("{", "BatterySetpoint is not JSON that can be read"),
        (
            "full",
            "BatterySetpoint 'full' is not a plain number: send the number alone, in W",
        ),
    ],
)
def test_a_command_that_is_wrong_says_what(payload: str, sentence: str) -> None:
    assert refused(SET, payload) == sentence


def test_only_a_lease_takes_a_ttl() -> None:
    sentence = refused("Devices/d/MinSoc/Set", '{"value": 20, "ttl": 60}')
    assert sentence == "MinSoc takes no ttl: it keeps its value"
    assert channel("Devices/d/Switch/Set").decode(b"ON") == Command(value=True)
    assert channel("Devices/d/Switch/Set").decode(b'{"value": 0}') == Command(value=False)


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (-2000.0, b"-2000"),
        (None, b""),
        (Command(value=5, ttl=30, by="guard"), b'{"value":5,"ttl":30,"by":"guard"}'),
        (Command(value=None, by="guard"), b'{"value":null,"by":"guard"}'),
        (Command(value=7, id="x"), b'{"value":7,"id":"x"}'),
    ],
)
def test_a_command_is_written_and_comes_back(value: Any, payload: bytes) -> None:
    assert channel(SET).encode(value) == payload
    back = channel(SET).decode(payload)
    assert back == (value if isinstance(value, Command) else Command(value=value))


def test_a_command_of_ours_is_checked_too() -> None:
    assert "ttl" in unwritable(SET, Command(value=5, ttl=4000))
    assert "out of range" in unwritable(SET, Command(value=1e7))
    assert "takes no ttl" in unwritable("Devices/d/MinSoc/Set", Command(value=5, ttl=60))


# ------------------------------------------------------------------------------------ shapes


def test_a_grant_is_written_with_whole_watts_and_the_values_in_force() -> None:
    grant = {"allowance": 1365.0, "ttl": 30, "seq": 4, "at": AT, "reason": "all of it"}
    more = {"automatic": True, "priority": 35.0}
    payload = channel("Requests/ev/Grant").encode(grant | more)
    assert json.loads(payload) == grant | more
    assert b'"allowance":1365,' in payload
    assert b'"priority":35}' in payload
    assert channel("Requests/ev/Grant").encode(grant)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"allowance": -1}, "Grant.allowance -1 is out of range: it takes 0 to 1e+06"),
        ({"allowance": math.nan}, "Grant.allowance nan is not a finite number"),
        ({"allowance": "5"}, "Grant.allowance '5' is not a number"),
        ({"allowance": True}, "Grant.allowance true is not a number"),
        ({"allowance": None}, "Grant.allowance null is not a number"),
        ({"seq": 1.5}, "Grant.seq 1.5 is not a whole number"),
        ({"at": "12:00"}, "Grant.at '12:00' is not a time like 2026-11-21T21:14:03Z"),
        ({"extra": 1}, "Grant knows no 'extra'"),
    ],
)
def test_a_grant_that_is_wrong_is_not_written(change: dict[str, Any], sentence: str) -> None:
    grant = {"allowance": 5, "ttl": 30, "seq": 4, "at": AT, "reason": "all of it"}
    assert unwritable("Requests/ev/Grant", grant | change) == sentence


def test_what_a_shape_needs_must_be_there() -> None:
    assert refused("Actors/a/Health", "{}") == "Health has no state"
    health = {"state": "ok", "since": AT, "restarts": 0, "error": None}
    assert channel("Actors/a/Health").decode(json.dumps({**health, "new": 1}).encode()) == health
    assert "'fine' is not known" in refused(
        "Actors/a/Health", json.dumps(health | {"state": "fine"})
    )
    assert "is not an object" in refused("Actors/a/Health", "3")


def test_the_other_shapes_take_what_their_actors_send() -> None:
    none = dict.fromkeys(("GridPower", "PvPower", "BatteryPower", "BatterySoc", "LoadPower"))
    good: list[tuple[str, Any]] = [
        ("Bridge/Info", {"version": "0.1.0", "started": AT, "actors": {"meter": "shelly"}}),
        (
            "Devices/d/Info",
            {"manufacturer": "X", "model": None, "serial": None, "firmware": "1"},
        ),
        ("Devices/d/MinSoc/Result", {"id": None, "ok": True, "value": 20, "error": None}),
        ("Devices/d/Switch/Result", {"id": "1", "ok": False, "value": None, "error": "no"}),
        ("Site/Balance", {"at": AT, "age": 0.4, **none, "why": "waiting for the grid meter"}),
        ("Tariffs/t/Curve", [{"start": AT, "end": AT, "import": 0.25, "export": None}]),
        ("Forecasts/f/Curve", [{"start": AT, "end": AT, "power": 1200}]),
        ("Forecasts/f/Curve", []),
    ]
    for address, value in good:
        found = channel(address)
        assert found.decode(found.encode(value)) == value
    sentence = unwritable("Tariffs/t/Curve", [{"start": AT, "end": AT, "import": 1}])
    assert sentence == "Curve[0] has no export"
