"""From raw items in any state to slots in order: what is contradictory is left out, never guessed.

A missing end is derived from the distance (step) to the next start. A step that is longer than
those around it may as well be a gap: then the shorter length holds, which is right in either case,
and the rest is a hole. So a longer step counts only where it comes at least twice in a row and
begins on its own multiple, as whole hours before quarter hours do.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from bridge.errors import CurveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Raw = tuple[datetime, datetime | None, float | None]
    Piece = tuple[datetime, datetime, float]

MOST: Final = 50_000
"""More items than this are refused: a year of quarter hours has 35 040."""
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN_CONTRADICTIONS = 2


def mend(raw: Iterable[Raw], what: str) -> tuple[list[Piece], tuple[str, ...]]:
    """(start, end, value) in order without overlap, and sentences about what was left out.

    Raises CurveError when there is something and nothing of it can be used.
    """
    items = _checked(raw, what)
    ends = _ends(items)
    pieces: list[Piece] = []
    endless = 0
    for start, end, value in sorted(set(items), key=lambda item: (item[0], item[1] or _EPOCH)):
        if value is None:
            continue
        until = end or ends.get(start)
        if until is None:
            endless += 1
        else:
            pieces.append((start, until, value))
    pieces = sorted(set(pieces))
    good, bad = _apart(pieces)
    notes = list(_contradictions(bad, what))
    if endless:
        notes.append(f"{endless} of the {what} have no end, and none can be derived")
    if not good and notes:
        raise CurveError(f"nothing of the {what} can be used: {notes[0]}")
    return _joined(good), tuple(notes)


def _checked(raw: Iterable[Raw], what: str) -> list[Raw]:
    items: list[Raw] = []
    for start, end, value in raw:
        if len(items) == MOST:
            raise CurveError(f"there are more than {MOST} {what}, which is refused")
        if start.tzinfo is None or (end is not None and end.tzinfo is None):
            raise CurveError(f"the {what} have a time without an offset from UTC: {start}")
        if value is not None and not math.isfinite(value):
            raise CurveError(f"the {what} have a value at {_shown(start)} that is not finite")
        begin, until = _snapped(start.astimezone(UTC), None if end is None else end.astimezone(UTC))
        if until is not None and until <= begin:
            raise CurveError(f"the {what} have an end at {_shown(until)} before its start")
        items.append((begin, until, value))
    return items


def _snapped(start: datetime, end: datetime | None) -> tuple[datetime, datetime | None]:
    """Close holes of one second: 12:00:01 is meant as 12:00, 12:29:59 as 12:30."""
    if end is not None and _past(end) >= _MINUTE - _SECOND:
        end += _MINUTE - _past(end)
    if timedelta() < _past(start) <= _SECOND and (end is None or not _past(end)):
        start -= _past(start)
    return start, end


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _past(moment: datetime) -> timedelta:
    """How far into its minute."""
    return timedelta(seconds=moment.second, microseconds=moment.microsecond)


def _ends(items: Sequence[Raw]) -> dict[datetime, datetime]:
    """An end for each start, as far as it is given or can be derived."""
    given: dict[datetime, timedelta] = {}
    for start, end, _ in items:
        if end is not None:
            given[start] = min(end - start, given.get(start, end - start))
    starts = sorted({start for start, _, _ in items})
    steps = [later - sooner for sooner, later in pairwise(starts)]
    known = [
        given.get(start, step) for start, step in zip(starts, _trusted(starts, steps), strict=True)
    ]
    finest = [each for each in known if each is not None]
    ends = {}
    for place, start in enumerate(starts):
        length = known[place]
        if length is None:
            around = [each for each in known[max(0, place - 1) : place + 2] if each is not None]
            length = min([*(around or finest), *steps[place : place + 1]], default=None)
        if length is not None:
            ends[start] = start + length
    return ends


def _trusted(starts: Sequence[datetime], steps: Sequence[timedelta]) -> list[timedelta | None]:
    """For each start the step after it where that is the length of its slot; else None."""
    before = [*accumulate(steps, min)]
    after = [*accumulate(reversed(steps), min)][::-1]
    found: list[timedelta | None] = []
    for place, step in enumerate(steps):
        twice = step in (*steps[max(0, place - 1) : place], *steps[place + 1 : place + 2])
        # Finer ones on both sides: two gaps of the same length.
        outer = step in (before[place], after[place])
        whole = not (starts[place] - _EPOCH) % step
        found.append(step if step == after[0] or (twice and outer and whole) else None)
    return [*found, None] if starts else []


def _apart(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Those that nobody contradicts, and those that overlap with another value."""
    bad: set[Piece] = set()
    live: list[Piece] = []
    for piece in pieces:
        live = [each for each in live if each[1] > piece[0]]
        for each in live:
            if each[2] != piece[2]:
                bad |= {each, piece}
        live.append(piece)
    return [each for each in pieces if each not in bad], sorted(bad)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Overlaps are of one value here: the later piece begins where the one before it ends."""
    found: list[Piece] = []
    reached = None
    for start, end, value in pieces:
        begin = start if reached is None else max(start, reached)
        if begin < end:
            found.append((begin, end, value))
            reached = end
    return found


def _contradictions(bad: Sequence[Piece], what: str) -> Iterable[str]:
    if not bad:
        return
    start, end = bad[0][0], max(each[1] for each in bad)
    values = sorted({each[2] for each in bad if each[0] < bad[0][1]})[:_SHOWN_CONTRADICTIONS]
    shown = " and ".join(f"{value:g}" for value in values)
    yield (
        f"the {what} contradict themselves between {_shown(start)} and {_shown(end)}"
        f" ({shown} for one time): {len(bad)} of them are left out"
    )
