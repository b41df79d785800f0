"""Energy from power, phases added first: two counters, and what is not counted. Pure.

A gross meter counts each phase for itself, so import and export rise at the same moment on
different phases. A net meter, as in Austria and Germany, adds the phases first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_JOULES_PER_KWH: Final = 3.6e6


@dataclass(slots=True)
class Netting:
    """imported, exported: kWh, never falling; gap: s without a reading that are not counted."""

    imported: float = 0.0
    exported: float = 0.0
    gap: float = 60.0
    _power: float | None = None
    _at: float = 0.0

    def add(self, at: float, power: float | None) -> float:
        """Take a power (W, + import) at `at` (monotonic s); give the seconds that were not counted.

        Between two readings the power is a straight line, split where it crosses zero. An unknown
        power (None, or no finite number) is passed over, so that it can become a gap; so is a
        reading from before the last one. Of two at the same moment the newer one counts.
        """
        if power is None or not math.isfinite(power):
            return 0.0
        before, since = self._power, at - self._at
        if before is not None and since < 0:
            return 0.0
        self._power, self._at = power, at
        if before is None:
            return 0.0
        if since > self.gap:
            return since
        incoming, outgoing = areas(before, power, since)
        self.imported += incoming / _JOULES_PER_KWH
        self.exported += outgoing / _JOULES_PER_KWH
        return 0.0

    def fill(self, net: float) -> None:
        """Add what another counter knows of a gap: import minus export, in kWh."""
        if net > 0:
            self.imported += net
        else:
            self.exported -= net


def areas(first: float, last: float, seconds: float) -> tuple[float, float]:
    """Ws above and below zero, both positive, under a straight line from `first` to `last` W."""
    if first >= 0 and last >= 0:
        return (first + last) / 2 * seconds, 0.0
    if first <= 0 and last <= 0:
        return 0.0, -(first + last) / 2 * seconds
    turn = first / (first - last)
    early, late = abs(first) / 2 * turn * seconds, abs(last) / 2 * (1 - turn) * seconds
    return (early, late) if first > 0 else (late, early)
