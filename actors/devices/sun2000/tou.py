"""The time-of-use schedule of a LUNA2000 battery (register 47255), in words that people read. Pure.

Only one source describes this block, so that it is read on request and never written. The first
word counts the periods; each has three words: start and end in minutes since midnight, then the
direction (high byte) and the days (low byte, Sunday is the lowest bit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS: Final = 43
LONGEST: Final = 14
_DAY: Final = 24 * 60
_WEEK: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_DIRECTIONS: Final = ("charge", "discharge")


@dataclass(frozen=True, slots=True)
class Period:
    """Charge or discharge from `start` to `end` (minutes since midnight, local) on `days`."""

    start: int
    end: int
    direction: str
    days: tuple[str, ...]

    def __str__(self) -> str:
        days = "every day" if len(self.days) == len(_WEEK) else " ".join(self.days) or "on no day"
        return f"{_clock(self.start)}-{_clock(self.end)} {self.direction} {days}"


def periods(words: Sequence[int]) -> tuple[Period, ...]:
    """The periods of the block's 43 words. Raises DeviceGarbled for what is no schedule."""
    if len(words) != WORDS or words[0] > LONGEST:
        raise DeviceGarbled("the time-of-use schedule has more periods than there is room for")
    return tuple(_period(words[first : first + 3]) for first in range(1, 1 + 3 * words[0], 3))


def text(words: Sequence[int]) -> str:
    """The schedule in one line: `00:00-06:00 charge every day; 17:00-21:00 discharge Mon Tue`."""
    return "; ".join(map(str, periods(words))) or "no periods"


def _period(words: Sequence[int]) -> Period:
    start, end, last = words
    direction, days = divmod(last, 256)
    if not start < end <= _DAY or direction >= len(_DIRECTIONS) or days >> len(_WEEK):
        raise DeviceGarbled("the time-of-use schedule holds a period that cannot be understood")
    named = tuple(name for bit, name in enumerate(_WEEK) if days >> bit & 1)
    return Period(start, end, _DIRECTIONS[direction], named)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
