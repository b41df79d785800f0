"""What holds for rows of every type, word order, scale, mask and sentinel, made up at random."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.registers.codec import decode, encode, raw_of, scale_power
from bridge.registers.model import NUMBERS, TYPES, Register
from tests.registers.words import (
    asked,
    at,
    check_value,
    check_written,
    in_places,
    numbers,
    powers,
    returns,
    wide,
)

_MANY = settings(max_examples=150, deadline=None)


@st.composite
def rows(draw: st.DrawFn) -> Register:
    """Any row of a number: type, word order, words apart from each other, scale, mask, sentinel."""
    kind = draw(st.sampled_from(sorted(NUMBERS)))
    count = TYPES[kind][0] or 1
    start = draw(st.integers(0, 60_000))
    places = draw(
        st.sampled_from(
            [
                tuple(range(start, start + count)),
                tuple(range(start, start + count))[::-1],
                tuple(start + 17 * index for index in range(count))[::-1],
            ]
        )
    )
    mask = None
    if count == 1:
        mask = draw(st.sampled_from([None, 0x0003, 0x0FF0, 0x8000, 0x7FFF]))
    sentinels = [0x7FFF, 0x8000, 0xFFFF, 0] if count == 1 else [0x8000_0000, 0xFFFF_FFFF]
    return Register(
        name="made_up",
        places=places,
        type=kind,
        signed=TYPES[kind][1],
        mask=mask,
        scale=draw(st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0, 0.5, 100.0])),
        offset=draw(st.sampled_from([0.0, -100.0, 2.5])),
        absolute=draw(st.booleans()),
        valid=draw(st.sampled_from([None, (0.0, 100.0), (-1000.0, 1000.0)])),
        range=draw(st.sampled_from([None, (0.0, 240.0), (-5.0, 5.0)])),
        scale_factor=draw(st.sampled_from([None, "made_up_SF"])),
        invalid=frozenset(draw(st.sets(st.sampled_from(sentinels), max_size=2))),
        access="RW",
    )


@given(row=rows(), number=numbers, power=powers)
@_MANY
def test_any_row_decodes_any_words(row: Register, number: int, power: int | None) -> None:
    raw = wide(row, number)
    words = in_places(row, raw)
    assert raw_of(row, words) == raw
    check_value(row, decode(row, words, power))
    scrambled = {place: words.get(place, 0x1234) for place in range(200)} | words
    assert decode(row, scrambled, power) == decode(row, words, power)


@given(row=rows(), number=numbers, power=st.integers(-9, 9))
@_MANY
def test_any_row_is_written_as_it_was_read(row: Register, number: int, power: int) -> None:
    free = replace(row, range=None)
    scaled = power if row.scale_factor is not None else 0
    raw = wide(free, number)
    value = decode(free, in_places(free, raw), scaled)
    if value is not None and returns(free, raw, value):
        assert at(free, encode(free, value, scaled)) == in_places(free, raw)


@given(row=rows(), value=asked, power=st.integers(-9, 9))
@_MANY
def test_any_row_takes_only_what_it_can_hold(row: Register, value: float, power: int) -> None:
    check_written(row, value, power if row.scale_factor is not None else 0)


@given(raw=st.integers(0, 0xFFFF))
@_MANY
def test_a_power_of_ten_is_signed_and_may_be_missing(raw: int) -> None:
    row = Register(name="W_SF", places=(7,), type="s16", signed=True)
    found = scale_power({7: raw}, row)
    assert found == (None if raw == 0x8000 else raw - 0x10000 if raw > 0x8000 else raw)
    assert scale_power({}, row) is None
