"""What a Shelly sends, read strictly, and the envelopes around it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.devices.shelly.document import flag, merge, number, read_object, unwrap, word
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html><body>Login</body></html>", "a web page instead of data"),
        (b'{"em:0": {"id": 0, "a_act', "cannot be read"),
        (b"", "cannot be read"),
        (b'{"power": NaN}', "NaN is not a number"),
        (b'{"power": -Infinity}', "-Infinity is not a number"),
        (b'{"power": 1, "power": 2}', "the same key twice"),
        (b"[1, 2]", "something else than an object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"power": ' + b"9" * 6000 + b"}", "cannot be read"),
    ],
)
def test_what_is_no_clean_object_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(DeviceGarbled, match=sentence):
        read_object(body)


def test_a_name_that_is_no_utf8_does_not_cost_the_numbers() -> None:
    assert read_object(b'{"ssid": "caf\xe9", "power": 12.5}')["power"] == 12.5


@given(st.binary(max_size=200))
def test_any_bytes_give_an_object_or_a_device_error(body: bytes) -> None:
    sentence = ""
    try:
        assert isinstance(read_object(body), dict)
    except DeviceError as error:
        sentence = str(error)
    assert "\n" not in sentence


def test_frames_are_opened() -> None:
    assert unwrap({"id": 1, "src": "shelly", "result": {"id": 0}}) == {"id": 0}
    assert unwrap({"id": 0, "act_power": 1.0}) == {"id": 0, "act_power": 1.0}
    full = {"src": "shelly", "method": "NotifyFullStatus", "params": {"em:0": {}}}
    assert unwrap(full) == {"em:0": {}}
    with pytest.raises(DeviceGarbled):
        unwrap({"id": 1, "src": "shelly", "result": None})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"code": 401, "message": '{"nonce": 5}'}, "asks for a password"),
        ({"code": 404, "message": "No handler for EM.GetStatus"}, "EM.GetStatus"),
        ({"code": -105, "message": "Argument 'id', value 7 not found!"}, "value 7 not found"),
        ({"code": 500}, "an error of its own"),
        ("broken", "an error of its own"),
    ],
)
def test_an_error_frame_is_a_refusal(error: object, sentence: str) -> None:
    with pytest.raises(DeviceRefused, match=sentence):
        unwrap({"id": 1, "src": "shelly", "error": error})


def test_a_status_has_errors_of_its_own_that_are_no_refusal() -> None:
    status = {"switch:0": {"id": 0, "errors": ["overtemp"]}}
    assert unwrap(status) == status


def test_a_change_is_laid_over_the_status_and_null_takes_away() -> None:
    status = {"em:0": {"id": 0, "a": 1, "b": 2}, "sys": {"uptime": 1}}
    merged = merge(status, {"em:0": {"a": 9, "b": None}, "ts": 5.0})
    assert merged == {"em:0": {"id": 0, "a": 9, "b": None}, "sys": {"uptime": 1}, "ts": 5.0}
    assert status["em:0"] == {"id": 0, "a": 1, "b": 2}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *((5, 5.0), (-812.41, -812.41), ("-812.41", -812.41), (" 3 ", 3.0)),
        *((None, None), (True, None), ("12 W", None), ("", None), ([1], None), ({}, None)),
        *(("nan", None), ("inf", None), (float("inf"), None), (10**400, None)),
    ],
)
def test_numbers(value: object, found: float | None) -> None:
    assert number(value) == found


def test_flags_and_words() -> None:
    assert [flag(each) for each in (True, False, "on", "OFF", 1, None, "maybe")] == [
        *(True, False, True, False, None, None, None)
    ]
    assert word({"name": "a\nb  c"}, "name") == "a b c"
    assert word({"name": 5}, "name") is None
    assert word({"name": "x" * 500}, "name") == "x" * 64


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_every_clean_object_is_read_back(value: object) -> None:
    wrapped = {"it": value}
    if "Infinity" not in json.dumps(wrapped):
        assert read_object(json.dumps(wrapped).encode()) == wrapped
