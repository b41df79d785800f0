"""Graphite's plaintext form of a sample: `path value seconds`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.sinks import Sample

TEMPLATE: Final = "{base}.{group}.{device}.{quantity}"
PLACES: Final = ("base", "group", "device", "quantity")
_PLACE = re.compile(r"\{([^{}]*)\}")
_LITERAL = re.compile(r"[A-Za-z0-9_.-]*\Z")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_DOTS = re.compile(r"\.{2,}")
_NANOSECONDS = 1_000_000_000
_REMEMBERED = 20_000


def faults(template: str) -> Iterator[str]:
    """What is wrong with a path template, in sentences."""
    for name in _PLACE.findall(template):
        if name not in PLACES:
            known = ", ".join(f"{{{each}}}" for each in PLACES)
            yield f"'template' knows no {{{name[:20]}}}: it takes {known}"
    if not _LITERAL.match(_PLACE.sub("", template)):
        yield "'template' may hold letters, digits, '_', '-' and '.' between its places"
    for name in ("device", "quantity"):
        if f"{{{name}}}" not in template:
            yield f"'template' needs {{{name}}}, or different values would have one path"


class Paths:
    """Paths by a template; each series is made out once."""

    def __init__(self, base: str, template: str = TEMPLATE) -> None:
        self._base, self._template = base, template
        self._known: dict[tuple[str, str | None, str], str] = {}

    def of(self, sample: Sample) -> str:
        """The path of a sample; a place that the sample has nothing for is left out."""
        key = (sample.group, sample.id, sample.name)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._make(*key)
        return found

    def _make(self, group: str, id_: str | None, name: str) -> str:
        parts = {"base": self._base, "group": group, "device": id_ or "", "quantity": name}
        filled = _PLACE.sub(lambda match: safe(parts[match[1]]), self._template)
        return _DOTS.sub(".", filled).strip(".")


def safe(text: str) -> str:
    """Text as one level of a path: what could end a level or a line becomes `_`."""
    return _UNSAFE.sub("_", text)


def line(path: str, value: float | bool | str, at: int, words: Mapping[str, float]) -> bytes | None:
    """One line without its end; None for a word that has no number. `at`: ns since 1970."""
    if isinstance(value, str):
        found = words.get(value)
        if found is None:
            return None
        value = found
    return f"{path} {number(value)} {at // _NANOSECONDS}".encode()


def number(value: float) -> str:
    """A number as text that keeps every digit; whole ones without `.0`, flags as 1 and 0."""
    return str(int(value)) if value == int(value) else repr(value)
