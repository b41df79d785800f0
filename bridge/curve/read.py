"""Numbers and moments as services write them, read strictly."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

Form = Literal["iso", "unix", "unix_ms"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?([Zz]| ?[+-]\d{2}(:?\d{2})?)?)?\Z",
    re.ASCII,
)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SHOWN = 60
_TWICE = 2


def number(raw: Any) -> float | None:
    """A number, or text that is one; None for null and empty text. Else CurveError.

    The decimal mark is `.`; a comma is refused, for it may stand between thousands.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if isinstance(raw, str) and _NUMBER.match(raw.strip()):
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise CurveError(f"{_shown(raw)} is not a number")
    try:
        found = float(raw)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise CurveError(f"{_shown(raw)} is not a finite number")
    return found


def moment(raw: Any, *, form: Form, zone: ZoneInfo | None = None) -> datetime:
    """A moment in UTC, between the years 2000 and 2100. Else CurveError.

    `iso`: text by ISO 8601, with an offset or, read as wall clock of `zone`, without; `unix` and
    `unix_ms`: seconds and milliseconds since 1970. A wall clock time that `zone` has twice or
    never (when its clocks are changed) is refused: `moments` can tell the two apart by order.
    """
    found = _read(raw, form)
    if found.tzinfo is None:
        both = _both(found, zone)
        if both is None:
            raise CurveError(f"{_shown(raw)} is skipped in {zone}, where clocks are put on then")
        if both[0] != both[1]:
            raise CurveError(f"{_shown(raw)} occurs twice in {zone}: it needs an offset from UTC")
        found = both[0]
    return _in_range(found, raw)


def moments(
    raw: Iterable[Any], *, form: Form, zone: ZoneInfo | None = None
) -> list[datetime | None]:
    """The moments of a list that is in order, forwards or backwards; see `moment`.

    A wall clock time that `zone` has twice is told by its place when it is in the list twice. None
    where it cannot be told, and for a time that is skipped: what holds from then is unknown.
    """
    read = [_read(each, form) for each in raw]
    naive = [each for each in read if each.tzinfo is None]
    backwards = bool(naive) and naive[0] > naive[-1]
    count, seen = Counter(naive), Counter[datetime]()
    found: list[datetime | None] = []
    for each in read:
        if each.tzinfo is not None:
            found.append(_in_range(each, str(each)))
            continue
        both = _both(each, zone)
        seen[each] += 1
        if not both or (both[0] != both[1] and count[each] != _TWICE):
            found.append(None)
        else:
            second = (seen[each] == _TWICE) != backwards
            found.append(_in_range(both[1] if second else both[0], str(each)))
    return found


def _read(raw: Any, form: Form) -> datetime:
    if form == "iso":
        if not isinstance(raw, str) or not _ISO.match(raw.strip()):
            raise CurveError(f"{_shown(raw)} is not a time like 2026-11-21T21:00:00Z")
        try:
            found = datetime.fromisoformat(raw.strip().replace(" +", "+").replace(" -", "-"))
        except ValueError:
            raise CurveError(f"{_shown(raw)} is not a time that exists") from None
        if not _EARLIEST.year <= found.year < _LATEST.year:
            raise CurveError(f"{_shown(raw)} is not a time in this century")
        return found
    seconds = number(raw)
    if seconds is None:
        raise CurveError("a time is missing")
    if form == "unix_ms":
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise CurveError(f"{_shown(raw)} is not a time in this century") from None


def _both(naive: datetime, zone: ZoneInfo | None) -> tuple[datetime, datetime] | None:
    """The moments in UTC (mostly the same twice) at which the clocks of `zone` show `naive`.

    None when they never do.
    """
    if zone is None:
        raise CurveError(f"{naive.isoformat()} has no offset from UTC, and no time zone is given")
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return None if first.astimezone(zone).replace(tzinfo=None) != naive else (first, second)


def _in_range(found: datetime, raw: Any) -> datetime:
    found = found.astimezone(UTC)
    if not _EARLIEST <= found < _LATEST:
        raise CurveError(f"{_shown(raw)} is not a time in this century")
    return found


def _shown(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
