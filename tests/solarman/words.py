"""A few registers behind a stick, small enough to be seen through."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Words:
    """Answers functions 3, 4, 6 and 16 for unit 1; an address that is not there is refused."""

    def __init__(self, values: dict[int, int] | None = None) -> None:
        self.values = dict(values or {588: 80, 589: 7, 590: 64036, 591: 300, 108: 10, 109: 20})

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        if unit != 1:
            return None
        function, address, second = struct.unpack(">BHH", pdu[:5])
        if function in {3, 4}:
            asked = range(address, address + second)
            if not all(each in self.values for each in asked):
                return bytes((function | 0x80, 2))
            words = [self.values[each] for each in asked]
            return struct.pack(f">BB{second}H", function, 2 * second, *words)
        given = [second] if function == 6 else struct.unpack(f">{second}H", pdu[6:])
        for offset, word in enumerate(given):
            if address + offset not in self.values:
                return bytes((function | 0x80, 2))
            self.values[address + offset] = word
        return pdu[:5]


class Fixed:
    """Answers each question as it is told to."""

    def __init__(self, reply: Callable[[bytes], bytes]) -> None:
        self._reply = reply

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        return self._reply(pdu)
