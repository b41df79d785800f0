"""Words for any row, and what must be true of what is read from them or written."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from bridge.errors import DeviceError
from bridge.registers.codec import decode, encode
from bridge.registers.model import NUMBERS, Register

if TYPE_CHECKING:
    from bridge.registers.model import Value

# Where signs, sentinels and overflows live, for every width that a value may have.
EDGES = sorted(
    {
        each & 0xFFFF_FFFF_FFFF_FFFF
        for bits in (8, 15, 16, 31, 32, 63, 64)
        for each in ((1 << bits) - 1, 1 << bits, (1 << bits) + 1, -(1 << bits))
    }
)
numbers = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1), st.integers(0, 70_000))
powers = st.one_of(st.none(), st.integers(-10, 10), st.sampled_from([-32767, 32767, 11]))
asked = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-40_000, 40_000),
    st.integers(-(2**65), 2**65).map(float),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]),
)


def wide(row: Register, number: int) -> int:
    """`number` as the row's words: cut to their width, or repeated to fill it."""
    width = 16 * row.words
    while number.bit_length() <= width - 64:
        number = number << 64 | number or 1 << width
    return number & ((1 << width) - 1)


def in_places(row: Register, raw: int) -> dict[int, int]:
    """The words of an unsigned number by address, the most significant at the first place."""
    last = row.words - 1
    return {place: raw >> 16 * (last - index) & 0xFFFF for index, place in enumerate(row.places)}


def at(row: Register, words: tuple[int, ...]) -> dict[int, int]:
    return dict(zip(row.places, words, strict=True))


def check_value(row: Register, value: Value | None) -> None:
    """What a decoded value may be at all."""
    if value is None:
        return
    if isinstance(value, str):
        assert value.isprintable()
        if row.enum or row.spans:
            assert value in {*row.enum.values(), *(word for _, _, word in row.spans)}
        return
    assert row.type in NUMBERS
    assert not row.enum
    assert not row.spans
    assert math.isfinite(value), row.name
    assert not row.absolute or value >= 0
    assert row.valid is None or row.valid[0] <= value <= row.valid[1]


def check_sentence(error: DeviceError) -> None:
    """One line for a house owner."""
    text = str(error)
    assert 10 < len(text) < 300
    assert text.isprintable()
    assert not any(word in text for word in ("Traceback", "Error(", "NoneType", "object at 0x"))


def step_of(row: Register, power: int = 0) -> float:
    """The smallest difference that the row can hold."""
    return abs(row.scale) * 10.0**power


def returns(row: Register, raw: int, value: Value) -> bool:
    """True when writing `value` must give exactly the words that it was read from."""
    if row.type == "hhmm":
        return row.mask is None
    if row.offset and row.scale_factor is not None:
        return False  # beside a large offset, small steps are lost in a double
    odd = row.absolute or row.spans or (row.short and raw >> 16 == 0 and raw & 0x8000)
    if row.type not in NUMBERS or odd or (row.mask is not None and raw & ~row.mask):
        return False
    if isinstance(value, str):
        return list(row.enum.values()).count(value) == 1
    if row.type[0] == "f":
        return row.scale == 1.0 and not row.offset and row.scale_factor is None
    signed = raw - (1 << 16 * row.words) if row.signed and raw >> 16 * row.words - 1 else raw
    # A double holds 53 bits; scaling costs a few of them.
    return abs(signed) < (2**52 if row.scale == 1.0 and row.scale_factor is None else 2**46)


def check_written(row: Register, value: float, power: int) -> None:
    """Refused with a sentence, or read back as what was asked, to half a step."""
    try:
        words = encode(row, value, power)
    except DeviceError as error:
        check_sentence(error)
        return
    assert math.isfinite(value), row.name
    assert row.range is None or row.range[0] <= value <= row.range[1], row.name
    assert all(0 <= word <= 0xFFFF for word in words)
    back = decode(replace(row, valid=None), at(row, words), power)
    if row.enum or row.spans:
        assert isinstance(back, str), f"{row.name}: {value:g} is no code of it"
    elif row.type in NUMBERS and not (row.short and 0x8000 <= value <= 0xFFFF):
        assert isinstance(back, (int, float)), row.name
        wanted = abs(value) if row.absolute else value
        size = abs(value) + abs(row.offset)
        slack = size * 1e-6 + 1e-40 if row.type[0] == "f" else step_of(row, power) * 0.5
        assert abs(back - wanted) <= slack * 1.000001 + size * 1e-12, row.name
