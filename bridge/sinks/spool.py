"""A bounded spool: lines that wait for their delivery, in files that outlive a crash.

Each file is one segment, and a segment is what is sent in one go: it is removed when all of it was
taken. So no position has to be kept, and after a crash a segment is sent again as a whole. What is
appended has been handed to the kernel, which survives the end of this process; `sync` makes it
survive a power cut. Where the disk refuses, lines are kept in memory, within a bound of its own.

Everything here blocks and nothing here locks: one thread at a time.
"""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bridge.sinks.records import OVERHEAD, pack, unpack
from bridge.state import give_to_owner

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

MEMORY: Final = 4 * 1024 * 1024
_SEGMENT = 512 * 1024
_LEAST_SEGMENTS = 8
_CHUNK = 1 << 20
_READS = 60


@dataclass(slots=True)
class Segment:
    """Lines that are sent in one go. `path` None: in memory only; `kept`: what memory holds."""

    number: int
    since: float
    path: Path | None = None
    lines: int = 0
    size: int = 0
    kept: list[bytes] | None = field(default_factory=list)
    synced: bool = True
    checked: bool = False
    unread: int = 0


class Spool:
    """Segments in order. `folder` None keeps everything in memory.

    most_bytes: of all files together; segment_lines: in one segment at most; memory_bytes: of all
    lines that no disk takes. `waiting` counts lines that were not delivered yet, `dropped` those
    lost to these bounds, `damaged` those found half written; `trouble` is why the disk refuses,
    or None.
    """

    def __init__(
        self,
        folder: Path | None,
        suffix: str,
        *,
        most_bytes: int,
        segment_lines: int,
        memory_bytes: int = MEMORY,
    ) -> None:
        self.dropped = self.damaged = self.waiting = 0
        self.trouble: str | None = None
        self._folder, self._suffix = folder, suffix
        self._most = most_bytes if folder else 0
        self._memory = memory_bytes
        self._segment_lines = segment_lines
        bound = most_bytes if folder else memory_bytes
        self._segment_bytes = min(_SEGMENT, bound // _LEAST_SEGMENTS)
        self._segments: dict[int, Segment] = {}
        self._active: Segment | None = None
        self._file: int | None = None
        self._out: Segment | None = None
        self._next = 1
        self._on_disk = self._in_memory = 0

    # ---------------------------------------------------------------- what there is

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._on_disk

    def holds(self, segment: Segment) -> bool:
        """True while it waits: the bound may have dropped it."""
        return segment.number in self._segments

    def due(self, now: float, interval: float, skip: Container[int] = ()) -> float:
        """Seconds until there is a segment to send: a full one at once, a young one in time."""
        found = math.inf
        for number, segment in self._segments.items():
            if number in skip:
                continue
            if segment is not self._active:
                return 0.0
            found = max(0.0, segment.since + interval - now)
        return found

    # ---------------------------------------------------------------- life

    def open(self) -> None:
        """Find what a former run left. Never raises: without a disk there is the memory."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            give_to_owner(self._folder.parent.parent, self._folder.parent, self._folder)
            found = [each for each in self._folder.glob(f"*.{self._suffix}") if _numbered(each)]
        except OSError as error:
            self._trouble(error)
            found = []
        for path in sorted(found, key=lambda each: int(each.stem)):
            self._find(int(path.stem), path)
        self._trim()

    def _find(self, number: int, path: Path) -> None:
        """Take one file of a former run; one that cannot be read is told and left where it is."""
        self._next = number + 1
        try:
            lines, size = _count(path), path.stat().st_size
        except OSError as error:
            self._trouble(error)
            return
        segment = self._segments[number] = Segment(number, -math.inf, path, kept=None)
        self._grow(segment, lines, size)
        if not segment.lines:
            self.remove(segment)

    def close(self) -> None:
        """Sync what lies on disk, and let go of it."""
        self._seal()
        self.sync()

    def append(self, lines: Sequence[bytes], now: float) -> None:
        """Add lines at the monotonic second `now`; the oldest make room when there is none."""
        begin = 0
        while begin < len(lines):
            segment = self._active or self._begin(now)
            end = min(len(lines), begin + self._segment_lines - segment.lines)
            size = segment.size
            for index in range(begin, end):
                size += len(lines[index]) + OVERHEAD
                if size >= self._segment_bytes:
                    end = index + 1
                    break
            if self._write(segment, lines[begin:end]):
                begin = end
            if segment.lines >= self._segment_lines or segment.size >= self._segment_bytes:
                self._seal()
        self._trim()

    def sync(self) -> None:
        """Let everything on disk survive a power cut."""
        found = [each for each in self._segments.values() if each.path and not each.synced]
        try:
            for segment in found:
                _fsync(segment.path)
                segment.synced = True
            if found:
                _fsync(self._folder)
        except OSError as error:
            self._trouble(error)

    # ---------------------------------------------------------------- sending

    def oldest(self, skip: Container[int] = ()) -> Segment | None:
        """The oldest segment that is not in `skip`; the one being filled is closed by this."""
        for number, segment in self._segments.items():
            if number not in skip:
                if segment is self._active:
                    self._seal(keep=True)
                self._out = segment
                return segment
        return None

    def read(self, segment: Segment) -> list[bytes]:
        """Give its lines; those that are damaged are counted and left out.

        Raises OSError where the disk refuses just now; what it refuses for good counts as dropped.
        """
        if segment.kept is not None:
            return segment.kept
        assert segment.path is not None  # noqa: S101 - what memory does not keep lies on disk
        try:
            lines, broken = unpack(segment.path.read_bytes())
        except OSError as error:
            self._trouble(error)
            segment.unread += 1
            if segment.unread < _READS and not isinstance(error, FileNotFoundError):
                raise
            self.dropped += segment.lines
            return []
        if not segment.checked:
            segment.checked = True
            self.damaged += broken
            self._grow(segment, len(lines) - segment.lines, 0)
        return lines

    def put_back(self) -> None:
        """The segment that was out could not be delivered: it waits again."""
        out, self._out = self._out, None
        if out is not None and out.path is not None:
            out.kept = None

    def remove(self, segment: Segment) -> None:
        """All of it was taken."""
        if self._out is segment:
            self._out = None
        if self._segments.pop(segment.number, None) is not None:
            self._grow(segment, -segment.lines, -segment.size)
        if segment.path is not None:
            try:
                segment.path.unlink(missing_ok=True)
            except OSError as error:
                self._trouble(error)

    # ---------------------------------------------------------------- inside

    def _begin(self, now: float) -> Segment:
        segment = Segment(self._next, now)
        if self._folder is not None:
            path = self._folder / f"{segment.number:012d}.{self._suffix}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = os.open(path, flags, 0o600)
                give_to_owner(self._folder.parent.parent, path)
            except OSError as error:
                self._trouble(error)
            else:
                segment.path = path
        return self._add(segment)

    def _write(self, segment: Segment, lines: Sequence[bytes]) -> bool:
        """Add lines to the segment being filled; false (and it is closed) when the disk refuses."""
        records = pack(lines)
        if self._file is not None:
            segment.synced = False
            rest = memoryview(records)
            try:
                while rest:
                    rest = rest[os.write(self._file, rest) :]
            except OSError as error:
                self._trouble(error)
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, segment.size)
                self._seal()
                # Go on in memory; the next segment tries the disk again.
                self._add(Segment(self._next, segment.since))
                return False
            self.trouble = None
        self._grow(segment, len(lines), len(records))
        assert segment.kept is not None  # noqa: S101 - the one being filled is in memory too
        segment.kept += lines
        return True

    def _add(self, segment: Segment) -> Segment:
        self._next = segment.number + 1
        self._segments[segment.number] = self._active = segment
        return segment

    def _grow(self, segment: Segment, lines: int, size: int) -> None:
        segment.lines += lines
        segment.size += size
        self.waiting += lines
        if segment.path is None:
            self._in_memory += size
        else:
            self._on_disk += size

    def _seal(self, *, keep: bool = False) -> None:
        segment, self._active = self._active, None
        file, self._file = self._file, None
        if file is not None:
            try:
                os.close(file)
            except OSError as error:
                self._trouble(error)
        if segment is None:
            return
        if segment.lines == 0:
            self.remove(segment)
        elif segment.path is not None and not keep:
            segment.kept = None

    def _trim(self) -> None:
        """Drop the oldest, never what is being sent or filled, until both bounds hold."""
        if self._on_disk <= self._most and self._in_memory <= self._memory:
            return
        for segment in list(self._segments.values()):
            full = (
                self._in_memory > self._memory
                if segment.path is None
                else self._on_disk > self._most
            )
            if full and segment not in (self._out, self._active):
                self.dropped += segment.lines
                self.remove(segment)

    def _trouble(self, error: OSError) -> None:
        self.trouble = error.strerror or str(error)


def _numbered(path: Path) -> bool:
    return path.stem.isascii() and path.stem.isdecimal()


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_CHUNK), b""))


def _fsync(path: Path | None) -> None:
    if path is None:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
