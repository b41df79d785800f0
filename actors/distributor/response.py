"""How fast a consumer follows a new allowance: learned from its reports, within bounds.

Until it has followed it may draw anything between what it was allowed lately and what it is
allowed now, whatever the meter and its reports, which never speak of the same moment, seem to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# s: what is believed until it has shown better, and what is never gone below: a meter may lag by
# 10 s, and a report takes some besides.
SLOWEST: Final = 40.0
FASTEST: Final = 15.0
_GRACE: Final = 1.5
_FALL: Final = 0.25
_MOST: Final = 32


@dataclass(slots=True)
class Response:
    """Allowances of the last seconds (microwatts), and how long it took to follow one."""

    span: float = SLOWEST
    _took: float | None = None
    _since: float | None = None  # the change that it has not followed yet
    _former: list[tuple[float, int]] = field(default_factory=list)  # until when, which

    def change(self, now: float, before: int) -> None:
        """The allowance was `before` until `now`."""
        self._since = now
        self._former.append((now, before))
        if len(self._former) > _MOST:
            low, high = self.bounds(now, before)
            self._former = [(now, low), (now, high)]

    def hear(self, now: float, arrived: bool) -> None:
        """It reports what it draws; `arrived`: that is what it is allowed."""
        if self._since is None or not arrived or now <= self._since:
            return
        took = now - self._since
        self._since = None
        last = self._took
        self._took = took if last is None or took > last else last + _FALL * (took - last)
        self.span = min(SLOWEST, max(FASTEST, _GRACE * self._took + 3.0))

    def bounds(self, now: float, allowance: int) -> tuple[int, int]:
        """The least and the most that it was allowed within its time of response."""
        former = self._former
        while former and former[0][0] <= now - self.span:
            del former[0]
        if not former:
            return allowance, allowance
        values = [watts for _, watts in former]
        return min(allowance, *values), max(allowance, *values)
