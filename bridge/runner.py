"""One actor's life under supervision: start, watch, stop safely, restart after a crash."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import anyio

from bridge.errors import HeliographError, one_line
from bridge.log import get_logger
from bridge.published import Published

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.actor import Actor, Context
    from bridge.bus import Message
    from bridge.hold import Hold, Holder

    Report = Callable[[str, str, int, str | None], Awaitable[None]]

# Two controls of a silent device, `_SAFE_WRITE_LIMIT` each; the supervisor counts on it.
SAFE_LIMIT = 8.5
GOODBYE_LIMIT = 2.0
_RESTART_LIMIT = 60.0
_HELD_PAUSE = 1.0
_STEADY = 60.0
_MESSAGE = "Actors/{actor}/Messages/{Level}"


class Runner:
    """Runs one actor until it is stopped; restarts it at once, then after 1, 2, 4 … 60 s.

    `report(id, state, restarts, error)` is told `crashed` after each crash, with the sentence that
    ended that life, and `stopped` once at the end, whether it was asked to stop or ended by itself.
    With a `hold` no life begins while another process commands the device: `starting` says so.
    """

    def __init__(
        self,
        build: Callable[[int], Context],
        actor_class: Callable[[Context], Actor],
        *,
        name: str,
        stops_first: bool,
        report: Report,
        hold: Hold | None = None,
    ) -> None:
        self.name = name
        self.stops_first = stops_first
        self.actor: Actor | None = None
        self.restarts = 0
        self.finished = anyio.Event()
        self._build = build
        self._actor_class = actor_class
        self._report = report
        self._hold = hold
        self._log = get_logger(name)
        self._stopping = anyio.Event()
        self._work: anyio.CancelScope | None = None
        self._hung = False
        self._denied = False
        self._answered = -math.inf

    def stop(self) -> None:
        """Ask the actor to stop: its work is cancelled, then it makes itself safe."""
        self._stopping.set()
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        """Live, crash, live again; returns once stopped or ended by itself."""
        quick = 0
        try:
            await self._claim()
            while not self._stopping.is_set():
                begun = anyio.current_time()
                error = await self._live()
                if error is None or self._stopping.is_set():
                    break
                quick = 0 if anyio.current_time() - begun > _STEADY else quick
                self.restarts += 1
                await self._report(self.name, "crashed", self.restarts, error)
                await self._pause(quick)
                quick += 1
        finally:
            if self._hold is not None:
                self._hold.release()
            with anyio.CancelScope(shield=True), anyio.move_on_after(GOODBYE_LIMIT):
                await self._report(self.name, "stopped", self.restarts, None)
            self.finished.set()

    async def _claim(self) -> None:
        """Wait until nobody else commands the device; then it is ours for all lives of the actor.

        Where nothing can be locked (a read-only folder) the bridge says so and works.
        """
        told: Holder | None = None
        while self._hold is not None and not self._stopping.is_set():
            holder = self._hold.take()
            if holder is None:
                break
            if holder != told:
                told = holder
                sentence = f"{self.name} is held by {holder} and starts when that has ended"
                self._log.warning(sentence)
                await self._report(self.name, "starting", self.restarts, sentence)
            with anyio.move_on_after(_HELD_PAUSE):
                await self._stopping.wait()
        if self._hold is not None and self._hold.why_not:
            sentence = f"nobody can be kept from commanding {self.name} too: {self._hold.why_not}"
            self._log.warning(sentence)

    async def _pause(self, quick: int) -> None:
        if quick == 0:
            return
        delay = min(_RESTART_LIMIT, 2.0 ** (quick - 1)) * random.uniform(0.9, 1.1)  # noqa: S311 - jitter
        with anyio.move_on_after(delay):
            await self._stopping.wait()

    async def _live(self) -> str | None:
        """One life; the sentence that ended it, or None for an orderly end."""
        try:
            actor = self._actor_class(self._build(self.restarts))
            self.actor = actor
            return await self._live_as(actor)
        except Exception as error:  # noqa: BLE001 - any end of an actor is answered by a restart
            self._log_crash(error)
            return plain_cause(error)
        finally:
            self.actor = None
            self._work = None

    async def _live_as(self, actor: Actor) -> str | None:
        why: str | None = None
        self._hung = False
        published = Published(actor)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.bus.run)
            actor.ticks_after = actor.bus.connection.tried
            await self._prepare(actor)
            try:
                with anyio.CancelScope() as self._work:
                    if not self._stopping.is_set():
                        tasks.start_soon(self._watch, actor, published)
                        await actor.live()
            except Exception as error:  # noqa: BLE001 - as above
                self._log_crash(error)
                why = plain_cause(error)
            finally:
                await self._make_safe(actor)
                published.keep()
            tasks.cancel_scope.cancel()
        if self._hung and why is None:
            why = "it did not come back from its work in time"
            self._log.error(f"restarted: {why}")
        return why

    async def _prepare(self, actor: Actor) -> None:
        async def on_status(message: Message) -> None:
            # Another program, or the late will of a former connection, may say that we are gone
            # while we are not. (A retained one is older than the `online` of this connection.)
            if message.value == "online" or message.retained:
                return
            # At once, but once a second at most: `_watch` answers the rest.
            self._denied = message.at - self._answered < 1
            if not self._denied:
                self._answered = message.at
                await self._say_online(actor)

        async def on_message(message: Message) -> None:
            # What an earlier life said and nobody stands by any more; if it holds, it is said anew.
            level = message.params["Level"]
            if message.retained and message.payload and not actor.stands(level):
                await actor.publish(_MESSAGE, None, actor=actor.id, Level=level)

        self._denied, self._answered = False, -math.inf
        await actor.subscribe(_MESSAGE, on_message, actor=actor.id)
        await actor.subscribe("Actors/{actor}/Status", on_status, actor=actor.id)
        await actor.publish_health()

    async def _say_online(self, actor: Actor) -> None:
        await actor.publish("Actors/{actor}/Status", "online", actor=actor.id)

    async def _watch(self, actor: Actor, published: Published) -> None:
        while True:
            await anyio.sleep(1)
            published.keep()
            if self._denied and not self._stopping.is_set():
                self._denied = False
                await self._say_online(actor)
            due = actor.beat_due
            if due is not None and actor.clock.now() > due and self._work is not None:
                self._hung = True
                self._work.cancel()
                return

    async def _make_safe(self, actor: Actor) -> None:
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(SAFE_LIMIT) as limit:
                try:
                    await actor.make_safe()
                except Exception as error:  # noqa: BLE001 - as above
                    self._log.error(f"could not reach its safe state: {plain_cause(error)}")
            if limit.cancelled_caught:
                self._log.error(f"did not reach its safe state within {SAFE_LIMIT:g} s")
            # From here on `offline` is what we mean, so nobody may answer it with `online`.
            actor.bus.mute()
            self._denied = False
            await actor.bus.connection.goodbye(GOODBYE_LIMIT)

    def _log_crash(self, error: BaseException) -> None:
        if isinstance(error, HeliographError):
            self._log.error(f"crashed: {error}")
        else:
            self._log.exception(f"crashed: {plain_cause(error)}", exc_info=error)


def plain_cause(error: BaseException) -> str:
    """The first real cause inside groups, as one line of at most some 500 characters."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = one_line(str(error))
    if isinstance(error, HeliographError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
