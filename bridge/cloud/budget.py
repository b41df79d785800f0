"""How often an account may be asked: the rules and the arithmetic, without a clock and a file.

Moments are seconds since 1970 by the wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bridge.curve.days import day_of, local_day, zone_of
from bridge.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_DAY: Final = 26 * 3600.0  # the longest day of a zone, and an hour


class BudgetSpent(DeviceError):
    """The account must not be asked now, and nothing was sent. `wait`: s until it may be."""

    def __init__(self, sentence: str, wait: float) -> None:
        super().__init__(sentence)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service allows one account.

    gap: s between the beginnings of two calls; windows: (count, seconds): at most so many calls in
    any stretch of so many seconds; per_day: calls in a day of `day_zone` (IANA), from midnight.
    A service counts what arrives: give a gap that leaves it some air. Raises ValueError.
    """

    gap: float = 0.0
    windows: tuple[tuple[int, float], ...] = ()
    per_day: int | None = None
    day_zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.gap < 0 or any(count < 1 or span <= 0 for count, span in self.windows):
            raise ValueError("a limit allows at least one call in a time that is not empty")
        if self.per_day is not None and self.per_day < 1:
            raise ValueError("a limit allows at least one call a day")
        zone_of(self.day_zone)

    @property
    def horizon(self) -> float:
        """For how long (s) a call can matter."""
        spans = [self.gap, *(span for _, span in self.windows)]
        return max(spans) if self.per_day is None else max(*spans, _DAY)

    def on_day(self, calls: Sequence[float], moment: float) -> int:
        """How many of these calls are on the day of `moment`."""
        begin, end = _day(moment, zone_of(self.day_zone))
        return sum(begin <= call < end for call in calls)


def earliest(
    limits: Limits, calls: Sequence[float], now: float, until: float | None = None
) -> float:
    """The first moment from `now` on at which one more call is allowed.

    calls: when the account was (or, reserved, will be) asked, ascending; the new call comes after
    all of them. until: the service wants to be left alone until then.
    """
    moment = now if until is None else max(now, until)
    if calls:
        moment = max(moment, calls[-1] + limits.gap)
    for count, span in limits.windows:
        if len(calls) >= count:
            moment = max(moment, calls[-count] + span)
    if limits.per_day is None:
        return moment
    zone = zone_of(limits.day_zone)
    # The calls of the day of `moment` are the last ones: all are before it.
    while len(calls) >= limits.per_day:
        begin, end = _day(moment, zone)
        if calls[-limits.per_day] < begin:
            break
        moment = end
    return moment


def after(
    limits: Limits, calls: Sequence[float], now: float, ahead: int, until: float | None
) -> float:
    """As `earliest`, when `ahead` others wait to be served before."""
    planned = list(calls)
    for _ in range(ahead):
        planned.append(earliest(limits, planned, now, until))
    return earliest(limits, planned, now, until)


def _day(moment: float, zone: ZoneInfo) -> tuple[float, float]:
    day = day_of(datetime.fromtimestamp(moment, UTC), zone)
    begin, end = local_day(day, zone)
    return begin.timestamp(), end.timestamp()
