"""Days in seconds: clocks that leap, with real HTTP on loopback.

Two ways. In an ordinary async test:

    days = Days(datetime(2026, 3, 28, 11, tzinfo=UTC))
    ... start a simulator and what asks it, with `clock=days` ...
    await days.advance(3600)

For a whole week, in a test that is no coroutine:

    def test_a_week(tmp_path):
        asked = week(lambda clock: Simulator(clock=clock), lambda sim, clock: loop(sim, clock))
        assert asked <= 200

where `loop` asks for ever and waits with `clock.sleep`, and closes its client when it is cancelled.
Time moves on only while no request of a `bridge.http.HttpClient` is under way, so the same things
happen in the same order each time. Simulators listen on 127.0.0.1; a name would need a thread, and
a broker outside of the process is not waited for (tests/runtime/virtual.py has a `Wire` for that).
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.lowlevel

from bridge.clock import Clock
from bridge.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from bridge.http import Answer

Sim = TypeVar("Sim")
T = TypeVar("T")
BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
# Real seconds after which a request that makes no progress waits for the clock itself.
_STUCK = 0.05
_QUIET = 20


class _Traffic:
    """Requests of HttpClients that are under way, and how many there have been."""

    def __init__(self) -> None:
        self.open = self.total = self.done = 0

    def watch(self) -> None:
        """Count what every HttpClient of this process sends from now on."""
        original: Any = HttpClient._once

        async def once(client: HttpClient, *given: Any) -> Answer:
            self.open += 1
            self.total += 1
            try:
                return await original(client, *given)
            finally:
                self.open -= 1
                self.done += 1

        HttpClient._once = once  # type: ignore[method-assign, assignment]


traffic = _Traffic()
traffic.watch()


class Days(Clock):
    """A clock that stands still until the test moves it.

    `await days.advance(3600)` wakes whoever sleeps on it, in order, each at its own moment, and
    lets what it asks over real HTTP finish before time goes on. `days.jump(seconds)` moves the wall
    clock alone, as NTP does. Timeouts of a client are real seconds here.
    """

    def __init__(self, begin: datetime = BEGIN) -> None:
        self._begin, self._elapsed = begin, 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []

    def now(self) -> float:
        return 1000.0 + self._elapsed

    def utc(self) -> datetime:
        return self._begin + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        sleeper = (self._elapsed + seconds, next(self._order), anyio.Event())
        heapq.heappush(self._sleepers, sleeper)
        try:
            await sleeper[2].wait()
        finally:
            with suppress(ValueError):
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    @property
    def asleep(self) -> int:
        """How many wait for this clock."""
        return len(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        target = self._elapsed + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, event = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            event.set()
            await self.settle()
        self._elapsed = target
        await self.settle()

    async def settle(self) -> None:
        """Let everybody go on until they wait for this clock, or for somebody who does."""
        quiet, since = 0, time.monotonic()
        seen = (traffic.total, traffic.done)
        while quiet < _QUIET:
            await anyio.lowlevel.checkpoint()
            quiet += 1
            if (traffic.total, traffic.done) != seen:
                seen, quiet, since = (traffic.total, traffic.done), 0, time.monotonic()
            elif traffic.open and time.monotonic() - since < _STUCK:
                quiet = 0

    def jump(self, seconds: float) -> None:
        """Move the wall clock only."""
        self._begin += timedelta(seconds=seconds)


class _Leaping(selectors.DefaultSelector):
    """Never waits for a timer; while a request is under way it gives the wire a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None or traffic.open:
            found = super().select(5.0 if timeout is None else _STUCK)
            if found or timeout is None:
                return found
        self.moment += timeout
        return []


class _LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, with real sockets."""

    def __init__(self) -> None:
        self._leap = _Leaping()
        super().__init__(self._leap)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._leap.moment


class _LoopDays(Clock):
    """The clock of that loop."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin

    def now(self) -> float:
        return float(anyio.current_time())

    def utc(self) -> datetime:
        return self._begin + timedelta(seconds=self.now() - 1000.0)


def lived(scenario: Callable[[Clock], Awaitable[T]], *, begin: datetime = BEGIN) -> T:
    """Run `scenario` on an event loop whose time leaps over every wait, HTTP being real.

    For tests that are no coroutines themselves. Timeouts pass as quickly as sleeps.
    """
    return anyio.run(scenario, _LoopDays(begin), backend_options={"loop_factory": _LeapingLoop})


def week(
    simulator: Callable[[Clock], AbstractAsyncContextManager[Sim]],
    asking: Callable[[Sim, Clock], Awaitable[None]],
    *,
    days: float = 7.0,
    begin: datetime = BEGIN,
) -> int:
    """How many HTTP requests an endless `asking` sends to `simulator` in a week of virtual time.

    For tests that are no coroutines themselves.
    """

    async def scenario(clock: Clock) -> int:
        before = traffic.total
        async with simulator(clock) as sim:
            with anyio.move_on_after(days * 86400.0) as scope:
                await asking(sim, clock)
            assert scope.cancelled_caught, "what asks has ended by itself"
        return traffic.total - before

    return lived(scenario, begin=begin)
