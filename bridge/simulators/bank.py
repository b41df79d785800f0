"""The registers of simulated devices: answers Modbus requests as a strict device would. Pure.

A bank holds several units. What a unit has is what its map lists, and filler that was added; any
other address is refused. Values are put in and taken out by the names of the map's rows.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from bridge.modbus.wire import (
    GATEWAY_TARGET,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
)
from bridge.registers.codec import decode, encode, merged, raw_of, scale_power

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.registers.model import Register, RegisterMap, Value

_WORD: Final = struct.Struct(">H")
_READ_WRITE: Final = 23


class Refuse(Exception):
    """Raised by `Unit.written` to refuse a write with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Unit:
    """One Modbus unit. `words` by address; `longest`: words in one read; `functions` it knows.

    `filler`: what addresses between the rows read as, within `spans`; None: they are refused.
    `writable`: rows of the map with access RW or W. `written(unit, address, words)` is called after
    each write and may raise Refuse. `sealed`: addresses that are refused although they exist.
    """

    def __init__(self, table: RegisterMap, *, longest: int = 125, write_only: bool = True) -> None:
        self.table, self.longest = table, longest
        self.functions = {READ_HOLDING, READ_INPUT, WRITE_SINGLE, WRITE_MULTIPLE, _READ_WRITE}
        self.words: dict[int, int] = {}
        self.writable: set[int] = set()
        self.unreadable: set[int] = set()
        self.sealed: set[int] = set()
        self.stuck = False
        self.ignores_writes = False
        self.written: Callable[[int, list[int]], None] = lambda _address, _words: None
        for row in table.registers:
            for place in row.places:
                self.words.setdefault(place, 0)
            if row.access != "R":
                self.writable.update(row.places)
            if row.access == "W" and write_only:
                self.unreadable.update(row.places)

    def fill(self, addresses: Iterable[int], word: int) -> None:
        """Add addresses that exist without a meaning."""
        for address in addresses:
            self.words.setdefault(address, word)

    # ---------------------------------------------------------------- by name

    def __getitem__(self, name: str) -> Value | None:
        """The value of a row, as a client would decode it."""
        row = self.table[name]
        return decode(row, self.words, self._power(row))

    def __setitem__(self, name: str, value: Value | None) -> None:
        """Put a value into a row, in its own unit and sign; None puts its sentinel in."""
        if self.stuck:
            return
        row = self.table[name]
        if value is None:
            raw = min(row.invalid, default=0)
            count = len(row.places)
            words = tuple(raw >> 16 * (count - 1 - index) & 0xFFFF for index in range(count))
        else:
            words = encode(_without_range(row), value, self._power(row))
            words = merged(row, words, [self.words[place] for place in row.places])
        self.words.update(zip(row.places, words, strict=True))

    def put(self, values: Mapping[str, Value | None]) -> None:
        """Several rows at once."""
        for name, value in values.items():
            self[name] = value

    def raw(self, name: str) -> int:
        """The words of a row as one unsigned number."""
        return raw_of(self.table[name], self.words) or 0

    def _power(self, row: Register) -> int:
        if row.scale_factor is None:
            return 0
        return scale_power(self.words, self.table[row.scale_factor]) or 0

    # ---------------------------------------------------------------- by request

    def read(self, address: int, count: int) -> list[int]:
        """Words as they are asked for. Raises Refuse."""
        if not 1 <= count <= self.longest:
            raise Refuse(ILLEGAL_VALUE)
        span = range(address, address + count)
        if any(a not in self.words or a in self.sealed or a in self.unreadable for a in span):
            raise Refuse(ILLEGAL_ADDRESS)
        return [self.words[each] for each in span]

    def write(self, address: int, words: list[int]) -> None:
        """Take words. Raises Refuse; then nothing was written."""
        span = range(address, address + len(words))
        if any(each not in self.writable or each in self.sealed for each in span):
            raise Refuse(ILLEGAL_ADDRESS)
        if self.ignores_writes:
            return
        before = {each: self.words[each] for each in span}
        self.words.update(zip(span, words, strict=True))
        try:
            self.written(address, words)
        except Refuse:
            self.words.update(before)
            raise


class Bank:
    """Units by id. `answer` takes a PDU and gives the PDU that answers it.

    `missing`: the exception for a unit that does not exist; None: silence. `log`: every request
    as (unit, function, address, count or words).
    """

    def __init__(self, units: Mapping[int, Unit], *, missing: int | None = GATEWAY_TARGET) -> None:
        self.units = dict(units)
        self.missing = missing
        self.log: list[tuple[int, int, int, int | list[int]]] = []

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """The answer to one request; None when nobody answers."""
        found = self.units.get(unit)
        function = pdu[0] if pdu else 0
        if found is None:
            return None if self.missing is None else bytes((function | 0x80, self.missing))
        try:
            return self._served(unit, found, pdu)
        except Refuse as refused:
            return bytes((function | 0x80, refused.code))
        except (struct.error, IndexError):
            return bytes((function | 0x80, ILLEGAL_VALUE))

    def _served(self, unit: int, found: Unit, pdu: bytes) -> bytes:
        function = pdu[0]
        if function not in found.functions:
            raise Refuse(ILLEGAL_FUNCTION)
        address, second = struct.unpack(">HH", pdu[1:5])
        if function in {READ_HOLDING, READ_INPUT}:
            self.log.append((unit, function, address, second))
            return _read_answer(function, found.read(address, second))
        if function == WRITE_SINGLE:
            self.log.append((unit, function, address, [second]))
            found.write(address, [second])
            return pdu[:5]
        if function == WRITE_MULTIPLE:
            words = _words(pdu[5:], second)
            self.log.append((unit, function, address, words))
            found.write(address, words)
            return pdu[:5]
        if function != _READ_WRITE:
            raise Refuse(ILLEGAL_FUNCTION)
        target, count = struct.unpack(">HH", pdu[5:9])
        found.write(target, _words(pdu[9:], count))
        return _read_answer(function, found.read(address, second))

    @property
    def reads(self) -> list[tuple[int, int, int]]:
        """Every read so far: (unit, address, count)."""
        return [(u, a, n) for u, _, a, n in self.log if isinstance(n, int)]

    @property
    def writes(self) -> list[tuple[int, int, list[int]]]:
        """Every write so far: (unit, address, words)."""
        return [(u, a, words) for u, _, a, words in self.log if isinstance(words, list)]


def _words(data: bytes, count: int) -> list[int]:
    if not data or data[0] != 2 * count or len(data) != 1 + data[0] or not count:
        raise Refuse(ILLEGAL_VALUE)
    return [word for (word,) in _WORD.iter_unpack(data[1:])]


def _read_answer(function: int, words: list[int]) -> bytes:
    return bytes((function, 2 * len(words))) + b"".join(map(_WORD.pack, words))


def _without_range(row: Register) -> Register:
    from dataclasses import replace

    return row if row.range is None else replace(row, range=None)
