"""The state folder: small JSON files that survive a crash and never stop the bridge."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.log import Outage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger


def give_to_owner(root: Path, *paths: Path) -> None:
    """Give what root makes in somebody's state folder to that somebody, who must read it later.

    A command run with `sudo` beside a service would else leave a journal that the service cannot
    open.
    """
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner = root.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)


def journals(root: Path, *names: str) -> Iterator[tuple[Path, Any]]:
    """What every actor has saved under `names` (or patterns of names): path and content.

    By path; what cannot be read is passed over. The folder of a path is its actor.
    """
    try:
        paths = sorted(path for name in names for path in root.glob(f"*/{name}.json"))
    except OSError:
        return
    for path in paths:
        try:
            yield path, msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError, RecursionError):
            continue


class StateFolder:
    """One actor's corner of the state folder.

    Files are written to a temporary name, synced and renamed, so a reader finds the old text or
    the new one, never half. A full or read-only disk is reported once; control goes on.
    """

    def __init__(self, root: Path, owner: str, log: FilteringBoundLogger) -> None:
        self._root, self._folder = root, root / owner
        self._outage = Outage(log, f"the state folder {self._folder}")
        self._log = log

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last under `name`; None when there is nothing that can be read."""
        path = self._folder / f"{name}.json"
        try:
            found = msgspec.json.decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            self._log.warning(f"{path} cannot be read and is left aside: {error}")
            with contextlib.suppress(OSError):
                path.replace(path.with_suffix(".unreadable"))
            return None
        return found if isinstance(found, dict) else None

    def is_damaged(self, name: str) -> bool:
        """True when something lies under `name` that `load` could not give; it is left as it is."""
        try:
            found = msgspec.json.decode((self._folder / f"{name}.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, msgspec.DecodeError):
            return True
        return not isinstance(found, dict)

    def save(self, name: str, content: dict[str, Any]) -> bool:
        """Write `content`; false (and one log line) when the disk refuses."""
        path = self._folder / f"{name}.json"
        scratch = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with scratch.open("wb") as file:
                file.write(msgspec.json.encode(content))
                file.flush()
                os.fsync(file.fileno())
            give_to_owner(self._root, self._folder, scratch)
            scratch.replace(path)
        except OSError as error:
            self._outage.gone(error.strerror or str(error))
            with contextlib.suppress(OSError):
                scratch.unlink()
            return False
        self._outage.back()
        return True
