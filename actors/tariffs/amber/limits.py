"""What the service tells about its rate limit, in the headers of an answer. Pure.

`RateLimit-Limit`, `-Remaining` and `-Reset` (s left) are numbers, `RateLimit-Policy` is such as
`50;w=300`: so many requests in so many seconds. What cannot be read is None, never an error.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_STOP: Final = 60.0
"""s without any request after a 429, at least."""
_MOST: Final = 7 * 86400


class RateLimits(msgspec.Struct, frozen=True):
    """The budget as of `refreshed`. reset: s from then until the count begins anew."""

    limit: int | None
    remaining: int | None
    reset: float | None
    policy: str | None
    refreshed: datetime

    @property
    def estimated_reset(self) -> datetime | None:
        """When the count begins anew; in the past when nothing was asked for a while."""
        if self.reset is None:
            return None
        return self.refreshed + timedelta(seconds=self.reset)

    @property
    def window(self) -> int | None:
        """The s over which requests are counted, as the policy says."""
        return _window(self.policy, self.limit)


def read_limits(headers: Mapping[str, str], now: datetime) -> RateLimits | None:
    """From the headers of an answer, whatever their case; None where there are none."""
    told = {name.lower(): value.strip() for name, value in headers.items()}
    names = ("limit", "remaining", "reset", "policy")
    found = {name: told.get(f"ratelimit-{name}") for name in names}
    if not any(found.values()):
        return None
    limit, remaining, reset = (_count(found[name]) for name in ("limit", "remaining", "reset"))
    return RateLimits(limit, remaining, reset, found["policy"] or None, now)


def stop_after_429(headers: Mapping[str, str], now: datetime) -> float:
    """How long (s) to ask nothing at all after a 429: until the reset, a minute at least."""
    found = read_limits(headers, now)
    retry = _count({name.lower(): value for name, value in headers.items()}.get("retry-after"))
    told = found.reset if found is not None else None
    return max(told or 0.0, float(retry or 0), LEAST_STOP)


def _count(text: str | None) -> int | None:
    if text is None or not text.strip().isascii() or not text.strip().isdecimal():
        return None
    found = int(text.strip()[:12])
    return found if found <= _MOST else None


def _window(policy: str | None, limit: int | None) -> int | None:
    if policy is None:
        return None
    parts = [part.split(";") for part in policy.split(",")]
    if len(parts) > 1:
        parts = [part for part in parts if _count(part[0]) == limit is not None]
    if len(parts) != 1:
        return None
    for parameter in parts[0][1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "w":
            return _count(value)
    return None
