"""Messages of the WebSocket, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.chargers.wattpilot.frames import Status, command, number_of, parse, words_of
from actors.chargers.wattpilot.login import sign
from bridge.errors import DeviceGarbled


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<!DOCTYPE html>", "web page"),
        ("  <html>", "web page"),
        ('{"type":"hel', "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("", "cannot be read"),
        ('["type"]', "something else"),
        ('{"kind":"hello"}', "something else"),
        ('{"type":1}', "something else"),
    ],
)
def test_what_is_no_message_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(DeviceGarbled, match=sentence):
        parse(text)


def test_what_is_no_number_is_unknown() -> None:
    found = parse('{"type":"deltaStatus","status":{"nrg":[NaN,Infinity,1]}}')
    assert found["status"] == {"nrg": [None, None, 1]}


@pytest.mark.parametrize(
    ("given", "number"),
    [(3, 3), ("3", 3), ("3sm", 3), ("sm", None), (None, None), ("x", None), ([3], None)],
)
def test_answers_are_matched_by_number_text_or_sm(given: Any, number: int | None) -> None:
    assert number_of({"requestId": given}) == number


def test_a_plain_command() -> None:
    assert json.loads(command(7, "amp", 10, None)) == {
        "type": "setValue",
        "requestId": 7,
        "key": "amp",
        "value": 10,
    }


def test_a_signed_command_signs_the_text_that_it_sends() -> None:
    outer = json.loads(command(7, "frc", 2, "key"))
    assert outer["type"] == "securedMsg"
    assert outer["requestId"] == "7sm"
    assert outer["hmac"] == sign("key", outer["data"])
    assert json.loads(outer["data"])["requestId"] == 7


def test_status_in_parts_and_deltas() -> None:
    status = Status()
    assert status.take({"type": "fullStatus", "partial": True, "status": {"amp": 6, "car": 1}})
    assert not status.complete
    assert status.take({"type": "fullStatus", "partial": False, "status": {"frc": 0}})
    assert status.complete
    assert status.take({"type": "deltaStatus", "status": {"car": 2}})
    assert status.take({"type": "response", "success": True, "status": {"amp": 10}})
    assert status.keys == {"amp": 10, "car": 2, "frc": 0}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "response", "success": False, "status": {"amp": 12}},
        {"type": "response", "success": "yes", "status": {"amp": 12}},
        {"type": "deltaStatus", "status": [12]},
        {"type": "deltaStatus"},
        {"type": "updateInverter", "status": {"amp": 12}},
        {"type": "clearInverters", "partial": False},
    ],
)
def test_what_is_no_news_changes_nothing(message: dict) -> None:
    status = Status({"amp": 6})
    assert not status.take(message)
    assert status.keys == {"amp": 6}
    assert not status.complete


def test_a_whole_status_in_one_message_is_complete() -> None:
    status = Status()
    status.take({"type": "fullStatus", "status": {"amp": 6}})
    assert status.complete


def test_the_chargers_own_words_are_one_short_line() -> None:
    assert words_of({"message": "unknown\n key " + "x" * 200}).startswith("unknown key xxx")
    assert len(words_of({"message": "x" * 200})) == 80
    assert words_of({"message": 5}) == ""
