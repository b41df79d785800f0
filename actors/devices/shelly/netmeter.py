"""Counts energy as a net (phase-summed) meter does: one total power, two counters. Pure.

A gross meter counts each phase for itself, so import and export can rise at the same moment on
different phases. A net meter, as in Austria and Germany, adds the phases first.
"""

from __future__ import annotations

from dataclasses import dataclass

_JOULES_PER_KWH = 3.6e6
LONGEST_GAP = 60.0


@dataclass(slots=True)
class NetMeter:
    """imported, exported: kWh, never falling. Feed it with `add`, mend gaps with `fill`."""

    imported: float = 0.0
    exported: float = 0.0
    _power: float | None = None
    _at: float = 0.0

    def add(self, at: float, power: float | None) -> float | None:
        """Take a total power (W, + import) at `at` (monotonic s); give the seconds of a gap.

        Between two readings the power is taken as a straight line, split where it crosses zero.
        Over more than 60 s nothing is counted and the length of the gap is returned: nobody
        knows what flowed. An unknown power is passed over, so it can become such a gap.
        """
        if power is None:
            return None
        before, since = self._power, at - self._at
        self._power, self._at = power, at
        if before is None or since <= 0:
            return None
        if since > LONGEST_GAP:
            return since
        incoming, outgoing = _areas(before, power, since)
        self.imported += incoming / _JOULES_PER_KWH
        self.exported += outgoing / _JOULES_PER_KWH
        return None

    def fill(self, net: float) -> None:
        """Add what another counter knows of a gap: import minus export, in kWh."""
        if net > 0:
            self.imported += net
        else:
            self.exported -= net


def _areas(first: float, last: float, seconds: float) -> tuple[float, float]:
    """Areas above and below zero (Ws) of the straight line from `first` to `last`."""
    if first >= 0 and last >= 0:
        return (first + last) / 2 * seconds, 0.0
    if first <= 0 and last <= 0:
        return 0.0, -(first + last) / 2 * seconds
    crossing = first / (first - last)
    early, late = first / 2 * crossing * seconds, last / 2 * (1 - crossing) * seconds
    return (early, -late) if first > 0 else (late, -early)
