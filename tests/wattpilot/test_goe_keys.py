"""The keys of a go-e or Wattpilot, read. Every number here is worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import actors.chargers.wattpilot as package
from bridge.charging.goe_keys import ERRORS, EXTRAS, KEYS, STATES, decode, extras, flag, number
from bridge.charging.goe_recipe import reading_of
from bridge.contract import load_contract

CONTRACT = load_contract()
SAMPLES = Path(package.__file__).parent / "samples"
FULL: dict[str, Any] = json.loads((SAMPLES / "charging.json").read_text(encoding="utf-8"))


def test_everything_in_our_units() -> None:
    found = decode(FULL)
    assert found.power == 10920
    assert found.powers == (3640, 3680, 3600)
    assert found.voltages == (231, 232, 230)
    assert found.currents == (15.8, 15.9, 15.7)
    assert found.factors == (0.99, 0.98, 0.97)
    assert found.energy == pytest.approx(1234.567)
    assert found.session == pytest.approx(5.3245)
    assert found.limit == 10
    assert found.price == pytest.approx(0.0871)
    assert found.price_limit == 0.125
    assert (found.prices, found.surplus) == (True, False)
    assert (found.frequency, found.temperature, found.signal) == (49.98, 31.25, -66)
    assert (found.car, found.mode, found.phases) == ("charging", "eco", 3)
    assert (found.state_word, found.error_word, found.complaint) == ("forced_on", "none", None)
    assert (found.serial, found.firmware, found.name) == ("000001", "40.7", "My Garage")


def test_the_same_in_the_words_of_every_charger() -> None:
    reading = reading_of(decode(FULL))
    assert reading.vehicle == "charging"
    assert reading.forced == "on"
    assert reading.allowed_current == 16
    assert (reading.min_current, reading.max_current) == (6, 16)
    assert (reading.phases, reading.carrying) == (3, 3)
    assert reading.phases_possible == {1, 3}
    assert reading.price == pytest.approx(0.0871)
    assert reading.price_limit == 0.125
    assert (reading.mode, reading.reason, reading.fault) == ("eco", "forced on", None)


def test_nothing_is_unknown_and_never_nought() -> None:
    for keys in ({}, dict.fromkeys(KEYS)):
        found = decode(keys)
        reading = reading_of(found)
        assert reading.power is reading.energy is reading.session_energy is None
        assert reading.allowed_current is reading.phases is reading.max_current is None
        assert reading.carrying is None
        assert reading.forced is reading.mode is None
        assert all(value is None for value in extras(found).values())
    assert decode({}).car is None


@pytest.mark.parametrize(
    ("car", "alw", "word"),
    [
        (1, False, "disconnected"),
        (2, True, "charging"),
        (3, True, "waiting"),
        (3, None, "waiting"),
        (3, False, "connected"),
        (4, True, "complete"),
        # It calls every car complete that it has stopped.
        (4, False, "connected"),
        (5, True, "fault"),
        (0, True, "fault"),
        (None, True, "fault"),
        ("2", "true", "charging"),
        (77, True, "fault"),
        ("car", True, None),
        (2.5, True, None),
        ([2], True, None),
    ],
)
def test_the_car(car: Any, alw: Any, word: str | None) -> None:
    assert decode({"car": car, "alw": alw}).car == word


@pytest.mark.parametrize(
    ("keys", "phases", "possible"),
    [
        ({"psm": 1, "pnp": 3}, 1, {1, 3}),
        ({"psm": 2, "pnp": 3}, 3, {1, 3}),
        ({"psm": 2}, 3, {1, 3}),
        ({"psm": 0, "fsp": True, "pnp": 3}, 1, {1, 3}),
        ({"psm": 0, "fsp": False, "pnp": 3}, 3, {1, 3}),
        ({"psm": 0, "pnp": 3}, 3, {1, 3}),
        ({"psm": 2, "pnp": 1}, 1, {1}),
        ({"psm": 2, "pha": [True, False, False, True, False, False]}, 1, {1}),
        # Switched to one phase: all three are still there in front of the contactor.
        ({"psm": 1, "pha": [True, True, True, True, False, False]}, 1, {1, 3}),
        ({"psm": 2, "pha": [True, True, False, True, True, False]}, 3, {1, 3}),
        ({"psm": 0, "pha": "no", "pnp": 0}, None, {1, 3}),
        ({"psm": 0, "pha": [False] * 6, "pnp": None}, None, {1, 3}),
    ],
)
def test_phases(keys: dict, phases: int | None, possible: set[int]) -> None:
    reading = reading_of(decode(keys))
    assert reading.phases == phases
    assert reading.phases_possible == possible


@pytest.mark.parametrize(
    ("keys", "most"),
    [
        ({"ama": 32, "cbl": 20, "amt": 32}, 20),
        ({"ama": 32, "cbl": None, "amt": 32}, 32),
        ({"ama": 32, "cbl": 32, "amt": 13}, 13),
        ({"ama": 32, "cbl": 32, "adi": True}, 16),
        ({"ama": 32, "var": 11}, 16),
        ({"ama": 32, "var": 22}, 32),
        ({"ama": 0, "cbl": 0}, None),
        ({}, None),
    ],
)
def test_the_most_current(keys: dict, most: float | None) -> None:
    assert decode(keys).most_current == most


@pytest.mark.parametrize(("mca", "least"), [(None, 6), (6, 6), (10, 10), (0, 6), ("8", 8)])
def test_the_least_current(mca: Any, least: float) -> None:
    assert reading_of(decode({"mca": mca})).min_current == least


def test_the_volatile_current_wins() -> None:
    assert (decode({"amp": 16, "amx": 9}).current, decode({"amp": 16, "amx": 9}).volatile) == (
        9,
        True,
    )
    assert (decode({"amp": 16}).current, decode({"amp": 16}).volatile) == (16, False)
    assert (decode({"amp": 16, "amx": None}).current, decode({"amp": 16}).stored) == (16, 16)


@pytest.mark.parametrize("code", [*range(17), 17, 99])
def test_every_error_has_a_word_and_a_sentence(code: int) -> None:
    found = decode({"err": code, "car": 5 if code else 1})
    assert found.error_word == ERRORS.get(code, "other")
    assert found.error_word in CONTRACT.quantity("ChargerError").options
    if code:
        assert found.complaint
        assert reading_of(found).fault == found.complaint
    else:
        assert found.complaint is None


@pytest.mark.parametrize("code", [*range(40), 255])
def test_every_state_has_a_word(code: int) -> None:
    word = decode({"modelStatus": code}).state_word
    assert word == STATES.get(code, "other")
    assert word in CONTRACT.quantity("ChargerState").options


def test_the_words_of_the_contract_are_those_of_the_table() -> None:
    assert {*STATES.values(), "other"} == set(CONTRACT.quantity("ChargerState").options)
    assert {*ERRORS.values(), "other"} == set(CONTRACT.quantity("ChargerError").options)


def test_the_extras_are_declared() -> None:
    families = {CONTRACT.quantity(name).family or name for name in extras(decode(FULL))}
    assert families == set(EXTRAS)


def test_an_unknown_mode_is_other() -> None:
    assert [decode({"lmo": each}).mode for each in (3, 4, 5, 6, None)] == [
        *("default", "eco", "next_trip", "other", None),
    ]


@pytest.mark.parametrize(
    ("value", "result"),
    [(3, 3), ("3.5", 3.5), (True, None), ("x", None), (math.nan, None), ("inf", None), ([], None)],
)
def test_numbers(value: Any, result: float | None) -> None:
    assert number(value) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [(True, True), ("FALSE", False), (1, True), ("0", False), (2, None), ("x", None), (None, None)],
)
def test_flags(value: Any, result: bool | None) -> None:
    assert flag(value) is result


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=17) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_rubbish_is_too_much(keys: dict[str, Any]) -> None:
    found = decode(keys)
    reading = reading_of(found)
    for name, value in reading.extra.items():
        assert value is None or isinstance(value, (str, float, int)), name
        if isinstance(value, float):
            assert math.isfinite(value)
