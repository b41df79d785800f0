"""Sink: the base of every actor that hands the bridge's values to a database.

What comes is read at once, kept on disk by one task and delivered by another, so that neither a
slow disk nor a slow server holds anything else up. Delivered is at least once: after a crash, or
an answer that got lost, some lines are sent again.
"""

from __future__ import annotations

import contextlib
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import anyio
import anyio.to_thread

from bridge.actor import Actor
from bridge.errors import DeviceError, PayloadError, one_line
from bridge.log import Outage
from bridge.sinks.delivery import Backoff, RefusedAll, Undelivered, sift
from bridge.sinks.filters import cover
from bridge.sinks.report import Report
from bridge.sinks.sample import Samples
from bridge.sinks.settings import SinkSettings
from bridge.sinks.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from bridge.actor import Context
    from bridge.mqtt import Incoming
    from bridge.sinks.delivery import Refused
    from bridge.sinks.sample import Sample
    from bridge.sinks.spool import Segment

    Result = TypeVar("Result")

_MOST_PENDING = 20_000
_SYNC_EVERY = 5.0
_LOOK = 1.0
_LAST_TRY = 2.0
_MEGABYTE = 1_000_000
_YEAR_OF_SENSE = 2025


class Sink(Actor):
    """Collects samples and delivers them in batches.

    A subclass turns a sample into a line (`encode`) and sends lines (`deliver`). A value that is
    delivered with the retain flag is left out: nobody knows when it was measured, and the time of
    its arrival would be a lie.
    """

    Settings: ClassVar[type[SinkSettings]] = SinkSettings
    untried = "nothing can be read from a database that only takes values"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: SinkSettings = self.settings
        self.samples = Samples(context.contract, settings.topics)
        self.spool = Spool(
            context.config.state / context.id / "spool" if settings.spool else None,
            self.kind,
            most_bytes=settings.spool * _MEGABYTE,
            segment_lines=settings.batch,
        )
        self.report = Report(self)
        self._outage = Outage(self.log, self.whom)
        self._backoff = Backoff()
        self._pending: deque[bytes] = deque()
        self._pending_news = anyio.Event()
        self._spool_news = anyio.Event()
        self._lock = anyio.Lock()
        self._doubtful: dict[int, Segment] = {}
        self._opened = False

    # ---------------------------------------------------------------- to implement

    @property
    def whom(self) -> str:
        """What sentences call the other side, such as `InfluxDB at influx:8086`."""
        raise NotImplementedError

    def encode(self, sample: Sample) -> bytes | None:
        """One line without a line feed; None where the other side has no form for it."""
        raise NotImplementedError

    async def deliver(self, lines: Sequence[bytes]) -> None:
        """Send lines. Raises Undelivered, or BadLines where something in them is refused."""
        raise NotImplementedError

    def name_of(self, line: bytes) -> str:
        """What a line is about, for the sentence that says it was refused."""
        raise NotImplementedError

    async def disconnect(self) -> None:
        """Close what `deliver` keeps open."""

    # ---------------------------------------------------------------- in

    async def run(self) -> None:
        """Collect and deliver until stopped."""
        prefix = f"{self.config.base}/"
        for each in cover(self.settings.topics):
            await self.bus.listen(prefix + each, self._on_message)
        # What comes while a large spool on a slow card is looked through waits in memory.
        async with self._lock:
            await self._open()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep)
            tasks.start_soon(self._ship)
            async for _ in self.every(_LOOK):
                await self.report.look(self.waiting, self.spool)

    @property
    def waiting(self) -> int:
        """Values that were not delivered yet."""
        return self.spool.waiting + len(self._pending)

    def _on_message(self, message: Incoming) -> None:
        if message.retained:
            return
        series = self.samples.series(message.topic[len(self.config.base) + 1 :])
        if series is None:
            return
        moment = self.clock.utc()
        if moment.year < _YEAR_OF_SENSE:
            self.report.unset_clock += 1
            return
        # Whole microseconds: a float has no room for nanoseconds.
        at = (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000
        try:
            sample = series.sample(message.payload, at)
        except PayloadError:
            self.report.unreadable += 1
            return
        line = None if sample is None else self.encode(sample)
        if line is None:
            return
        if len(self._pending) >= _MOST_PENDING:
            self._pending.popleft()
            self.report.overrun += 1
        self._pending.append(line)
        self._pending_news.set()

    # ---------------------------------------------------------------- to disk

    async def _keep(self) -> None:
        """Put what came into the spool, as soon as the disk has taken what came before."""
        synced = self.clock.now()
        while True:
            with anyio.move_on_after(_SYNC_EVERY):
                await self._pending_news.wait()
            await self._keep_pending()
            if self._backoff.failures and self.clock.now() - synced >= _SYNC_EVERY:
                synced = self.clock.now()
                async with self._lock:
                    await _in_thread(self.spool.sync)

    async def _keep_pending(self) -> None:
        async with self._lock:
            self._pending_news = anyio.Event()
            lines = list(self._pending)
            if lines:
                await _in_thread(partial(self.spool.append, lines, self.clock.now()))
                for _ in lines:
                    self._pending.popleft()
                self._spool_news.set()

    # ---------------------------------------------------------------- out

    async def _ship(self) -> None:
        while True:
            segment, lines = await self._next()
            try:
                refused = await sift(lines, self._deliver)
            except Undelivered as error:
                await self._failed(segment, error)
            else:
                await self._delivered(segment, lines, refused)

    async def _next(self) -> tuple[Segment, list[bytes]]:
        """Wait for a segment that is to be sent; the doubtful ones stand back."""
        while True:
            self._spool_news = anyio.Event()
            async with self._lock:
                self._doubtful = {
                    number: each
                    for number, each in self._doubtful.items()
                    if self.spool.holds(each)
                }
                due = self.spool.due(self.clock.now(), self.settings.interval, self._doubtful)
                if due <= 0:
                    segment = await _in_thread(partial(self.spool.oldest, self._doubtful))
                    lines = None if segment is None else await self._read(segment)
                    if segment is not None and lines is not None:
                        return segment, lines
            if due <= 0:
                await self.clock.sleep(_LOOK)  # the disk refuses just now
                continue
            with anyio.move_on_after(max(0.01, due)):
                await self._spool_news.wait()

    async def _read(self, segment: Segment) -> list[bytes] | None:
        """Its lines; None where the disk refuses for now. The lock is held."""
        try:
            return await _in_thread(partial(self.spool.read, segment))
        except OSError:
            self.spool.put_back()
            return None

    async def _deliver(self, lines: Sequence[bytes]) -> None:
        if lines:
            await self.deliver(lines)

    async def _failed(self, segment: Segment, error: Undelivered) -> None:
        """Keep the segment and wait. One that was refused as a whole lets others try first."""
        if isinstance(error, RefusedAll):
            self._doubtful[segment.number] = segment
        pause = self._backoff.failed(error)
        async with self._lock:
            self.spool.put_back()
            await _in_thread(self.spool.sync)
        # A connection that the other side closed while it was idle is no news.
        if self._backoff.failures > 1 or error.mend:
            self._outage.gone(str(error))
            await self.report.failing(error, self.waiting)
        await self.clock.sleep(pause)

    async def _delivered(
        self, segment: Segment, lines: Sequence[bytes], refused: Sequence[Refused]
    ) -> None:
        self._backoff.succeeded()
        self._outage.back()
        self.report.delivered += len(lines) - len(refused)
        await self.report.refused(refused, self.name_of)
        async with self._lock:
            await _in_thread(partial(self.spool.remove, segment))
        await self.report.succeeding()
        await self._settle_doubtful()

    async def _settle_doubtful(self) -> None:
        """The server takes lines: so what it refused as a whole is as bad as it said."""
        for number, doubtful in list(self._doubtful.items()):
            self._doubtful.pop(number)
            async with self._lock:
                if not self.spool.holds(doubtful):
                    continue
                again = await self._read(doubtful)
            if again is None:
                return
            try:
                bad = await sift(again, self._deliver, sure=True)
            except Undelivered:
                return
            self.report.delivered += len(again) - len(bad)
            await self.report.refused(bad, self.name_of)
            async with self._lock:
                await _in_thread(partial(self.spool.remove, doubtful))

    # ---------------------------------------------------------------- end

    async def health(self, error: str | None) -> None:
        """As of every actor; more that waits does not begin the failure anew."""
        if error is None or self._error is None:
            await super().health(error)
        elif (line := one_line(error)) != self._error:
            self._error = line
            await self.publish_health()

    async def _open(self) -> None:
        if not self._opened:
            self._opened = True
            await _in_thread(self.spool.open)

    async def safe(self) -> None:
        """Deliver what waits if that is quick; the rest lies on disk for the next start."""
        if not self._opened:
            return
        await self._keep_pending()
        if not self._backoff.failures:
            with anyio.move_on_after(_LAST_TRY), contextlib.suppress(DeviceError):
                await self._last_try()
        await self._keep_pending()
        async with self._lock:
            await _in_thread(self.spool.close)
        if not self.settings.spool and self.spool.waiting:
            self.log.warning(f"{self.spool.waiting} values are lost: `spool` is 0")
        await self.disconnect()

    async def _last_try(self) -> None:
        while True:
            async with self._lock:
                segment = await _in_thread(partial(self.spool.oldest, self._doubtful))
                lines = None if segment is None else await self._read(segment)
            if segment is None or lines is None:
                return
            await self._deliver(lines)
            async with self._lock:
                await _in_thread(partial(self.spool.remove, segment))


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Disks can be slow, and nothing else may wait for them."""
    return await anyio.to_thread.run_sync(work)
