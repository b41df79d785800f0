"""A number in what somebody publishes: plain or inside JSON; what is none is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PayloadError
from bridge.payload_value import MOST_BYTES, Source, read_number, source_of

TASMOTA = b'{"Time":"2026-01-01T00:00:00","BME280":{"Temperature":21.4,"Pressure":"1013.2"}}'


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"21.5", 21.5),
        (b"  -3 \n", -3.0),
        (b"+.5", 0.5),
        (b"1e3", 1000.0),
        (b"", None),
        (b"unavailable", None),
        (b"NaN", None),
        (b"null", None),
    ],
)
def test_plain_numbers(payload: bytes, value: float | None) -> None:
    assert read_number(payload, source_of("a/b")) == value


@pytest.mark.parametrize(
    "payload", [b"21,5", b"warm", b"21.5 C", b"true", b"0x10", b"inf", b"1e999", b"\xff\xfe", b"{}"]
)
def test_what_is_no_number(payload: bytes) -> None:
    with pytest.raises(PayloadError, match=r"^a/b "):
        read_number(payload, source_of("a/b"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("BME280.Temperature", 21.4),
        ("BME280.Pressure", 1013.2),
        ("BME280.Humidity", None),
        ("length(BME280)", 2.0),
    ],
)
def test_paths(path: str, value: float | None) -> None:
    assert read_number(TASMOTA, Source(topic="t", path=path)) == value


@pytest.mark.parametrize(
    ("payload", "path", "words"),
    [
        (TASMOTA, "Time", "is not a number but '2026"),
        (TASMOTA, "BME280", "is not a number but an object"),
        (TASMOTA, "abs(Time)", "not of the form"),
        (b"21.4", "a.b", None),
        (b'{"a":true}', "a", "is not a number but true"),
        (b"<html>", "a", "is not JSON"),
        (b'{"a":', "a", "is not JSON"),
        (b"1" * (MOST_BYTES + 1), None, "more than 64 kB"),
        (b'{"a":1' + b"0" * 400 + b"}", "a", "far too large"),
    ],
)
def test_json_that_does_not_fit(payload: bytes, path: str | None, words: str | None) -> None:
    source = Source(topic="t", path=path)
    if words is None:
        assert read_number(payload, source) is None
        return
    with pytest.raises(PayloadError, match=words):
        read_number(payload, source)


def test_factor_and_offset() -> None:
    fahrenheit = Source(topic="t", factor=5 / 9, offset=-160 / 9)
    assert read_number(b"212", fahrenheit) == pytest.approx(100)
    with pytest.raises(PayloadError, match="too large"):
        read_number(b"1e305", Source(topic="t", factor=1e9))


def test_what_the_owner_gets_wrong() -> None:
    assert [field for field, _ in Source(topic="t", path="a[").check()] == ["path"]
    assert [field for field, _ in Source(topic="t", factor=0).check()] == ["factor"]
    assert list(Source(topic="t", path="a[0].b").check()) == []


@given(st.binary(max_size=200), st.sampled_from([None, "a", "a.b[0]", "max(@)", "to_number(a)"]))
def test_any_payload_is_a_number_unknown_or_refused(payload: bytes, path: str | None) -> None:
    try:
        value = read_number(payload, Source(topic="t", path=path))
    except PayloadError as error:
        sentence = str(error)
    else:
        sentence = "fine"
        assert value is None or math.isfinite(value)
    assert sentence.isprintable()
