"""Which reads fetch a set of rows: as few requests as the device allows. Pure.

A value whose words lie side by side is never cut in two. `Holes` remembers what the device refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.registers.model import Limits, Register

Space = tuple[int | None, int]
"""Modbus unit id (None: the device's default) and the function that reads."""
_Piece = tuple[int, int, "Register"]


@dataclass(frozen=True, slots=True)
class Block:
    """One read: `count` words from `address`, for `pieces` (first address, words, row)."""

    space: Space
    address: int
    count: int
    pieces: tuple[_Piece, ...]

    @property
    def rows(self) -> tuple[Register, ...]:
        """The rows that it feeds, each once."""
        return tuple(dict.fromkeys(piece[2] for piece in self.pieces))


@dataclass(slots=True)
class Holes:
    """Addresses that the device refuses, and places before which a read must end."""

    refused: set[tuple[Space, int]] = field(default_factory=set)
    cuts: set[tuple[Space, int]] = field(default_factory=set)

    def lacks(self, space: Space, address: int, count: int) -> bool:
        """True when one of the addresses is refused."""
        return any((space, each) in self.refused for each in range(address, address + count))

    def parts(self, space: Space, start: int, end: int, *, address: int) -> bool:
        """True when a read from `start` must not go on over `address` to `end`."""
        return (space, address) in self.cuts or self.lacks(space, start, end - start)


def plan(rows: Iterable[Register], limits: Limits, holes: Holes | None = None) -> list[Block]:
    """The reads for `rows`, in order of unit, function and address."""
    holes = holes or Holes()
    spaces: dict[Space, set[_Piece]] = {}
    for row in rows:
        space = (row.station, row.function)
        pieces = spaces.setdefault(space, set())
        if row.adjacent:
            pieces.add((row.address, row.words, row))
        else:
            pieces.update((place, 1, row) for place in row.places)
    blocks: list[Block] = []
    for space in sorted(spaces, key=lambda each: (each[0] is not None, each[0] or 0, each[1])):
        usable = [each for each in spaces[space] if not holes.lacks(space, each[0], each[1])]
        blocks += _runs(space, sorted(usable, key=lambda each: each[:2]), limits, holes)
    return blocks


def _runs(space: Space, pieces: Sequence[_Piece], limits: Limits, holes: Holes) -> list[Block]:
    blocks: list[Block] = []
    start = end = 0
    taken: list[_Piece] = []
    ends = _part_ends(pieces)
    for piece in pieces:
        address, words, row = piece
        # A part that does not fit behind what is taken begins a read of its own.
        begins = taken and row.part is not None and row.part != taken[-1][2].part
        far = max(end, ends[row.part] if begins and row.part else address + words)
        fits = (
            taken
            and address - end <= limits.gap
            and far - start <= limits.words
            and not holes.parts(space, end, max(end, address), address=address)
        )
        if not fits:
            if taken:
                blocks.append(Block(space, start, end - start, tuple(taken)))
            start, end, taken = address, address, []
        taken.append(piece)
        end = max(end, address + words)
    if taken:
        blocks.append(Block(space, start, end - start, tuple(taken)))
    return blocks


def _part_ends(pieces: Sequence[_Piece]) -> dict[str, int]:
    """The address behind the last word of each part."""
    ends: dict[str, int] = {}
    for address, words, row in pieces:
        if row.part is not None:
            ends[row.part] = max(ends.get(row.part, 0), address + words)
    return ends


def split(block: Block) -> tuple[Block, Block] | None:
    """Two smaller reads of a refused one, cut at its widest gap, else in the middle.

    None when it holds a single place that cannot be cut: that one is what the device refuses.
    """
    best: tuple[int, int, int] | None = None
    end = block.pieces[0][0] + block.pieces[0][1]
    middle = len(block.pieces) // 2
    for index, (address, words, _) in enumerate(block.pieces):
        if index and address >= end:
            choice = (address - end, -abs(index - middle), index)
            best = choice if best is None or choice > best else best
        end = max(end, address + words)
    if best is None:
        return None
    index = best[2]
    return _block(block.space, block.pieces[:index]), _block(block.space, block.pieces[index:])


def _block(space: Space, pieces: tuple[_Piece, ...]) -> Block:
    start = pieces[0][0]
    end = max(address + words for address, words, _ in pieces)
    return Block(space, start, end - start, pieces)


def bound(rows: Iterable[Register], limits: Limits) -> int:
    """The most reads `rows` should take: ceil(words / longest read) + gaps that divide them.

    Words count as they go over the line, with the unused ones that a read carries along.
    """
    total = runs = 0
    spaces: dict[Space, set[int]] = {}
    for row in rows:
        spaces.setdefault((row.station, row.function), set()).update(row.places)
    for places in spaces.values():
        ordered = sorted(places)
        total += bool(ordered)
        for earlier, later in pairwise(ordered):
            apart = later - earlier - 1 > limits.gap
            runs += apart
            total += 1 if apart else later - earlier
    return -(-total // limits.words) + runs + max(0, len(spaces) - 1)
