"""Asking a service of the internet beside showing what is known: what its actors share."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anyio

from bridge.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bridge.actor import Context
    from bridge.clock import Clock
    from bridge.errors import DeviceError

_REPEAT: Final = 300.0
_LONGEST_WAIT: Final = 86400.0
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


class Asker(Actor):
    """An actor that asks a service now and then, and shows meanwhile what it knows.

    zone: of its days and sentences; client: whoever asks the service, set by a kind that has one;
    it is closed at the end.
    """

    untried: ClassVar[str | None] = "a service counts its calls, so the bridge alone asks it"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.zone: ZoneInfo = self.settings.zone()
        self.client: Any = None
        self._why: str | None = None
        self._failures = 0
        self._news = anyio.Event()
        self._shown: dict[str, Any] = {}
        self._shown_at: datetime | None = None
        self._share: float | None = None
        self.companions.append(Asking(self.ask))

    async def ask(self) -> None:
        """Ask the service for ever; what it answers goes to `took`, what fails to `failed`."""
        wait = self._first_wait()
        while True:
            await wait_for(self.clock, wait)
            wait = await self.ask_once()

    async def ask_once(self) -> float:
        """Ask once and take in what comes; the seconds until the next time."""
        raise NotImplementedError

    @property
    def share(self) -> float:
        """This house's place from 0 to 1 among all that ask the same service (bridge/cloud)."""
        if self._share is None:
            from bridge.cloud.installation import Installation

            self._share = Installation(self.config.state).share(self.kind)
        return self._share

    async def failed(self, why: str) -> None:
        """Note that there is no news, in one sentence; what is known stays valid to its end."""
        self._why = why.rstrip(".")
        await self.show()

    async def show(self) -> None:
        """Have `run` publish what is known now."""
        await self._health()
        self._news.set()

    async def safe(self) -> None:
        """Close the connections of the client."""
        try:
            await super().safe()
        finally:
            if self.client is not None:
                await self.client.close()

    # ---------------------------------------------------------------- for the kinds of it

    async def _health(self) -> None:
        await self.health(self._trouble(self.clock.utc()))

    def _trouble(self, now: datetime) -> str | None:  # noqa: ARG002 - for subclasses
        """What is wrong, in one sentence."""
        return self._why

    def _first_wait(self) -> float:
        """How long (s) what an earlier life knew does without asking."""
        return 0.0

    def _until(self, ask_at: datetime | None) -> float:
        """Seconds until then, none where it is over; the clock may have been wrong by years."""
        if ask_at is None:
            return 0.0
        return min(max(0.0, (ask_at - self.clock.utc()).total_seconds()), _LONGEST_WAIT)

    async def _put_off(self, why: str, error: DeviceError | None) -> float:
        from bridge.cloud.plan import backoff

        self._failures += 1
        await self.failed(why)
        return backoff(self._failures, share=self.share, error=error)

    def _again(self, now: datetime) -> bool:
        """True when everything is to be published once more, as every five minutes."""
        last = self._shown_at
        again = last is None or (now - last).total_seconds() >= _REPEAT or now < last
        if again:
            self._shown_at = now
        return again

    def _is_new(self, name: str, value: Any) -> bool:
        """True for what differs from what was published last; the first time for all."""
        if name in self._shown and self._shown[name] == value:
            return False
        self._shown[name] = value
        return True

    def _cut(self, until: datetime) -> str:
        limit = self.contract.limits.json_bytes
        sentence = f"the curve is published until {self._local(until)} only: "
        return f"{sentence}a message takes no more than {limit} bytes"

    def _local(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"


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
