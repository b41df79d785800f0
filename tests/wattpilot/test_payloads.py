"""Recorded payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/wattpilot`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actors.chargers.wattpilot import frames, login
from bridge.charging.goe_keys import decode
from bridge.charging.goe_recipe import reading_of

FACTS = os.environ.get("HELIOGRAPH_FACTS")
FOLDER = Path(FACTS or "nowhere") / "payloads" / "wattpilot"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="HELIOGRAPH_FACTS names no folder of payloads"
)


def load(name: str) -> dict[str, Any]:
    return frames.parse((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def whole() -> frames.Status:
    status = frames.Status()
    for name in ("full_status_part1", "full_status_part2_charging_3ph"):
        assert not status.complete
        assert status.take(load(name))
    return status


def test_the_whole_status() -> None:
    status = whole()
    assert status.complete
    found = decode(status.keys)
    reading = reading_of(found)
    assert reading.vehicle == "charging"
    assert reading.power == 6889
    assert reading.powers == (2303, 2270, 2316)
    assert reading.voltages == (235, 234, 234)
    assert reading.currents == (9.8, 9.7, 9.9)
    assert (reading.allowed_current, reading.max_current) == (10, 16)
    assert (reading.phases, reading.carrying) == (3, 3)
    assert reading.energy == pytest.approx(1076.098)
    assert reading.session_energy == pytest.approx(5.3245)
    assert (reading.forced, reading.mode, reading.fault) == ("neutral", "eco", None)
    assert reading.price == pytest.approx(0.0871)
    assert reading.price_limit == 0.125
    assert (found.state_word, found.error_word) == ("surplus", "none")
    assert (found.serial, found.firmware, found.model) == ("32154321", "40.7", "wattpilot")
    assert (found.frequency, found.signal, found.cable) == (49.982, -66, 20)
    assert (found.volatile, found.limit) == (False, None)


def test_a_delta() -> None:
    status = whole()
    assert status.take(load("delta_status"))
    reading = reading_of(decode(status.keys))
    assert reading.power == 1440
    assert (reading.phases, reading.carrying) == (3, 1)
    assert reading.extra["Frequency"] == 49.937
    assert reading.energy == pytest.approx(1076.098)


def test_hello_and_logins() -> None:
    hello, flex = load("hello"), load("hello_flex")
    plain, named = load("auth_required"), load("auth_required_bcrypt")
    assert login.method_of(hello, plain) == "pbkdf2"
    assert login.method_of(flex, plain) == login.method_of(hello, named) == "bcrypt"
    assert hello["secured"] is flex["secured"] is True


@pytest.mark.parametrize("method", ["pbkdf2", "bcrypt"])
def test_the_vectors(method: login.Method) -> None:
    vector = json.loads((FOLDER / f"auth_vector_{method}.json").read_text(encoding="utf-8"))
    required = load("auth_required")
    key = login.make_key(method, vector["password"], vector["serial"])
    assert key == vector["hashed_password"]
    token3 = vector["token3"]
    proof = login.answer(key, required["token1"], required["token2"], token3)
    assert json.loads(frames.auth(token3, proof)) == vector["auth_message"]
    assert json.loads(frames.command(1, "frc", 1, key)) == vector["secured_set"]
    if method == "pbkdf2":
        assert proof == load("auth_success")["hash"]


def test_answers() -> None:
    status = whole()
    good, bad = load("response_ok"), load("response_error")
    assert (frames.number_of(good), frames.number_of(bad)) == (1, 2)
    assert status.take(good)
    assert status.keys["frc"] == 1
    assert not status.take(bad)
    assert frames.words_of(bad) == "unknown key"
    assert frames.words_of(load("auth_error")) == "Wrong password"


def test_other_messages_are_no_news() -> None:
    status = whole()
    before = dict(status.keys)
    assert not status.take(load("update_inverter"))
    assert status.keys == before


def test_every_payload_is_read_here() -> None:
    known = {
        *("auth_error", "auth_required", "auth_required_bcrypt", "auth_success", "hello"),
        *("auth_vector_bcrypt", "auth_vector_pbkdf2", "delta_status", "full_status_part1"),
        *("full_status_part2_charging_3ph", "hello_flex", "response_error", "response_ok"),
        "update_inverter",
    }
    assert {path.stem for path in FOLDER.glob("*.json")} == known
