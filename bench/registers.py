"""Devices made of registers: fifty of them each second, what a register costs, how few requests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bench import fleet
from bench.house import clock
from bench.inverters import KIND
from bench.table import Row
from bridge.config.kinds import find_kind
from bridge.registers import find_map
from bridge.registers.codec import decode, encode
from bridge.registers.needed import needed
from bridge.registers.plan import bound, plan
from tests.registers.tables import NAMES, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.registers import RegisterMap
    from bridge.registers.model import Register

_ROUNDS = 300
_TRIES = 5
_CODES = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f"}


async def measure(_rounds: int) -> list[Row]:
    """Everything about registers."""
    rows = await fleet.measure()
    return [*rows, *_codec(find_map(find_kind(KIND).folder, None)), *_requests()]


def _codec(found: RegisterMap) -> list[Row]:
    """Words to values and back, against `struct` alone, which knows no scale and no sentinel."""
    polled = _regular(found)
    rows = [row for row in polled if row.type in _CODES]
    words = {place: 7 + place % 50 for row in rows for place in row.places}
    ours = _each(len(rows), lambda: [decode(row, words) for row in rows])
    one = [(struct.Struct(">" + _CODES[row.type]), _packed(row, words)) for row in rows]
    singly = _each(len(rows), lambda: [code.unpack(data) for code, data in one])
    whole = struct.Struct(">" + "".join(_CODES[row.type] for row in rows))
    packed = b"".join(data for _, data in one)
    at_once = _each(len(rows), lambda: whole.unpack(packed))
    values = [
        (row, float(round(sum(row.range) / 2)))
        for row in found.registers
        if row.type in _CODES and row.access != "R" and row.range and not row.enum
    ]
    told = _each(len(values), lambda: [encode(row, value) for row, value in values])
    codes = [(struct.Struct(">" + _CODES[row.type]), int(value)) for row, value in values]
    pack = _each(len(values), lambda: [code.pack(value) for code, value in codes])
    return [
        Row("decode a register", f"{ours:.2f} µs", f"{singly:.2f} µs", f"{ours / singly:.0f}"),
        Row(
            "... all in one unpack", f"{ours:.2f} µs", f"{at_once:.3f} µs", f"{ours / at_once:.0f}"
        ),
        Row("encode a value", f"{told:.2f} µs", f"{pack:.2f} µs", f"{told / pack:.0f}"),
    ]


def _packed(row: Register, words: dict[int, int]) -> bytes:
    return b"".join(words[place].to_bytes(2, "big") for place in row.places)


def _each(count: int, work: Callable[[], object]) -> float:
    """µs for one of `count` things that `work` does, the best of several tries."""
    best = float("inf")
    for _ in range(_TRIES):
        begun = clock()
        for _ in range(_ROUNDS):
            work()
        best = min(best, clock() - begun)
    return best / _ROUNDS / count * 1e6


def _requests() -> list[Row]:
    """A poll of all that is read regularly, and one of what is read each time, of every table.

    The reference is one request for each row.
    """
    rows = []
    for name in NAMES:
        found = table(name)
        regular, fast = _regular(found), needed(found)["fast"]
        if regular:
            all_of_it, each_time = len(plan(regular, found.limits)), len(plan(fast, found.limits))
            words = len(
                {(row.station, row.function, place) for row in regular for place in row.places}
            )
            rows.append(
                Row(
                    f"{name}: {words} words",
                    f"{all_of_it} requests, {each_time} each time",
                    f"{len(regular)}",
                    f"{all_of_it / len(regular):.2f}",
                    f"<= {bound(regular, found.limits)}",
                )
            )
    return rows


def _regular(found: RegisterMap) -> list[Register]:
    polled = needed(found)
    return [*polled["fast"], *polled["slow"], *polled["once"]]
