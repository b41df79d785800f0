"""What holds for every row of every table, whatever a device sends or an owner asks for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.errors import DeviceError
from bridge.registers.codec import decode, encode, merged, raw_of
from bridge.registers.controls import TableRecipe
from bridge.registers.model import NUMBERS
from bridge.registers.plan import Holes, plan
from bridge.registers.quantities import Quantities
from tests.registers.tables import every_table, table
from tests.registers.words import (
    asked,
    at,
    check_sentence,
    check_value,
    check_written,
    in_places,
    numbers,
    powers,
    returns,
    step_of,
    wide,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Value

_FEW = settings(max_examples=12, deadline=None)


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
