"""A request for power and the lease that answers it. Plain data, W and monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """An allowance in W, heard live at the monotonic second `at`, good for `ttl` s."""

    watts: float
    at: float
    ttl: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request of a consumer; W and s. Without a `step` it would be all or nothing.

    off_since: the monotonic second at which it was last switched off; None: it is on, or nothing is
    known. note: why it asks for nothing or is not automatic, for people.
    """

    automatic: bool = False
    request: float = 0.0
    minimum: float = 0.0
    step: float = 0.0
    consumption: float | None = None
    priority: float = 100.0
    priority_shift: float = 0.0
    ignore_reservation: bool = False
    start_delay: float = 0.0
    stop_delay: float = 0.0
    min_on: float = 0.0
    min_off: float = 0.0
    off_since: float | None = None
    note: str | None = None


def live(allowance: Allowance | None, now: float, *, distributor: bool) -> float | None:
    """W that may be drawn now; None without a lease. `distributor`: whether it is online."""
    if allowance is None or not distributor or now >= allowance.at + allowance.ttl:
        return None
    return allowance.watts
