"""A private folder for a broker's files, removed at the end; leftovers of the dead are cleaned.

Each folder is locked by the process that owns it. The lock vanishes with the process however it
ends, so a folder that can be locked by someone else belongs to nobody any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "heliograph-broker-"


class PrivateFolder:
    """A folder with mode 700, owned by `user` (uid, gid) when given and we are root."""

    def __init__(self, user: tuple[int, int] | None = None) -> None:
        self._lock = -1
        while self._lock < 0:  # someone cleaning up may take a folder before it is locked
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._lock = _lock(self.path)
        self._user = user
        if user is not None:
            os.chown(self.path, *user)

    def write(self, name: str, text: str) -> Path:
        """A file that only the folder's user can read."""
        path = self.path / name
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if self._user is not None:
            os.chown(path, *self._user)
        return path

    def remove(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def clean_leftovers() -> list[Path]:
    """Remove the folders of processes that are gone; returns what was removed."""
    removed = []
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        lock = _lock(path)
        if lock < 0:
            continue
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)
        removed.append(path)
    return removed


def _lock(path: Path) -> int:
    """Lock a folder; the descriptor that holds the lock, or -1 when it is not to be had."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return -1
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    os.close(descriptor)
    return -1
