"""Plain payloads: what is read, what is written, and the sentence of each refusal."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract import load_contract
from bridge.errors import PayloadError

C = load_contract()


def decode(address: str, payload: bytes | str) -> Any:
    channel = C.match(address)
    assert channel is not None, address
    return channel.decode(payload.encode() if isinstance(payload, str) else payload)


def encode(address: str, value: Any) -> bytes:
    channel = C.match(address)
    assert channel is not None, address
    return channel.encode(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1500", 1500),
        (" 1500.0\n", 1500),
        ("-3.25", -3.25),
        ("+7", 7),
        ("1.5e3", 1500),
        ("1E+2", 100),
        (".5", 0.5),
        ("5.", 5),
        ("-0", 0),
        ("000123", 123),
    ],
)
def test_a_number_is_read(text: str, value: float) -> None:
    assert decode("Devices/meter/GridPower", text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "3 kW", "1500W", "1,5", "1_000", "0x10", "NaN", "nan", "inf", "-Infinity", "1e"),
        *("--1", "1 2", "\u0663", "\uff11", "true", "{}", "None", " ", "\x00", "1e5\x00"),
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match=r"^GridPower .* is not a plain number: send the number"):
        decode("Devices/meter/GridPower", text)


def test_the_sentences_say_field_value_and_what_is_expected() -> None:
    cases: list[tuple[str, bytes, str]] = [
        (
            "Requests/p/Request",
            b"3 kW",
            "Request '3 kW' is not a plain number: send the number alone, in W",
        ),
        (
            "Requests/p/Request",
            b"-5",
            "Request '-5' is out of range: it takes 0 to 1000000 W",
        ),
        (
            "Requests/p/priority",
            b"high",
            "Priority 'high' is not a plain number: send the number alone",
        ),
        ("Requests/p/ISAUTOMATIC", b"maybe", "IsAutomatic 'maybe' is neither true nor false"),
        ("Requests/p/Request", b"\xff\xfe", "Request is not readable text: send UTF-8"),
        ("Requests/p/Request", b"1" * 5000, "Request has 5000 bytes: at most 4096 are read"),
        (
            "Requests/p/Request",
            b"9" * 300,
            f"Request '{'9' * 39}…' is out of range: it takes 0 to 1000000 W",
        ),
        (
            "Requests/p/Request",
            b"a\x1b[31m\x00b",
            "Request 'a?[31m?b' is not a plain number: send the number alone, in W",
        ),
        ("Bridge/Status", b"up", "Status 'up' is not known: it takes online, offline"),
        ("Bridge/Status", b"", "Status is empty: it takes online, offline"),
        ("Requests/p/CustomName", b"x" * 65, "CustomName has 65 characters: at most 64 are read"),
        (
            "Actors/a/Messages/Error",
            b"it broke",
            "Error 'it broke' has no time in front: it takes a UTC time, a blank and a sentence",
        ),
    ]
    for address, payload, sentence in cases:
        with pytest.raises(PayloadError) as caught:
            decode(address, payload)
        assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("name", "value", "payload"),
    [
        ("GridPower", 1365, b"1365"),
        ("GridPower", 1365.0, b"1365"),
        ("GridPower", 1365.5, b"1365.5"),
        ("GridPower", -1234.56, b"-1234.6"),
        ("GridPower", 0, b"0"),
        ("GridPower", -0.0, b"0"),
        ("GridPower", 0.04, b"0"),
        ("GridPower", -0.04, b"0"),
        ("GridPower", 100000, b"100000"),
        ("GridPower", 1e5, b"100000"),
        ("GridPower", 1000000, b"1000000"),
        ("GridImportEnergy", 123456789.1234, b"123456789.123"),
        ("GridImportEnergy", 0.0004, b"0"),
        ("GridImportEnergy", 0.001, b"0.001"),
        ("BatteryTimeToGo", 3600.4, b"3600"),
        ("BatteryCapacity", 10000, b"10000"),
        ("BatteryTemperature", -12.346, b"-12.35"),
        ("PvPower", -40, b"0"),
        ("PvPower", -100, b"0"),
        ("LoadPower", -0.3, b"0"),
        ("InverterState", "running", b"running"),
        ("GridPower", None, b""),
    ],
)
def test_a_quantity_is_written(name: str, value: object, payload: bytes) -> None:
    assert encode(f"Devices/meter/{name}", value) == payload


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GridPower", math.nan),
        ("GridPower", math.inf),
        ("GridPower", -math.inf),
        ("GridPower", 1000000.1),
        ("GridPower", 10**400),
        ("GridPower", True),
        ("GridPower", "1500"),
        ("GridPower", b"1500"),
        ("GridPower", [1]),
        ("PvPower", -100.1),
        ("BatterySoc", 100.1),
        ("BatterySoc", -0.1),
        ("InverterState", "dancing"),
        ("InverterState", "RUNNING"),
        ("InverterState", 3),
    ],
)
def test_a_quantity_out_of_range_or_of_the_wrong_type_is_not_written(
    name: str, value: object
) -> None:
    with pytest.raises(PayloadError, match=f"^{name} "):
        encode(f"Devices/meter/{name}", value)


def test_a_noise_band_is_read_as_zero() -> None:
    assert decode("Devices/roof/PvPower", "-40") == 0
    assert math.copysign(1, decode("Devices/roof/PvPower", "-40")) == 1
    with pytest.raises(PayloadError, match="it takes 0 to 1000000 W"):
        decode("Devices/roof/PvPower", "-101")


@pytest.mark.parametrize("text", ["true", "1", "on", "yes", "TRUE", "On", " yes\n"])
def test_a_flag_that_is_true(text: str) -> None:
    assert decode("Requests/pool/IsAutomatic", text) is True


@pytest.mark.parametrize("text", ["false", "0", "off", "no", "FALSE", "Off", " no\n"])
def test_a_flag_that_is_false(text: str) -> None:
    assert decode("Requests/pool/IsAutomatic", text) is False


def test_a_flag_is_written_true_or_false() -> None:
    assert encode("Site/Pause", True) == b"true"
    assert encode("Site/Pause", False) == b"false"
    for value in (1, "on"):
        with pytest.raises(PayloadError):
            encode("Site/Pause", value)


def test_empty_means_what_the_topic_says() -> None:
    for address in ("Requests/p/Error", "Devices/d/GridPower", "Requests/p/Priority/Set"):
        assert decode(address, b"") is None
        assert encode(address, None) == b""
    for address in ("Bridge/Status", "Site/Pause/Set", "Devices/d/Switch/Result", "Site/Balance"):
        with pytest.raises(PayloadError, match="is empty"):
            decode(address, b"")
        with pytest.raises(PayloadError, match="cannot be empty"):
            encode(address, None)


def test_words_in_any_case_and_a_makers_own_where_it_may() -> None:
    assert decode("Devices/d/Status", "ONLINE") == "online"
    assert decode("Devices/d/BatteryMode", "Auto") == "auto"
    assert decode("Devices/d/BatteryMode", "peak_shaving") == "peak_shaving"
    for text in ("two words", "ünï", "x" * 33):
        with pytest.raises(PayloadError, match="BatteryMode"):
            decode("Devices/d/BatteryMode", text)


def test_a_sentence_is_put_on_one_line_and_kept_short() -> None:
    assert encode("Requests/p/Reason", "waiting\n for  180 W\x00 more") == b"waiting for 180 W more"
    long = encode("Requests/p/Reason", "ä" * 300)
    assert len(long) <= 140
    assert long.decode().endswith("ä…")
    assert encode("Requests/p/Error", "") == b""
    assert encode("Requests/p/Reason", "odd \ud800 text") == b"odd text"


def test_a_name_may_have_any_letters_but_no_control_characters() -> None:
    assert decode("Requests/p/CustomName", "Wärmepumpe ☼") == "Wärmepumpe ☼"
    for text in ("a\nb", "a\x1b[0mb", "a\u202eb"):
        with pytest.raises(PayloadError, match="CustomName"):
            decode("Requests/p/CustomName", text)


def test_a_message_has_its_time_in_front() -> None:
    line = "2026-11-21T21:14:03Z grid meter is silent"
    assert encode("Actors/a/Messages/Warning", line) == line.encode()
    assert decode("Actors/a/Messages/Warning", line) == line
    with pytest.raises(PayloadError, match="no time in front"):
        encode("Actors/a/Messages/Warning", "grid meter is silent")


NUMBERS = [q for q in C.members.values() if q.kind == "number"]


@given(data=st.data())
def test_every_number_comes_back_as_it_was_written(data: st.DataObject) -> None:
    quantity = data.draw(st.sampled_from(NUMBERS))
    value = data.draw(st.floats(quantity.min, quantity.max) | st.integers(0, 1))
    channel = C.channel("Devices/{device}/{Quantity}", device="d", Quantity=quantity.name)
    payload = channel.encode(value)
    assert quantity.digits is not None
    assert abs(channel.decode(payload) - value) <= 0.5 * 10.0**-quantity.digits * 1.0001
    text = payload.decode()
    assert not set(text) - set("-0123456789.")
    assert text == "0" or not text.strip("-").startswith("00")
    assert "." not in text or (text[-1] not in "0." and len(text.partition(".")[2]) <= 6)
    assert channel.encode(channel.decode(payload)) == payload
