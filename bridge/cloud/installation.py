"""What makes this installation different from all others: one random number, kept for ever."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from typing import TYPE_CHECKING, Final

from bridge.cloud.files import place, prepare, set_aside, write
from bridge.log import get_logger

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "installation"
_FORM: Final = re.compile(rb"[0-9a-f]{64}\n?\Z")
_SPAN: Final = 2**64
# What this process goes by, also where nothing can be written.
_known: dict[Path, bytes] = {}


class Installation:
    """The random number of the state folder `folder` (made when there is none).

    Without a folder that can be written it lives as long as the process.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def share(self, name: str) -> float:
        """This house's place from 0 to below 1 among all that ask `name`; the same each time."""
        return int.from_bytes(self._digest("share", name)[:8]) / _SPAN

    def mark(self, *parts: str) -> str:
        """A name for what must not be written down: 32 hex digits that tell nothing of `parts`."""
        return self._digest("mark", *parts).hex()[:32]

    def _digest(self, *parts: str) -> bytes:
        # The lengths keep ("ab", "c") and ("a", "bc") apart.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._seed(), text.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def _seed(self) -> bytes:
        folder = self.folder.absolute()
        if folder not in _known:
            _known[folder] = _kept(folder)
        return _known[folder]


def _kept(root: Path) -> bytes:
    path = place(root) / _NAME
    log = get_logger()
    try:
        if path.exists():
            found = path.read_bytes()
            if _FORM.match(found):
                return bytes.fromhex(found.decode())
            set_aside(path, log)
        seed = secrets.token_bytes(32)
        prepare(root, path.parent)
        scratch = path.with_name(f"{_NAME}.{os.getpid()}.new")
        write(root, scratch, seed.hex().encode(), sync=True)
        try:
            # Two that start at the same moment must end with one number: a link never replaces.
            os.link(scratch, path)
        except FileExistsError:
            return bytes.fromhex(path.read_text(encoding="ascii"))
        except OSError:  # a file system without links
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        log.warning(f"{path} cannot be kept, so another number is drawn at the next start: {why}")
        return secrets.token_bytes(32)
    return seed
