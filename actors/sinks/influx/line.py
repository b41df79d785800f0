"""Line protocol: one value as `measurement,tag=… field=value nanoseconds`. Pure.

Names escape `,`, blanks and (but in a measurement) `=` with a backslash. What the protocol cannot
say in a name (a backslash that could be taken for such an escape, a line feed and other control
characters) becomes `_`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.sinks import Sample

_UNSAYABLE = re.compile(r"[\\\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]")
_ESCAPED = re.compile(r"[,= ]")
_IN_TEXT = re.compile(r'["\\]')
_REMEMBERED = 20_000
NANOSECONDS: Final = {"ms": 1_000_000, "s": 1_000_000_000}


def name(text: str) -> str:
    """A tag's key or value, or a field's key."""
    return _ESCAPED.sub(r"\\\g<0>", _UNSAYABLE.sub("_", text))


def measurement(text: str) -> str:
    """A measurement, where `=` means nothing and is not escaped."""
    return name(text).replace("\\=", "=")


def series(group: str, tags: Mapping[str, str]) -> str:
    """The head of a line. Tags are sorted, as the database likes them; empty ones are left out."""
    parts = [f",{name(key)}={name(value)}" for key, value in sorted(tags.items()) if key and value]
    return measurement(group) + "".join(parts)


def field(value: float | bool | str) -> str | None:
    """A field's value. Numbers are always floats, so that a field never changes its type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = _IN_TEXT.sub(r"\\\g<0>", re.sub(r"[\x00-\x1f\ud800-\udfff]", "_", value))
        return f'"{text}"'
    try:
        if not math.isfinite(value):
            return None
    except OverflowError:  # an integer beyond every float
        return None
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))  # noqa: PLR2004 - a float has no more whole digits


def stamp(at: int, precision: str) -> int:
    """`at` (ns since 1970) in ns, but with no more digits than the precision has."""
    step = NANOSECONDS[precision]
    return at // step * step


class Lines:
    """Samples as lines: the group is the measurement, the id a tag, the name the field."""

    def __init__(self, base: str, tags: Mapping[str, str], precision: str, *, words: bool) -> None:
        self._tags = {**tags, "base": base}
        self._precision, self._words = precision, words
        self._heads: dict[tuple[str, str | None, str], str] = {}

    def line(self, sample: Sample) -> bytes | None:
        """One line without its end; None for a word where words are not wanted."""
        if isinstance(sample.value, str) and not self._words:
            return None
        value = field(sample.value)
        if value is None:
            return None
        key = (sample.group, sample.id, sample.name)
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= _REMEMBERED:
                self._heads.clear()
            tags = dict(self._tags)
            if sample.owner and sample.id:
                tags[sample.owner] = sample.id
            head = self._heads[key] = f"{series(sample.group, tags)} {name(sample.name)}="
        return f"{head}{value} {stamp(sample.at, self._precision)}".encode()


def about(line: bytes) -> str:
    """What a line is about, without its value: for sentences."""
    text = line.decode(errors="replace")
    end = re.search(r"(?<!\\)=", re.split(r"(?<!\\) ", text, maxsplit=1)[-1])
    head = re.split(r"(?<!\\) ", text, maxsplit=1)[0]
    rest = text[len(head) + 1 :]
    return f"{head} {rest[: end.start()]}" if end else head
