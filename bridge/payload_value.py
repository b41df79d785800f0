"""A number in what somebody publishes on a topic: plain, or inside JSON by a JMESPath. Pure."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from bridge.contract.payload import shown
from bridge.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 64 * 1024
Topic = Annotated[
    str,
    Meta(
        pattern=r"^[^$+#\x00-\x1f\x7f][^+#\x00-\x1f\x7f]*\Z",
        max_length=200,
        extra={"words": "a topic without wildcards"},
    ),
]
_Path = Annotated[str, Meta(min_length=1, max_length=400)]
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
# What sensors and home automations say instead of a number that they do not have.
_UNKNOWN: Final = frozenset({"", "unknown", "unavailable", "none", "null", "nan"})


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a number comes from: value = number * factor + offset.

    topic: the whole topic, below our base or not. path: JMESPath to it where the payload is JSON.
    """

    topic: Topic
    path: _Path | None = None
    factor: Annotated[float, Meta(ge=-1e9, le=1e9)] = 1.0
    offset: Annotated[float, Meta(ge=-1e9, le=1e9)] = 0.0

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse a path that cannot be read, and a factor that leaves nothing."""
        if self.path is not None:
            try:
                _compiled(self.path)
            except PayloadError as error:
                yield "path", f"'path' {error}"
        if not self.factor:
            yield "factor", "'factor' must not be 0"


def source_of(given: str | Source) -> Source:
    """A topic alone stands for a plain number."""
    return Source(topic=given) if isinstance(given, str) else given


def read_number(payload: bytes, source: Source) -> float | None:
    """The value in one payload; None where the sender does not know it.

    Raises PayloadError with one sentence for what is no number.
    """
    if len(payload) > MOST_BYTES:
        raise PayloadError(f"{source.topic} has more than {MOST_BYTES // 1024} kB")
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise PayloadError(f"{source.topic} is not text") from None
    found = text if source.path is None else _inside(text, source, source.path)
    value = _number(found, source)
    if value is None:
        return None
    value = value * source.factor + source.offset
    if not math.isfinite(value):
        raise PayloadError(f"{source.topic} has a number that is far too large")
    return value


def _inside(text: str, source: Source, path: str) -> Any:
    if text.lower() in _UNKNOWN:
        return None
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise PayloadError(f"{source.topic} is not JSON but {shown(text)}") from None
    from jmespath.exceptions import JMESPathError

    try:
        return _compiled(path).search(document)
    except JMESPathError:
        raise PayloadError(f"{source.topic} is not of the form that '{path}' expects") from None


def _number(found: Any, source: Source) -> float | None:
    if found is None:
        return None
    where = source.topic if source.path is None else f"{source.topic} at '{source.path}'"
    if isinstance(found, str):
        text = found.strip()
        if text.lower() in _UNKNOWN:
            return None
        if not _NUMBER.match(text):
            raise PayloadError(f"{where} is not a number but {shown(text)}")
        return float(text)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise PayloadError(f"{where} is not a number but {shown(found)}")
    try:
        return float(found)
    except OverflowError:
        raise PayloadError(f"{where} has a number that is far too large") from None


@lru_cache(maxsize=256)
def _compiled(path: str) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(path)
    except JMESPathError:
        raise PayloadError(f"{shown(path)} is no path by JMESPath") from None
