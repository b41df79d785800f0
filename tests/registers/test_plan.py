"""Reads are few, never cut a value in two, and learn what the device refuses."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bridge.registers.model import Limits, Register
from bridge.registers.plan import Block, Holes, bound, plan, split
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.registers import RegisterMap

SPACE = (None, 3)


def spans(blocks: list[Block]) -> list[tuple[int, int]]:
    return [(block.address, block.count) for block in blocks]


def simple(folder: Path, *addresses: int) -> RegisterMap:
    return table(folder, *(row(each, f"r{each}") for each in addresses))


def test_neighbours_are_read_at_once(tmp_path: Path) -> None:
    rows = simple(tmp_path, 10, 11, 14).registers
    assert spans(plan(rows, Limits(words=64, gap=2))) == [(10, 5)]


def test_a_wide_gap_divides(tmp_path: Path) -> None:
    rows = simple(tmp_path, 10, 14).registers
    assert spans(plan(rows, Limits(gap=2))) == [(10, 1), (14, 1)]


def test_the_longest_read_divides_without_cutting_a_value(tmp_path: Path) -> None:
    found = table(tmp_path, row(0, "a"), row(1, "b", "u32"), row(3, "c", "u32"))
    assert spans(plan(found.registers, Limits(words=4, gap=0))) == [(0, 3), (3, 2)]


def test_words_apart_from_each_other_join_their_neighbours(tmp_path: Path) -> None:
    found = table(
        tmp_path, row(0, "low", "s32", addresses=[625, 690]), row(626, "next"), row(691, "other")
    )
    assert spans(plan(found.registers, Limits(gap=8))) == [(625, 2), (690, 2)]


def test_units_are_read_one_by_one(tmp_path: Path) -> None:
    found = simple(tmp_path, 10)
    rows = [*found.on(100).registers, *found.on(225).named("b_").registers]
    assert [block.space for block in plan(rows, Limits())] == [(100, 3), (225, 3)]


def test_a_refused_address_is_left_out_and_not_read_over(tmp_path: Path) -> None:
    rows = simple(tmp_path, 10, 11, 12).registers
    holes = Holes(refused={(SPACE, 11)})
    assert spans(plan(rows, Limits(gap=8), holes)) == [(10, 1), (12, 1)]


def test_a_cut_is_kept(tmp_path: Path) -> None:
    rows = simple(tmp_path, 10, 11).registers
    assert spans(plan(rows, Limits(), Holes(cuts={(SPACE, 11)}))) == [(10, 1), (11, 1)]


def test_a_block_is_split_at_its_widest_gap(tmp_path: Path) -> None:
    rows = simple(tmp_path, 10, 11, 15, 16).registers
    (block,) = plan(rows, Limits(gap=8))
    parts = split(block)
    assert parts is not None
    assert spans(list(parts)) == [(10, 2), (15, 2)]


def test_a_single_value_cannot_be_split(tmp_path: Path) -> None:
    (block,) = plan(table(tmp_path, row(0, "a", "u32")).registers, Limits())
    assert split(block) is None


def of(places: tuple[int, ...], index: int) -> Register:
    return Register(name=f"r{index}", places=places, type="u16")


@st.composite
def rows_of_a_device(draw: st.DrawFn) -> list[Register]:
    rows, address = [], draw(st.integers(0, 40000))
    for index in range(draw(st.integers(1, 60))):
        words = draw(st.sampled_from([1, 1, 1, 2, 2, 4, 10]))
        rows.append(of(tuple(range(address, address + words)), index))
        address += words + draw(st.sampled_from([0, 0, 0, 0, 1, 5, 30, 200]))
    return rows


@given(rows_of_a_device(), st.integers(16, 125), st.integers(0, 32))
def test_every_row_is_read_whole_within_the_limits(
    rows: list[Register], words: int, gap: int
) -> None:
    limits = Limits(words=words, gap=gap)
    blocks = plan(rows, limits)
    for each in rows:
        homes = [
            block
            for block in blocks
            if each in block.rows
            and each.address >= block.address
            and max(each.places) < block.address + block.count
        ]
        assert len(homes) == 1
    assert all(block.count <= words for block in blocks)
    ordered = sorted((block.address, block.count) for block in blocks)
    for (start, count), (after, _) in pairwise(ordered):
        assert start + count <= after


@given(rows_of_a_device(), st.data())
def test_bisecting_finds_exactly_what_is_refused(rows: list[Register], data: st.DataObject) -> None:
    bad = data.draw(st.sampled_from(rows)).address
    holes, limits, asked = Holes(), Limits(words=125, gap=16), 0

    def read(block: Block) -> None:
        nonlocal asked
        asked += 1
        if not block.address <= bad < block.address + block.count:
            return
        parts = split(block)
        if parts is None:
            span = range(block.address, block.address + block.count)
            holes.refused.update((block.space, each) for each in span)
            return
        for part in parts:
            read(part)

    for block in plan(rows, limits):
        read(block)
    again = plan(rows, limits, holes)
    assert not any(b.address <= bad < b.address + b.count for b in again)
    missing = {row.name for row in rows} - {row.name for block in again for row in block.rows}
    assert missing == {row.name for row in rows if bad in row.places}
    assert asked <= len(rows) * 2 + 1


def test_the_bound_counts_words_and_gaps(tmp_path: Path) -> None:
    rows = simple(tmp_path, 0, 1, 2, 100, 101).registers
    assert bound(rows, Limits(words=2, gap=8)) == 3 + 1
