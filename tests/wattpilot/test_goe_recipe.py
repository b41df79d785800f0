"""From wishes to keys: what is written, in which order, and what is put back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.charging.goe_keys import decode
from bridge.charging.goe_recipe import keep, put_back, reading_of, writes
from bridge.charging.model import GIVE_BACK, ChargerWish

IDLE: dict[str, Any] = {"frc": 0, "psm": 0, "amp": 16, "lmo": 4, "pnp": 3, "car": 3}
VOLATILE = {**IDLE, "amx": 16}


def steps(wish: ChargerWish, keys: dict, before: dict | None = None) -> list[tuple[str, int]]:
    return writes(wish, decode(keys), before or {})


def test_phases_first_then_current_then_on() -> None:
    wish = ChargerWish(on=True, current=8, phases=1)
    assert steps(wish, IDLE) == [("psm", 1), ("amp", 8), ("frc", 2)]
    assert steps(wish, VOLATILE) == [("psm", 1), ("amx", 8), ("frc", 2)]


def test_off_before_all_else() -> None:
    on = {**IDLE, "frc": 2, "psm": 2}
    assert steps(ChargerWish(on=False), on) == [("frc", 1)]
    wish = ChargerWish(on=False, phases=1, current=6)
    assert steps(wish, on) == [("frc", 1), ("psm", 1), ("amp", 6)]


def test_only_what_differs_is_written() -> None:
    on = {**IDLE, "frc": 2, "psm": 1, "amp": 8}
    assert steps(ChargerWish(on=True, current=8, phases=1), on) == []
    assert steps(ChargerWish(on=True, current=9, phases=1), on) == [("amp", 9)]
    assert steps(ChargerWish(on=True), on) == []
    assert steps(ChargerWish(on=True), {}) == [("frc", 2)]


def test_giving_back_is_neutral_first_and_then_as_it_was() -> None:
    on = {**VOLATILE, "frc": 2, "psm": 1, "amx": 8}
    before = {"psm": 0, "amx": 16, "lmo": 4}
    assert steps(GIVE_BACK, on, before) == [("frc", 0), ("psm", 0), ("amx", 16)]
    assert put_back(GIVE_BACK) == {"psm", "amx", "amp"}
    assert steps(GIVE_BACK, {**IDLE, "frc": 1}) == [("frc", 0)]


def test_giving_back_keeps_what_the_owner_has_lent() -> None:
    on = {**IDLE, "frc": 2, "psm": 1, "amp": 8}
    wish = ChargerWish(on=None, current=10)
    assert steps(wish, on, {"psm": 0, "amp": 16}) == [("frc", 0), ("psm", 0), ("amp", 10)]
    assert put_back(wish) == {"psm"}
    assert put_back(ChargerWish(on=False)) == set()


def test_a_firmware_that_lost_its_volatile_current_is_given_back_all_the_same() -> None:
    assert steps(GIVE_BACK, {**IDLE, "frc": 1}, {"amx": 16, "psm": 0}) == [("frc", 0)]


def test_what_was_found_is_kept_once() -> None:
    found = decode(IDLE)
    kept = keep(found, {}, {"psm", "frc", "amp"})
    assert kept == {"psm": 0, "amp": 16}
    changed = decode({**IDLE, "psm": 1, "amp": 6, "lmo": 3})
    assert keep(changed, kept, {"psm", "amp", "lmo"}) == {"psm": 0, "amp": 16, "lmo": 3}
    assert keep(decode({}), {}, {"psm", "amp"}) == {}


@pytest.mark.parametrize("rubbish", [{"psm": "x", "amp": None, "frc": 2, "nope": 1}, {"psm": 1.5}])
def test_rubbish_in_the_notes_is_left_out(rubbish: dict) -> None:
    assert steps(GIVE_BACK, {**IDLE, "frc": 2}, rubbish) == [("frc", 0)]


NUMBERS = st.integers(6, 32)
WISHES = st.builds(
    ChargerWish,
    on=st.sampled_from([True, False, None]),
    current=st.none() | NUMBERS.map(float),
    phases=st.sampled_from([None, 1, 3]),
)
KEYS = st.fixed_dictionaries(
    {
        "frc": st.sampled_from([0, 1, 2]),
        "psm": st.sampled_from([0, 1, 2]),
        "amp": NUMBERS,
        "pnp": st.just(3),
    },
    optional={"amx": NUMBERS},
)


@given(WISHES, KEYS)
def test_written_once_the_wish_stands_and_nothing_is_left_to_write(
    wish: ChargerWish, keys: dict[str, Any]
) -> None:
    after = dict(keys)
    for key, value in steps(wish, keys):
        assert after[key] != value
        after[key] = value
    assert steps(wish, after) == []
    assert not wish.contradicted_by(reading_of(decode(after)))


@given(st.lists(WISHES, max_size=5), KEYS)
def test_whatever_was_wished_giving_back_restores(wishes: list, keys: dict[str, Any]) -> None:
    after, before = dict(keys), dict[str, Any]()
    for wish in [*wishes, GIVE_BACK]:
        todo = steps(wish, after, before)
        before = keep(decode(after), before, {key for key, _ in todo})
        after |= dict(todo)
        before = {key: value for key, value in before.items() if key not in put_back(wish)}
    assert before == {}
    assert after == keys | {"frc": 0}
