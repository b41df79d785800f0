"""Whether a battery does what it was told, where its registers cannot say so. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SETTLING: Final = 10.0
"""Seconds that an inverter is given to follow a setpoint."""
_FEW_WATTS: Final = 250.0
_SHARE: Final = 0.15
_READINGS: Final = 2


@dataclass(slots=True)
class Following:
    """Compares what a battery delivers with what is asked of it."""

    _asked: float | None = None
    _since: float = 0.0
    _apart: int = 0

    def look(self, now: float, asked: object, found: object, why: str) -> str | None:
        """One sentence when the last two readings were far from what is asked, else None.

        asked, found: W, + discharge; what is no number is not asked, or unknown. now: monotonic s;
        why: what may be the reason, the end of the sentence.
        """
        wanted = asked if isinstance(asked, (int, float)) else None
        if wanted != self._asked:
            self._asked, self._since, self._apart = wanted, now, 0
        if wanted is None or not isinstance(found, (int, float)) or now - self._since < SETTLING:
            return None
        far = abs(found - wanted) > max(_FEW_WATTS, _SHARE * abs(wanted))
        self._apart = self._apart + 1 if far else 0
        if self._apart < _READINGS:
            return None
        return f"the battery was told {wanted:g} W and delivers {found:g} W: {why}"
