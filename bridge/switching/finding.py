"""Whether a device is on, and what it draws, out of any text it sends: by regex or JMESPath. Pure.

A state that cannot be told is unknown, never off: an error page says nothing about a relay.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from bridge.errors import DeviceGarbled
from bridge.pattern import LONGEST, Pattern
from bridge.switching.failing import no_status, page_or_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_CHARS: Final = 65_536
MOST_WATTS: Final = 1_000_000.0
_ON = frozenset({"on", "true", "yes", "1", "open", "enabled", "active"})
_OFF = frozenset({"off", "false", "no", "0", "closed", "disabled", "inactive"})
_DEEP = "is nested too deeply"


def check_finding(
    settings: Any, source: str, *, stem: str, groups: int = 0
) -> Iterator[tuple[str, str]]:
    """What is wrong with `{stem}_pattern` and `{stem}_path`: (setting, sentence)."""
    pattern, path = getattr(settings, f"{stem}_pattern"), getattr(settings, f"{stem}_path")
    given = getattr(settings, source) is not None
    if given and (pattern is None) is (path is None):
        words = f"belongs with exactly one of `{stem}_pattern` and `{stem}_path`"
        yield source, f"`{source}` {words}"
    for name in (f"{stem}_pattern", f"{stem}_path"):
        if not given and getattr(settings, name) is not None:
            yield name, f"`{name}` needs `{source}`"
    if pattern is not None:
        yield from unusable(f"{stem}_pattern", lambda: Pattern(pattern, groups=groups))
    if path is not None:
        yield from unusable(f"{stem}_path", lambda: compiled(path))


def check_off(settings: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with `off_pattern`."""
    if settings.off_pattern is None:
        return
    if settings.on_pattern is None:
        yield "off_pattern", "`off_pattern` goes with `on_pattern`"
    yield from unusable("off_pattern", lambda: Pattern(settings.off_pattern))


def unusable(setting: str, make: Callable[[], object]) -> Iterator[tuple[str, str]]:
    """What is wrong with a setting of which `make` can make nothing: (setting, sentence)."""
    try:
        make()
    except ValueError as error:
        yield setting, f"`{setting}` {error}"


def compiled(path: str) -> Any:
    """A JMESPath. Raises ValueError with the rest of a sentence."""
    if len(path) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    try:
        return jmespath.compile(path)
    except (JMESPathError, ValueError):
        raise ValueError("is not a JMESPath that can be read") from None
    except RecursionError:
        raise ValueError(_DEEP) from None


class Finder:
    """Finds a state or a number. `name` is who sent the text, for sentences."""

    def __init__(self, name: str, pattern: str | None, path: str | None, off: str | None) -> None:
        self.name = name
        self._pattern = None if pattern is None else Pattern(pattern)
        self._off = None if off is None else Pattern(off)
        self._path: Any = None if path is None else compiled(path)

    def state(self, text: str) -> bool:
        """On or off. Raises DeviceGarbled when the text does not tell."""
        if self._path is not None:
            return self._told(self._at(text))
        on = self._found(self._pattern, text) is not None
        if self._off is not None:
            if on or self._found(self._off, text) is not None:
                return on
            raise DeviceGarbled(f"{self.name} sends a status that says neither on nor off")
        # `on` is also found in "connection lost": a page about a failure tells of no relay.
        why = page_or_error(text) if on else no_status(text)
        if why is not None:
            hint = " (is it one? set `off_pattern`)" if why == "a web page" else ""
            raise DeviceGarbled(f"{self.name} sends {why} instead of its status{hint}")
        return on

    def number(self, text: str) -> float | None:
        """W; None where it says that it does not know. Raises DeviceGarbled."""
        if self._path is not None:
            found = self._at(text)
            if found is None:
                return None
        else:
            match = self._found(self._pattern, text)
            if match is None:
                raise DeviceGarbled(f"{self.name} sends no power that `power_pattern` finds")
            found = match[1]
        return self._watts(found)

    def _watts(self, found: Any) -> float | None:
        text = found.strip() if isinstance(found, str) else found
        if text in ("null", "None", None):
            return None
        sentence = f"{self.name} sends a power that is not a number"
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            raise DeviceGarbled(sentence)
        try:
            watts = float(text)
        except (ValueError, OverflowError):
            raise DeviceGarbled(sentence) from None
        if not math.isfinite(watts) or abs(watts) > MOST_WATTS:
            raise DeviceGarbled(f"{self.name} sends a power that cannot be")
        return watts

    def _found(self, pattern: Pattern | None, text: str) -> Any:
        if pattern is None:
            return None
        try:
            return pattern.search(text[:MOST_CHARS])
        except ValueError as error:
            raise DeviceGarbled(f"{self.name} sends so much that the pattern {error}") from None

    def _at(self, text: str) -> Any:
        try:
            content = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise DeviceGarbled(f"{self.name} sends something that is not JSON") from None
        try:
            return self._path.search(content)
        except (JMESPathError, TypeError, ValueError, RecursionError, ArithmeticError):
            words = "sends JSON on which the path does not work"
            raise DeviceGarbled(f"{self.name} {words}") from None

    def _told(self, found: Any) -> bool:
        if isinstance(found, bool):
            return found
        if found in (0, 1):
            return bool(found)
        word = found.strip().lower() if isinstance(found, str) else None
        if word in _ON or word in _OFF:
            return word in _ON
        if isinstance(found, int | float) and found > 0 and math.isfinite(found):
            return True
        raise DeviceGarbled(f"{self.name} sends a status that says neither on nor off")
