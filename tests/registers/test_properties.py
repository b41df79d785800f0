"""What holds for every row of every table, whatever a device sends or an owner asks for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.errors import DeviceError
from bridge.registers.codec import decode, encode, merged, raw_of, scale_power
from bridge.registers.controls import TableRecipe
from bridge.registers.model import NUMBERS, TYPES, Register
from bridge.registers.plan import Holes, plan
from bridge.registers.quantities import Quantities
from tests.registers.tables import every_table, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Value

_FEW = settings(max_examples=12, deadline=None)
_MANY = settings(max_examples=150, deadline=None)

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


# ---------------------------------------------------------------------------------- every table


@every_table
@given(number=numbers, power=powers)
@example(number=0, power=0)
@example(number=2**64 - 1, power=0)
@example(number=0x8000_0000_8000_8000, power=0)
@example(number=0x7FFF_FFFF_7FFF_7FFF, power=-2)
@_FEW
def test_any_words_are_a_value_in_its_range_or_unknown(
    name: str, number: int, power: int | None
) -> None:
    for row in table(name).registers:
        words = in_places(row, wide(row, number))
        check_value(row, decode(row, words, power))
        check_value(row, decode(row, words))


@every_table
@given(number=numbers, power=st.integers(-9, 9))
@example(number=1, power=0)
@example(number=0xFFFF_FFFE, power=0)
@_FEW
def test_what_was_read_is_written_as_the_same_words(name: str, number: int, power: int) -> None:
    for found in table(name).registers:
        row = replace(found, range=None)
        raw = wide(row, number)
        scaled = power if row.scale_factor is not None else 0
        value = decode(row, in_places(row, raw), scaled)
        if value is None or not returns(row, raw, value):
            continue
        assert at(row, encode(row, value, scaled)) == in_places(row, raw), row.name


@every_table
@given(values=st.lists(asked, min_size=4, max_size=4), power=st.integers(-9, 9))
@_FEW
def test_only_what_the_row_can_hold_is_written(name: str, values: list[float], power: int) -> None:
    for row in table(name).registers:
        if row.access == "R":
            continue
        scaled = power if row.scale_factor is not None else 0
        for value in values:
            check_written(row, value, scaled)


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


@every_table
def test_the_ends_of_a_range_can_be_written_and_nothing_beyond(name: str) -> None:
    for row in table(name).registers:
        if row.range is None or row.scale_factor is not None:
            continue
        low, high = row.range
        assert low <= high, row.name
        for value in (low, high):
            check_written(row, value, 0)
            assert encode(row, value)
        for value in (low - step_of(row), high + step_of(row), math.nan, math.inf, -math.inf):
            try:
                encode(row, value)
            except DeviceError as error:
                check_sentence(error)
            else:
                raise AssertionError(f"{row.name} takes {value}, outside {row.range}")


@every_table
@given(power=powers, noise=st.integers(0, 2**64 - 1))
@_FEW
def test_a_sentinel_is_always_unknown(name: str, power: int | None, noise: int) -> None:
    for row in table(name).registers:
        for raw in row.invalid:
            words = in_places(row, raw)
            shift = 0 if row.mask is None else (row.mask & -row.mask).bit_length() - 1
            if row.mask is not None and raw <= row.mask >> shift:
                words = in_places(row, raw << shift | wide(row, noise) & ~row.mask)
            assert decode(row, words, power) is None, f"{row.name} 0x{raw:X}"
            assert decode(row, words) is None, f"{row.name} 0x{raw:X}"


@every_table
@given(word=st.text(max_size=40))
@_FEW
def test_words_that_no_row_knows_are_refused(name: str, word: str) -> None:
    for row in table(name).registers:
        if row.access == "R" or row.type == "string" or word in row.enum.values():
            continue
        try:
            words = encode(row, word)
        except DeviceError:
            continue
        assert row.type == "hhmm", f"{row.name} takes {word!r}"
        assert decode(row, at(row, words)) is not None


@every_table
@given(number=numbers, data=st.data())
@_FEW
def test_a_word_that_was_not_read_makes_the_value_unknown(
    name: str, number: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, 7))
    for row in table(name).registers:
        words = in_places(row, wide(row, number))
        missing = row.places[index % row.words]
        del words[missing]
        value = decode(row, words, 0)
        check_value(row, value)
        if not (row.short and missing != row.places[-1]):
            assert value is None, row.name


@every_table
@given(number=numbers, there=st.integers(0, 2**64 - 1))
@_FEW
def test_a_masked_row_leaves_the_other_bits_alone(name: str, number: int, there: int) -> None:
    for row in table(name).registers:
        if row.mask is None:
            continue
        before = in_places(row, wide(row, there))
        value = decode(row, in_places(row, wide(row, number)), 0)
        if value is None or row.type not in NUMBERS:
            continue
        own = encode(replace(row, range=None), value)
        after = raw_of(row, at(row, merged(row, own, [before[place] for place in row.places])))
        found = raw_of(row, before)
        assert after is not None
        assert found is not None
        assert after & ~row.mask == found & ~row.mask, row.name
        assert decode(row, in_places(row, after), 0) == value, row.name


@every_table
@given(number=numbers, power=st.integers(-3, 3), data=st.data())
@_FEW
def test_quantities_are_finite_or_unknown_for_any_words(
    name: str, number: int, power: int, data: st.DataObject
) -> None:
    rows = table(name)
    keep = data.draw(st.integers(1, 4))
    values: dict[str, Value | None] = {
        row.name: decode(row, in_places(row, wide(row, number + 7 * index)), power)
        for index, row in enumerate(rows.registers)
        if index % keep == 0
    }
    found = Quantities(rows, frozenset(rows.by_name)).of(values)
    assert set(found) == set(rows.produced)
    for quantity, value in found.items():
        assert value is None or isinstance(value, str) or math.isfinite(value), quantity
    nothing = Quantities(rows, frozenset(rows.by_name)).of({})
    assert set(nothing.values()) <= {None}, "nothing read is nothing known, never 0"


@every_table
@given(value=asked, number=numbers, blind=st.booleans())
@_FEW
def test_a_control_writes_what_its_rows_take_or_says_why_not(
    name: str, value: float, number: int, *, blind: bool
) -> None:
    rows = table(name)
    seen: Mapping[str, Any] = {
        row.name: None if blind else decode(row, in_places(row, wide(row, number)), 0)
        for row in rows.registers
    }
    for entry in rows.controls.values():
        recipe = TableRecipe(entry, rows)
        wishes: list[Any] = [*entry.options, value, value % 10_000]
        for wish in wishes:
            try:
                for step in recipe.steps(wish, seen):
                    assert step.name in recipe.touches
                    row = rows[step.name]
                    assert step.value is not None
                    assert row.access != "R"
                    if isinstance(step.value, float):
                        check_written(row, step.value, 0)
                    encode(row, step.value)
            except DeviceError as error:
                check_sentence(error)


@every_table
@given(refused=st.sets(st.integers(0, 60), max_size=8))
@_FEW
def test_a_plan_reads_every_row_that_is_not_refused_within_the_limits(
    name: str, refused: set[int]
) -> None:
    rows = table(name)
    wanted = [row for row in rows.registers if row.access != "W"]
    holes = Holes()
    for index in refused:
        row = wanted[index % len(wanted)]
        holes.refused.add(((row.station, row.function), row.places[0]))
    blocks = plan(wanted, rows.limits, holes)
    fed = {row.name for block in blocks for row in block.rows}
    for block in blocks:
        assert 1 <= block.count <= rows.limits.words
        for address, words, row in block.pieces:
            assert block.address <= address
            assert address + words <= block.address + block.count
            assert (row.station, row.function) == block.space
        lacking = {each for space, each in holes.refused if space == block.space}
        assert not lacking & set(range(block.address, block.address + block.count))
    for row in wanted:
        space = (row.station, row.function)
        if not any((space, place) in holes.refused for place in row.places):
            assert row.name in fed, row.name


# -------------------------------------------------------------------------------- made-up rows


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
