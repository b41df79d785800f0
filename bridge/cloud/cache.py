"""Answers that outlive a restart, in `{state folder}/.cloud/answers`.

Only what a service said is kept, and of its headers what tells the age and the kind; a file's name
is a keyed hash of the question. The folder is bounded in number, size and age. Where nothing can be
written, a few answers are kept in memory, and one line says so.
"""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.cloud.files import place, set_aside, write
from bridge.log import Outage, get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FILES: Final = 128
MOST_BYTES: Final = 16 * 1024 * 1024
OLDEST: Final = 8 * 86400.0
KEPT_HEADERS: Final = ("content-type", "etag", "last-modified", "date")
_IN_MEMORY: Final = 16


class Entry(msgspec.Struct):
    """One answer. `at`: when the service last stood by it, in seconds since 1970."""

    at: float
    headers: dict[str, str]
    body: bytes

    def age(self, now: float) -> float:
        """Its age in s; for ever where the clock was set back since."""
        return now - self.at if now >= self.at else float("inf")

    @property
    def questions(self) -> dict[str, str]:
        """The headers that ask whether it still holds; empty when the service gave no mark."""
        asked = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        return {name: self.headers[mark] for name, mark in asked.items() if self.headers.get(mark)}


def entry_of(headers: Mapping[str, str], body: bytes, now: float) -> Entry:
    """What is kept of an answer."""
    return Entry(now, {name: headers[name] for name in KEPT_HEADERS if name in headers}, body)


class Cache:
    """The answers kept below the state folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root, self._folder = root, place(root) / "answers"
        self._log = get_logger()
        self._outage = Outage(self._log, f"the folder of answers {self._folder}")
        self._memory: OrderedDict[str, Entry] = OrderedDict()

    def load(self, key: str) -> Entry | None:
        """The answer under `key`; None when there is none that can be read."""
        if key in self._memory:
            return self._memory[key]
        path = self._path(key)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            set_aside(path, self._log)
        except OSError as error:
            self._outage.gone(error.strerror or str(error))
        return None

    def save(self, key: str, entry: Entry) -> None:
        """Keep an answer. Raises nothing."""
        path = self._path(key)
        try:
            write(self._root, path, msgspec.json.encode(entry))
            # Ages are told by the clock that the answers are dated by.
            os.utime(path, (entry.at, entry.at))
            self._tidy(entry.at)
        except (OSError, OverflowError) as error:
            self._outage.gone(getattr(error, "strerror", None) or str(error))
            self._memory[key] = entry
            self._memory.move_to_end(key)
            if len(self._memory) > _IN_MEMORY:
                self._memory.popitem(last=False)
        else:
            self._memory.pop(key, None)
            self._outage.back()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _tidy(self, now: float) -> None:
        """Remove what is old, and the oldest of what is too much."""
        found = []
        for item in os.scandir(self._folder):
            with contextlib.suppress(OSError):
                status = item.stat(follow_symlinks=False)
                # What lies in the future is of no use to anybody: it counts as the oldest.
                age = now - status.st_mtime if status.st_mtime <= now else OLDEST
                found.append((age, status.st_size, item.path))
        size = 0
        for number, (age, bytes_, path) in enumerate(sorted(found), 1):
            size += bytes_
            if age > OLDEST or number > MOST_FILES or size > MOST_BYTES:
                with contextlib.suppress(OSError):
                    Path(path).unlink()
