"""What to ask next, so that all systems of an account stay within what the service bears. Pure.

Each job has its own pace. Together they may use a share of the calls that the gap between two calls
allows; where they would need more, all of them become slower alike. Moments in monotonic s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_SHARE: Final = 0.8
"""Of the calls that are possible; the rest is for commands and for what is typed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to ask: what, of which system (and of which of its chargers)."""

    what: str
    system: str = ""
    charger: str = ""


class Agenda:
    """gap: s between two calls of the account."""

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._every: dict[Job, float] = {}
        self._last: dict[Job, float] = {}
        self._not_before: dict[Job, float] = {}
        self._first: set[Job] = set()

    def __contains__(self, job: Job) -> bool:
        return job in self._every

    def add(self, job: Job, every: float, *, first: bool = False) -> None:
        """Ask for it each so many s from now on. What is new is due, in this order.

        first: before all that is not; the rest may not keep what is asked often from its turn.
        """
        self._every.setdefault(job, every)
        if first:
            self._first.add(job)

    def drop(self, job: Job) -> None:
        """Ask for it no more."""
        for table in (self._every, self._last, self._not_before):
            table.pop(job, None)
        self._first.discard(job)

    def jobs(self) -> tuple[Job, ...]:
        """All of them."""
        return tuple(self._every)

    @property
    def stretch(self) -> float:
        """How much slower than wished everything goes; 1 where the calls suffice."""
        return max(1.0, sum(self._gap / every for every in self._every.values()) / _SHARE)

    def pace(self, job: Job) -> float:
        """How many s lie between two askings of this."""
        return self._every[job] * self.stretch

    def next(self, now: float) -> Job | None:
        """What is due and waits the longest, measured by its own pace; None when nothing is due."""
        late: dict[Job, float] = {}
        stretch = self.stretch
        for job, every in self._every.items():
            if now < self._not_before.get(job, -math.inf):
                continue
            if job not in self._last:
                late[job] = math.inf if job in self._first else 1.0
                continue
            age = now - self._last[job]
            # A tick comes a little early at times: without slack, the next one would be far off.
            if age >= every * stretch - self._gap / 4:
                late[job] = age / (every * stretch)
        return max(late, key=lambda job: late[job]) if late else None

    def asked(self, job: Job, now: float) -> None:
        """It was asked, whatever came of it."""
        if job in self._every:
            self._last[job] = now

    def soon(self, job: Job) -> None:
        """Ask for it as soon as there is a call."""
        self._last.pop(job, None)
        self._not_before.pop(job, None)

    def rest(self, job: Job, until: float) -> None:
        """Do not ask for it before then."""
        if job in self._every:
            self._not_before[job] = until

    def rest_all(self, until: float) -> None:
        """Ask for nothing before then."""
        for job in self._every:
            self.rest(job, until)
