"""What the last will of a device says: it is there, or gone. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from bridge.pattern import Pattern
from bridge.switching.finding import MOST_CHARS

_HERE: Final = frozenset({"online", "true", "yes", "on", "1", "connected", "available", "ready"})
_GONE: Final = frozenset(
    {"offline", "false", "no", "off", "0", "disconnected", "unavailable", "lost"}
)
_KEYS: Final = ("state", "online", "status", "availability")
_FLAGS: Final = re.compile(r"(?:\(\?[aimsux]+\))?")


def whole(text: str) -> Pattern:
    """A pattern that stands for all of a word: `up` is not in "upset". Raises ValueError."""
    Pattern(text)
    flags = _FLAGS.match(text)
    head = flags[0] if flags is not None else ""
    return Pattern(rf"{head}\A(?:{text[len(head) :]})\Z")


class Presence:
    """Reads one online topic. value: the regex of "it is there"; None: the usual words."""

    def __init__(self, value: str | None) -> None:
        self._value = None if value is None else whole(value)

    def here(self, text: str) -> bool | None:
        """Whether the device is there; None where the text does not tell."""
        bare = text[:MOST_CHARS].strip()
        words = [each for each in (bare, _word(bare)) if each is not None]
        if self._value is None:
            lower = [each.lower() for each in words]
            if any(each in _HERE for each in lower):
                return True
            return False if any(each in _GONE for each in lower) else None
        try:
            return any(self._value.search(each) for each in words)
        except ValueError:
            return None


def _word(text: str) -> str | None:
    """The word in a JSON text or object."""
    try:
        found: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(found, dict):
        found = next((found[key] for key in _KEYS if key in found), None)
    if isinstance(found, bool | int):
        return str(int(found)) if found in (0, 1) else None
    return found.strip() if isinstance(found, str) else None
