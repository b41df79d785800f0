"""Leases: who holds a control, for how long, and what the device is owed next.

Pure: no clock, no I/O. Times are monotonic seconds handed in by the caller; values are what the
contract's control takes (W, a word, a flag) with its units and signs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.contract import Command

Value = float | str | bool

MANUAL = "manual"
HELD_BY = "held by"
"""How the answer begins to who asks for what another holds."""
DEFAULT_TTL = 60.0
_RETRY_LIMIT = 30.0
_SETTLING = 2.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A value that holds until the monotonic second `until` unless its owner renews it."""

    owner: str
    value: Value
    until: float
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a command leads to: the lease from now on, a refusal, and who lost the control by it."""

    lease: Lease | None
    refused: str | None = None
    ousted: Lease | None = None


def judge(
    current: Lease | None, ask: Command, now: float, received: float | None = None
) -> Verdict:
    """Decide who holds the control after `ask`: one owner, and `manual` takes over from anyone.

    The lease counts from when the command was `received`, not from when its turn came.
    """
    if current is not None and current.until <= now:
        current = None
    other = current if current is not None and current.owner != ask.by else None
    if other is not None and ask.by != MANUAL:
        left = math.ceil(other.until - now)
        return Verdict(current, refused=f"{HELD_BY} {other.owner} for {left} s")
    if ask.value is None:
        return Verdict(None, ousted=other)
    until = (now if received is None else received) + (ask.ttl or DEFAULT_TTL)
    if until <= now:
        return Verdict(current, refused="its time was over before its turn came")
    return Verdict(Lease(ask.by, ask.value, until, ask.id), ousted=other)


class Due(Enum):
    """What the device must be told now."""

    WRITE = "write"
    GIVE_BACK = "give back"


class Slot:
    """One control of one device: its lease, what was written, and what is still to be done.

    `touched` is true from before the first write until the device confirmed that it was given
    back: only then is nothing owed to it. `beginning` is true while that first write is not
    confirmed: it may have been refused before anything was written. A give-back that fails is
    tried again for as long as it takes; a refresh that fails is tried again until the lease lapses.
    """

    def __init__(self, *, watchdog: float | None = None, touched: bool = False) -> None:
        self.lease: Lease | None = None
        self.touched = touched
        self.beginning = False
        self.mismatches = 0
        self._refresh = watchdog / 2 if watchdog else math.inf
        self._written: Value | None = None
        self._written_at = -math.inf
        self._retry_at = -math.inf
        self._failures = 0

    def ask(self, ask: Command, now: float, received: float | None = None) -> Verdict:
        """Judge one command and keep what follows from it."""
        verdict = judge(self.lease, ask, now, received)
        if verdict.refused is None:
            if self.lease is None or self.lease.value != ask.value:
                self.mismatches = 0
            self.lease = verdict.lease
            self._retry_at, self._failures = -math.inf, 0
        return verdict

    def due(self, now: float) -> Due | None:
        """What to do at `now`; a lease that has lapsed is dropped by this."""
        if self.lease is not None and self.lease.until <= now:
            self.lease = None
            self._retry_at, self._failures = -math.inf, 0
        if now < self._retry_at:
            return None
        if self.lease is None:
            return Due.GIVE_BACK if self.touched else None
        if self._written != self.lease.value or now >= self._written_at + self._refresh:
            return Due.WRITE
        return None

    def next_due(self) -> float:
        """The monotonic second at which `due` may have news; infinite when there will be none."""
        if self.lease is None:
            return self._retry_at if self.touched else math.inf
        if self._written != self.lease.value:
            write = self._retry_at
        else:
            write = max(self._written_at + self._refresh, self._retry_at)
        return min(self.lease.until, write)

    def writing(self) -> None:
        """A write begins: from here on the device may hold a value of ours."""
        self.beginning = self.beginning or not self.touched
        self.touched = True
        self._written = None

    def wrote(self, value: Value, now: float) -> None:
        """The device confirmed `value`."""
        self._written, self._written_at, self.beginning = value, now, False
        self._retry_at, self._failures = -math.inf, 0

    def gave_back(self) -> None:
        """The device confirmed that it is under its own control again."""
        self.lease, self._written, self.touched, self.beginning = None, None, False, False
        self._retry_at, self._failures, self.mismatches = -math.inf, 0, 0

    def failed(self, now: float) -> None:
        """A refresh or a give-back did not get through: wait 1, 2, 4 … 30 s."""
        self._retry_at = now + min(2.0**self._failures, _RETRY_LIMIT)
        self._failures = min(self._failures + 1, 10)

    def drop(self) -> None:
        """End the lease, whoever holds it; what was written must be given back."""
        self.lease = None
        self._retry_at, self._failures = -math.inf, 0

    def rewrite(self) -> None:
        """The device may have forgotten (it was away, or reports something else): write again."""
        if self.lease is not None:
            self._written = None

    def retry(self) -> None:
        """It answers again: what failed while it was away is due at once."""
        self._retry_at, self._failures = -math.inf, 0

    def contradicts(self, observed: Value | None, now: float, tolerance: float) -> bool:
        """Note what a reading says about a leased control; true when it differs twice in a row.

        The first difference makes the value due again. Readings that began before the last write
        has settled, and unknown ones, say nothing.
        """
        if self.lease is None or self._written is None or observed is None:
            return False
        if now < self._written_at + _SETTLING:
            return False
        if same(self._written, observed, tolerance):
            self.mismatches = 0
            return False
        self.mismatches += 1
        if self.mismatches > 1:
            return True
        self._written = None
        return False


def same(wanted: Value, found: Value | None, tolerance: float) -> bool:
    """True when the device has what was wanted; numbers may differ by `tolerance`."""
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    if isinstance(wanted, (int, float)) and isinstance(found, (int, float)):
        return abs(wanted - found) <= tolerance
    return wanted == found
