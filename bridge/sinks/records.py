"""How lines lie in a file of the spool: each behind its checksum.

What a crash or a power cut leaves half written is recognised and left out, so that half a line is
never sent as a whole one. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUM = 9
OVERHEAD: Final = _SUM + 1
"""Bytes that a record has beside its line."""


def pack(lines: Iterable[bytes]) -> bytes:
    """Records of lines, none of which has a line feed in it."""
    return b"".join(b"%08x %s\n" % (crc32(line), line) for line in lines)


def unpack(data: bytes) -> tuple[list[bytes], int]:
    """The lines that are whole, and how many records are not."""
    lines: list[bytes] = []
    broken = 0
    for record in data.split(b"\n"):
        if not record:
            continue
        line = record[_SUM:]
        if record[:_SUM] == b"%08x " % crc32(line):
            lines.append(line)
        else:
            broken += 1
    return lines, broken
