"""Time as an argument: monotonic seconds for ages, UTC only for what people read."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import anyio


class Clock:
    """The real clock. Tests hand in one of their own with the same four methods."""

    def now(self) -> float:
        """Monotonic seconds; the only basis of ages, delays and leases."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The wall clock, for stamps that people read; it may jump."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait; a negative time is no time."""
        await anyio.sleep(max(0.0, seconds))

    async def wait(self, event: anyio.Event, seconds: float) -> bool:
        """Wait for an event, so many seconds at most; whether it came."""
        with anyio.move_on_after(max(0.0, seconds)):
            await event.wait()
        return event.is_set()


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, such as `2026-11-21T21:14:03Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_ms(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, for the `at` of readings and grants."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
