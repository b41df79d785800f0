"""How many requests a poll of each table takes: ceil(words / longest read) + gaps, never more.

Words are those that go over the line: a read may carry unused ones along, up to the table's `gap`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bridge.registers.needed import needed
from bridge.registers.plan import bound, plan
from tests.registers.tables import NAMES, every_table, table

if TYPE_CHECKING:
    from bridge.registers import RegisterMap
    from bridge.registers.model import Poll, Register

POLLS: tuple[tuple[Poll, ...], ...] = (("fast",), ("fast", "slow"), ("fast", "slow", "once"))
every_poll = pytest.mark.parametrize("classes", POLLS, ids="+".join)
every_trust = pytest.mark.parametrize("unconfirmed", [False, True], ids=["", "unconfirmed"])


def polled(found: RegisterMap, classes: tuple[Poll, ...], *, unconfirmed: bool) -> list[Register]:
    rows = needed(found, unconfirmed=unconfirmed)
    return [row for each in classes for row in rows[each]]


def words_of(rows: list[Register]) -> list[tuple[int, int, int]]:
    """Every word that is wanted, once: unit, function, address."""
    return sorted({(row.station or 0, row.function, place) for row in rows for place in row.places})


def most_requests(words: list[tuple[int, int, int]], longest: int, gap: int) -> int:
    gaps, carried = 0, 0
    for (unit, function, place), (next_unit, next_function, following) in pairwise(words):
        if (unit, function) != (next_unit, next_function) or following - place - 1 > gap:
            gaps += 1
        else:
            carried += following - place - 1
    return -(-(len(words) + carried) // longest) + gaps


def least_requests(rows: list[Register], longest: int, gap: int) -> int:
    """The smallest number of reads there can be, by trying where each of them may end."""
    total = 0
    for space in {(row.station, row.function) for row in rows}:
        spans = sorted(
            span for row in rows if (row.station, row.function) == space for span in uncut(row)
        )
        least = [0] * (len(spans) + 1)
        for first in reversed(range(len(spans))):
            end, found = 0, []
            for last in range(first, len(spans)):
                low, high = spans[last]
                if last > first and low - end > gap:
                    break
                end = max(end, high)
                if end - spans[first][0] > longest:
                    break
                found.append(1 + least[last + 1])
            least[first] = min(found)
        total += least[0]
    return total


def uncut(row: Register) -> list[tuple[int, int]]:
    """First address and the one behind the last, of what must come in one read."""
    if row.adjacent:
        return [(min(row.places), max(row.places) + 1)]
    return [(place, place + 1) for place in row.places]


@every_table
@every_poll
@every_trust
def test_a_poll_takes_few_requests(name: str, classes: tuple[Poll, ...], unconfirmed: bool) -> None:
    found = table(name)
    rows = polled(found, classes, unconfirmed=unconfirmed)
    blocks = plan(rows, found.limits)
    words = words_of(rows)
    assert len(blocks) <= most_requests(words, found.limits.words, found.limits.gap)
    assert len(blocks) <= bound(rows, found.limits)
    assert len(blocks) == least_requests(rows, found.limits.words, found.limits.gap)


@every_table
@every_poll
def test_a_poll_reads_every_row_within_the_limits(name: str, classes: tuple[Poll, ...]) -> None:
    found = table(name)
    rows = polled(found, classes, unconfirmed=True)
    read: list[tuple[int, int, int]] = []
    for block in plan(rows, found.limits):
        assert 1 <= block.count <= found.limits.words
        unit, function = block.space
        read += [
            (unit or 0, function, place)
            for place in range(block.address, block.address + block.count)
        ]
        wanted = sorted(
            {place for row in block.rows for place in row.places}
            & set(range(block.address, block.address + block.count))
        )
        assert all(later - one - 1 <= found.limits.gap for one, later in pairwise(wanted))
        assert (wanted[0], wanted[-1]) == (block.address, block.address + block.count - 1)
    assert len(read) == len(set(read)), "no word is read twice"
    assert set(words_of(rows)) <= set(read)


def test_the_sun2000_takes_a_handful() -> None:
    """One request per register was 168 in the project that this one follows."""
    found = table("sun2000/registers")
    rows = polled(found, POLLS[-1], unconfirmed=False)
    assert len(rows) >= 40
    assert len(plan(rows, found.limits)) <= 10


def test_there_are_tables() -> None:
    kinds = {name.split("/")[0] for name in NAMES}
    assert {"deye", "goodwe", "sma", "sun2000", "sunspec", "victron_modbus"} <= kinds
