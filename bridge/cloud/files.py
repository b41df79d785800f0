"""Private files below `{state folder}/.cloud`: mode 0600, replaced in one step, never half."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from bridge.state import give_to_owner

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

_BELOW: Final = ".cloud"  # no actor can be called that


def place(root: Path) -> Path:
    """Where this package keeps everything below the state folder `root`."""
    return root / _BELOW


def prepare(root: Path, folder: Path) -> None:
    """Make `folder`, somewhere in `place(root)`, for its owner alone. Raises OSError."""
    base = place(root)
    for path in dict.fromkeys((base, folder)):
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            give_to_owner(root, path)


def write(root: Path, path: Path, content: bytes, *, sync: bool = False) -> None:
    """Replace `path`, which lies in `place(root)`. `sync`: it survives a power cut.

    Raises OSError; the former content then stays.
    """
    prepare(root, path.parent)
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(descriptor)
        give_to_owner(root, scratch)
        scratch.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise


def set_aside(path: Path, log: FilteringBoundLogger) -> None:
    """Move a file that cannot be understood out of the way, and say so."""
    log.warning(f"{path} cannot be read and is left aside")
    with contextlib.suppress(OSError):
        path.replace(path.with_suffix(".unreadable"))
