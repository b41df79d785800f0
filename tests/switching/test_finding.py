"""On or off, and how many W, out of whatever a device sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import DeviceGarbled
from bridge.switching.finding import Finder


def by_pattern(on: str, off: str | None = None) -> Finder:
    return Finder("the switch", on, None, off)


def by_path(path: str) -> Finder:
    return Finder("the switch", None, path, None)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ('{"ison": true}', True),
        ('{"ison":true}', True),
        ('{"ison": false}', False),
        ('{"relays":[{"ison":false}],"errors_seen":0}', False),
        ("state: off", False),
        ('{"ison":false,"error":null}', False),
        ('{"ison":true,"error":0}', True),
        ('{"status":"failed","ison":false}', False),
        ("<?xml version='1.0'?><relays><r1>0</r1></relays>", False),
        ("STATE=OFF; LAST ERROR: none", False),
        ("<state>0</state><error>0</error>", False),
    ],
)
def test_a_pattern_that_is_found_is_on(text: str, on: bool) -> None:
    assert by_pattern(r'"ison":\s*true').state(text) is on


@pytest.mark.parametrize(
    "text",
    [
        "", " \n", "<!DOCTYPE html><html>", "\n<html>", "x <HTML><body>", '{"ison": fal',
        '{"error": "busy"}', '{"WARNING": "Need user"}', '{"Command": "Unknown"}',
        '{"code": -105, "message": "Argument id"}', "{}", "[]", "null", " {} ",
        "Unauthorized", "404 Not Found", "Error: relay board does not answer",
        '{"success": false, "message": "Access denied"}', '{"status": "error"}',
        "<h1>Bad gateway</h1>", "<?xml version='1.0'?><error>busy</error>",
    ],
)  # fmt: skip
def test_what_is_no_status_is_unknown(text: str) -> None:
    with pytest.raises(DeviceGarbled, match="the switch sends"):
        by_pattern(r'"ison":\s*true').state(text)


@pytest.mark.parametrize(
    "text",
    ["<html>Authentication required</html>", '{"error": "connection lost"}', "<p>on</p>"],
)
def test_a_page_about_a_failure_is_not_on_either(text: str) -> None:
    with pytest.raises(DeviceGarbled, match="instead of its status"):
        by_pattern("on").state(text)


def test_with_an_off_pattern_nothing_is_guessed() -> None:
    found = by_pattern("is ON", "is OFF")
    assert found.state("<html>the pump is ON</html>") is True
    assert found.state("<html>the pump is OFF</html>") is False
    with pytest.raises(DeviceGarbled, match="neither on nor off"):
        found.state("state: nobody knows")


@pytest.mark.parametrize(
    ("value", "on"),
    [
        ("true", True), ("false", False), ('"ON"', True), ('"off"', False), ("1", True),
        ("0", False), ('" On "', True), ('"closed"', False), ("57.5", True), ("1.0", True),
    ],
)  # fmt: skip
def test_a_path_tells_on_and_off(value: str, on: bool) -> None:
    assert by_path("a.state").state(f'{{"a": {{"state": {value}}}}}') is on


@pytest.mark.parametrize("value", ["null", '"perhaps"', "-1", "[]", "{}", '""', "[true]"])
def test_a_path_to_anything_else_is_unknown(value: str) -> None:
    with pytest.raises(DeviceGarbled, match="neither on nor off"):
        by_path("a").state(f'{{"a": {value}}}')


@pytest.mark.parametrize("text", ["", "on", "<html>", "{", "[" * 100_000])
def test_a_path_needs_json(text: str) -> None:
    with pytest.raises(DeviceGarbled, match="not JSON"):
        by_path("a").state(text)


def test_a_path_that_cannot_work_is_one_sentence() -> None:
    with pytest.raises(DeviceGarbled, match="on which the path does not work"):
        by_path("length(a)").state('{"a": 5}')


@pytest.mark.parametrize(
    ("text", "watts"),
    [
        ('{"apower":480.5,"x":1}', 480.5),
        ('{"apower":-3,"x":1}', -3),
        ('{"apower":null,"x":1}', None),
    ],
)
def test_power_by_pattern(text: str, watts: float | None) -> None:
    assert by_pattern('"apower":([^,]+),').number(text) == watts


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"apower":"much","x":1}', "not a number"),
        ('{"apower":true,"x":1}', "not a number"),
        ('{"apower":nan,"x":1}', "cannot be"),
        ('{"apower":1e9,"x":1}', "cannot be"),
        ("<html>", "no power that"),
    ],
)
def test_a_power_that_is_none(text: str, sentence: str) -> None:
    with pytest.raises(DeviceGarbled, match=sentence):
        by_pattern('"apower":([^,]+),').number(text)


@pytest.mark.parametrize(("value", "watts"), [("12", 12), ('"12.5"', 12.5), ("null", None)])
def test_power_by_path(value: str, watts: float | None) -> None:
    assert by_path("p").number(f'{{"p": {value}}}') == watts


@pytest.mark.parametrize("value", ["true", "[]", '"12 W"', "{}"])
def test_a_power_by_path_that_is_none(value: str) -> None:
    with pytest.raises(DeviceGarbled, match="not a number"):
        by_path("p").number(f'{{"p": {value}}}')


@given(st.text(max_size=300))
def test_any_text_is_on_off_or_one_sentence(text: str) -> None:
    for finder in (by_pattern(r'"on":\s*(true)'), by_path("on"), by_pattern("(on)", "off")):
        for ask in (finder.state, finder.number):
            try:
                found, sentence = ask(text), "the switch sends"
            except DeviceGarbled as error:
                found, sentence = None, str(error)
            assert sentence.startswith("the switch sends")
            assert found in (True, False, None) or ask == finder.number
