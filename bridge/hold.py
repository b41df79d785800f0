"""Who commands a device: one process at a time, by a lock that the kernel ends with its holder.

The lock lies beside the actor's journal, `{state folder}/{actor}/hold.lock`. A bridge takes it for
every device that it controls, `heliograph set` while it works; whoever dies has let go.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.state import give_to_owner

if TYPE_CHECKING:
    from pathlib import Path

BRIDGE: Final = "the running bridge"
SET: Final = "a `heliograph set`"
_NOBODY_KNOWN: Final = "another program"
_NAMES: Final = {"bridge": BRIDGE, "set": SET}
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Holder:
    """Another process that commands the device. `who` is a word for people."""

    who: str
    pid: int | None = None

    def __str__(self) -> str:
        return self.who if self.pid is None else f"{self.who} (process {self.pid})"

    @property
    def is_bridge(self) -> bool:
        """True for a bridge, which takes commands by MQTT."""
        return self.who == BRIDGE


class Hold:
    """The claim of this process on the device of one actor. `by`: `bridge` or `set`."""

    def __init__(self, root: Path, actor: str, by: str) -> None:
        self.path = root / actor / "hold.lock"
        # Why nothing could be locked (a read-only folder, a file system without locks), else None.
        self.why_not: str | None = None
        self._root, self._by = root, by
        self._descriptor: int | None = None

    @property
    def taken(self) -> bool:
        """True while the lock is ours."""
        return self._descriptor is not None

    def take(self) -> Holder | None:
        """Claim the device; give who else has it, or None when nobody has.

        None also where nothing can be locked: `why_not` tells, and the caller decides.
        """
        if self._descriptor is not None:
            return None
        self.why_not = None
        try:
            descriptor = self._open()
        except OSError as error:
            self.why_not = f"{self.path}: {error.strerror or error}"
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _signed(descriptor)
            os.close(descriptor)
            return holder
        except OSError as error:
            os.close(descriptor)
            self.why_not = f"{self.path}: {error.strerror or error}"
            return None
        self._descriptor = descriptor
        _sign(descriptor, f"{os.getpid()} {self._by}\n")
        return None

    def release(self) -> None:
        """Let go; harmless when nothing is held. The file stays: another may have it open."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_CREAT | os.O_CLOEXEC
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_RDWR | flags, 0o600)
        except OSError:
            # A lock needs no right to write: what another left in a read-only folder will do.
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        give_to_owner(self._root, self.path.parent, self.path)
        return descriptor


def _sign(descriptor: int, text: str) -> None:
    """Say who we are; without the right to write the lock holds all the same."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _signed(descriptor: int) -> Holder:
    """Whom the lock's file names; it may not have signed yet."""
    try:
        pid, _, by = os.pread(descriptor, _LONGEST, 0).decode("ascii", "replace").partition(" ")
        return Holder(_NAMES.get(by.strip(), _NOBODY_KNOWN), int(pid))
    except (OSError, ValueError):
        return Holder(_NOBODY_KNOWN)
