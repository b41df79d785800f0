"""The surplus of this moment, when meter and consumers never speak of the same moment.

What we control changes in jumps that the meter shows sooner or later than the reports do. The rest
of the house changes seldom. So the ordinary load is believed to stay as it was, as far as that can
be true, and the surplus is what the PV makes beyond it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

_SLOPE: Final = 4.0
_STALE: Final = 12.0
_STILL: Final = 25.0


class Sunshine:
    """`surplus` in W. It moves only as far as the evidence, a span, forces it to."""

    __slots__ = ("_load", "_past", "surplus")

    def __init__(self) -> None:
        self._load: float | None = None
        self._past: deque[tuple[float, float]] = deque(maxlen=8)
        self.surplus = 0.0

    def see(self, low: float, high: float, pv: float | None) -> float:
        """The surplus lies between `low` and `high`; `pv` is what the sun gives, where metered."""
        made = 0.0 if pv is None else pv
        least, most = made - max(low, high), made - min(low, high)
        if pv is not None:
            least, most = max(0.0, least), max(0.0, most)
        before = least if self._load is None else self._load
        self._load = min(max(before, least), most)
        self.surplus = made - self._load
        return self.surplus

    def mark(self, now: float) -> None:
        """Remember the present surplus as measured at `now`."""
        if not self._past or now > self._past[-1][0]:
            self._past.append((now, self.surplus))
        else:
            self._past[-1] = (self._past[-1][0], self.surplus)

    def ahead(self, lead: float, least: float, most: float) -> float:
        """Where the surplus will be in `lead` s when it goes on moving, between two bounds.

        A cloud's edge passes in many seconds, and a consumer needs some to follow: who aims at
        where the edge is now is late twice.
        """
        if lead <= 0 or len(self._past) < 2:  # noqa: PLR2004 - a slope has two ends
            return self.surplus
        last_at, last = self._past[-1]
        at, watts = next((one for one in self._past if one[0] >= last_at - _SLOPE), self._past[-1])
        if at >= last_at:
            at, watts = self._past[-2]
        if at >= last_at or last_at - at > _STALE:
            return self.surplus
        moved = (last - watts) / (last_at - at)
        if abs(moved) < _STILL:
            return self.surplus
        aim = self.surplus + moved * lead
        return max(min(least, self.surplus), min(max(most, self.surplus), aim))

    def forget(self) -> None:
        """The meter was away."""
        self._load = None
        self._past.clear()
