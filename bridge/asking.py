"""Asking a service of the internet beside showing what is known: what its actors share."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from datetime import datetime

    from bridge.clock import Clock

GLANCE = 60.0
"""The wall clock is looked at this often (s), for it may jump."""


class Asking:
    """Asks the service beside an actor's `run`, which shows what is known meanwhile."""

    def __init__(self, ask: Callable[[], Awaitable[None]]) -> None:
        self._ask = ask

    async def run(self) -> None:
        """Ask until cancelled."""
        await self._ask()

    async def safe(self) -> None:
        """Nothing is controlled."""


async def wait_until(clock: Clock, moment: datetime, news: anyio.Event | None = None) -> None:
    """Wait for a moment of the wall clock, never longer than it takes now, or for news."""
    event = anyio.Event() if news is None else news

    async def pass_by() -> None:
        longest = clock.now() + (moment - clock.utc()).total_seconds()
        while (left := (moment - clock.utc()).total_seconds()) > 0:
            if clock.now() > longest:
                break
            await clock.sleep(min(left, GLANCE))
        event.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_by)
        await event.wait()
        tasks.cancel_scope.cancel()


async def wait_for(clock: Clock, seconds: float) -> None:
    """Wait so many seconds, as `wait_until`."""
    await wait_until(clock, clock.utc() + timedelta(seconds=seconds))


def source_of(kind: str, settings: Mapping[str, Any], without: Collection[str] = ()) -> str:
    """A mark of where data come from: what was asked under other settings is another source's.

    A Secret shows nothing of itself in its repr. `without`: settings that change nothing there.
    """
    parts = [f"{name}={value!r}" for name, value in sorted(settings.items()) if name not in without]
    return hashlib.sha256("\n".join((kind, *parts)).encode()).hexdigest()[:16]
