"""Recorded payloads from elsewhere: `$HELIOGRAPH_FACTS/payloads/go-echarger`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actors.chargers.go_e import decode
from bridge.charging.goe_keys import decode as decode_keys
from bridge.charging.goe_recipe import reading_of

FACTS = os.environ.get("HELIOGRAPH_FACTS")
FOLDER = Path(FACTS or "nowhere") / "payloads" / "go-echarger"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="HELIOGRAPH_FACTS names no folder of payloads"
)


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_v1() -> None:
    status = load("v1_status")
    assert decode.tells_v1(status)
    found = decode_keys(decode.from_v1(status, None))
    reading = reading_of(found)
    assert (reading.power, reading.powers) == (6790, (2200, 2200, 2200))
    assert reading.currents == (9.8, 9.7, 9.8)
    assert reading.energy == 1203.4
    assert reading.session_energy == pytest.approx(1234567 / 360000)
    assert (reading.vehicle, reading.forced, reading.phases) == ("charging", "neutral", 3)
    assert (found.volatile, found.stored, reading.max_current) == (False, 10, 16)


def test_v2() -> None:
    reading = reading_of(decode_keys(load("v2_status_filtered")))
    assert (reading.power, reading.powers) == (10945, (3640, 3680, 3625))
    assert reading.energy == pytest.approx(4207.315)
    assert reading.session_energy == pytest.approx(12.0337)
    assert reading.vehicle == "charging"


def test_an_answer_to_a_write() -> None:
    answer = load("v2_set_result")
    wrong = {key: decode.complaint(answer, key) for key in answer}
    assert wrong == {"amp": None, "psm": None, "zzz": "unknown key"}


def test_mqtt() -> None:
    keys, results = {}, {}
    for message in load("mqtt_v2_messages"):
        _, _, key, *what = message["topic"].split("/")
        if what == ["result"]:
            results[key] = decode.result(message["payload"].encode())
        elif not what:
            keys[key] = decode.parse(message["payload"].encode())
    found = decode_keys(keys)
    assert (found.power, found.firmware, found.allowed, found.given) == (10945, "56.9", True, 16)
    assert results == {"frc": None}
