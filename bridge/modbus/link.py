"""Link: one connection, one lock, pacing and timeouts around a Wire; `Links` shares them.

A device is asked by one request at a time, whoever asks: most of them take one client and one
question. There is no task in the background: the connection is made when a request needs it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
from anyio.lowlevel import RunVar

from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout
from bridge.modbus.stream import join_host, split_host
from bridge.modbus.wire import WRITE_MULTIPLE, Refusal
from bridge.registers.model import Pacing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from bridge.modbus.wire import Wire

_T = TypeVar("_T")
_PATIENCE: Final = 30.0
_BACK_OFF: Final = 1.0
_CLOSING: Final = 2.0
# Found closed so often in a row, a connection is taken to last for one request only.
_HABIT: Final = 2


@dataclass(slots=True)
class Stats:
    """What a link has done since it was made.

    requests: sent to the device; words: read and written; connections: made; refusals: Modbus
    exceptions; failures: requests that were lost, garbled or cancelled; unreachable: connections
    that failed.
    """

    requests: int = 0
    words: int = 0
    connections: int = 0
    refusals: int = 0
    failures: int = 0
    unreachable: int = 0

    @property
    def reconnects(self) -> int:
        """Connections after the first one."""
        return max(0, self.connections - 1)


class Link:
    """The way to one endpoint. Every failure is a DeviceError whose sentence names it.

    After every failure but a Refusal, and when the caller is cancelled while waiting for an
    answer, the connection is closed: a late answer cannot be taken for the next one.
    """

    def __init__(
        self,
        wire: Wire,
        name: str,
        *,
        pacing: Pacing | None = None,
        clock: Clock | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        self.wire, self.name = wire, name
        self.pacing = pacing or Pacing()
        self.stats = Stats()
        self._clock = clock or Clock()
        self._patience = patience
        self._lock = anyio.Lock()
        self._ready_at = 0.0
        self._opened = self._used = self._ended = False
        self._closed_by_peer = 0
        self._unreachable: tuple[float, str] | None = None

    @property
    def unreachable(self) -> bool:
        """True while the last attempt to connect has failed."""
        return self._unreachable is not None

    async def read(
        self, unit: int, function: int, address: int, count: int, *, timeout: float
    ) -> tuple[int, ...]:
        """Give `count` words. `timeout` (s) starts when the question is sent.

        Connecting may take as long once more. Raises DeviceTimeout, DeviceGarbled, Refusal.
        """

        async def ask() -> tuple[int, ...]:
            words = tuple(await self.wire.read(unit, function, address, count))
            if len(words) != count:
                sentence = f"{self.name} answered {len(words)} words where {count} were asked for"
                raise DeviceGarbled(sentence)
            return words

        words = await self._in_turn(ask, timeout, repeatable=True)
        self.stats.words += count
        return words

    async def write(
        self,
        unit: int,
        address: int,
        words: Sequence[int],
        *,
        function: int = WRITE_MULTIPLE,
        timeout: float,
    ) -> None:
        """Write the words and wait for the confirmation; never sent twice by itself.

        Raises DeviceTimeout (it may have been written all the same), DeviceGarbled, Refusal.
        """

        async def tell() -> None:
            await self.wire.write(unit, function, address, words)

        await self._in_turn(tell, timeout, repeatable=False)
        self.stats.words += len(words)

    async def close(self) -> None:
        """Close the connection for good; later requests are refused."""
        self._ended = True
        await self._drop()

    # ---------------------------------------------------------------- turns

    async def _in_turn(
        self, ask: Callable[[], Awaitable[_T]], timeout: float, *, repeatable: bool
    ) -> _T:
        seen = self.stats.unreachable
        taken = False
        with anyio.move_on_after(self._patience):
            await self._lock.acquire()  # first come, first served
            taken = True
        if not taken:
            sentence = f"{self.name} was busy with other requests for {self._patience:g} s"
            raise DeviceTimeout(sentence)
        try:
            return await self._served(ask, timeout, seen, repeatable=repeatable)
        finally:
            self._lock.release()

    async def _served(
        self,
        ask: Callable[[], Awaitable[_T]],
        timeout: float,
        seen: int,
        *,
        repeatable: bool,
    ) -> _T:
        await self._until(self._ready_at)
        if not repeatable and self._closed_by_peer >= _HABIT and self._used:
            # This device closes after each request and may be about to: nothing may be written
            # into a connection that is closing.
            await self._drop()
        await self._connected(timeout, seen)
        used = self._used
        try:
            return await self._asked(ask, timeout)
        except _Lost:
            if not (repeatable and used):
                raise
        # The device closed a connection that had been idle, while the question was on its way.
        await self._connected(timeout, seen)
        return await self._asked(ask, timeout)

    async def _asked(self, ask: Callable[[], Awaitable[_T]], timeout: float) -> _T:
        self.stats.requests += 1
        answered, heard = False, None
        try:
            with anyio.move_on_after(timeout) as limit:
                answer = await ask()
                answered = True
                return answer
        except Refusal:
            answered = True
            self.stats.refusals += 1
            raise
        except DeviceTimeout as error:
            if self.wire.connected:
                raise
            self._closed_by_peer += self._used
            raise _Lost(str(error)) from error
        finally:
            self._ready_at = self._clock.now() + self.pacing.between
            if answered:
                if self._used:
                    self._closed_by_peer = 0
                self._used = True
            else:
                heard = getattr(self.wire, "while_waiting", None)
                self.stats.failures += 1
                await self._drop()
        assert limit.cancelled_caught  # noqa: S101 - the only way to get here
        raise DeviceTimeout(heard or f"{self.name} did not answer within {timeout:g} s")

    # ---------------------------------------------------------------- the connection

    async def _connected(self, timeout: float, seen: int) -> None:
        if self._ended:
            raise DeviceError(f"the link to {self.name} is closed")
        if self._opened:
            if self.wire.connected:
                return
            self._closed_by_peer += 1
            await self._drop()
        if self._unreachable is not None:
            failed, why = self._unreachable
            if seen != self.stats.unreachable:
                # It waited while another request found nobody there: that is its answer, too.
                raise DeviceTimeout(why)
            await self._until(failed + _BACK_OFF)
        await self._connect(timeout)
        await self._clock.sleep(self.pacing.after_connect)

    async def _connect(self, timeout: float) -> None:
        try:
            with anyio.move_on_after(timeout) as limit:
                await self.wire.connect()
                self._opened, self._used, self._unreachable = True, False, None
                self.stats.connections += 1
            if limit.cancelled_caught:
                sentence = f"{self.name} cannot be reached: no connection within {timeout:g} s"
                raise DeviceTimeout(sentence)
        except DeviceError as error:
            self.stats.unreachable += 1
            self._unreachable = (self._clock.now(), str(error))
            raise
        finally:
            if not self._opened:
                await self._drop()

    async def _drop(self) -> None:
        """Close the wire, also while being cancelled."""
        self._opened = self._used = False
        with (
            anyio.move_on_after(_CLOSING, shield=True),
            contextlib.suppress(DeviceError, OSError),
        ):
            await self.wire.close()

    async def _until(self, moment: float) -> None:
        if (wait := moment - self._clock.now()) > 0:
            await self._clock.sleep(wait)


def longest_request(timeout: float) -> float:
    """Seconds after which a request has come back in any case: its turn, and asking twice."""
    # Each time it may have to connect, with the pauses around that; and half as much again.
    return _PATIENCE + 6 * (timeout + _BACK_OFF)


class _Lost(DeviceTimeout):
    """The connection was closed before an answer came."""


# -------------------------------------------------------------------------------- sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """Where a device is and how it is spoken to.

    transport: `modbus`, `rtu_over_tcp`, `serial`, `solarman` …; logger: the number of a Solarman
    stick; extra: what else must be the same for all who share the link (parity, stop bits …).
    """

    transport: str
    host: str = ""
    port: int = 0
    tty: str = ""
    baudrate: int = 9600
    logger: int | None = None
    extra: tuple[tuple[str, str | float], ...] = ()

    @property
    def endpoint(self) -> tuple[str, int]:
        """Equal for all names of one place."""
        return (os.path.realpath(self.tty), -1) if self.tty else split_host(self.host, self.port)

    @property
    def name(self) -> str:
        """How sentences name it: `192.168.1.20:502` or `/dev/ttyUSB0`."""
        return self.tty or join_host(*split_host(self.host, self.port))

    @property
    def manner(self) -> tuple[object, ...]:
        """All that users of one endpoint must agree on."""
        speed = self.baudrate if self.tty else None
        return (self.transport, speed, self.logger, tuple(sorted(self.extra)))


@dataclass(slots=True)
class _Shared:
    spec: LinkSpec
    link: Link
    users: list[Pacing] = field(default_factory=list)

    def pace(self) -> None:
        pacing = Pacing()
        for each in self.users:
            pacing = pacing.strictest(each)
        self.link.pacing = pacing


class Links:
    """The links of one event loop: who names the same endpoint gets the same link."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, int], _Shared] = {}

    @contextlib.asynccontextmanager
    async def use(
        self,
        spec: LinkSpec,
        factory: Callable[[], Wire],
        pacing: Pacing | None = None,
        *,
        clock: Clock | None = None,
    ) -> AsyncIterator[Link]:
        """Hold a link; `factory` makes the wire when nobody holds one to this endpoint yet."""
        pacing = pacing or Pacing()
        link = self.acquire(spec, factory, pacing, clock=clock)
        try:
            yield link
        finally:
            await self.release(link, pacing)

    def acquire(
        self,
        spec: LinkSpec,
        factory: Callable[[], Wire],
        pacing: Pacing | None = None,
        *,
        clock: Clock | None = None,
    ) -> Link:
        """As `use`; every `acquire` needs its `release` with the same pacing.

        Raises DeviceError when others speak to this endpoint in another way.
        """
        shared = self._shared.get(spec.endpoint)
        if shared is None:
            link = Link(factory(), spec.name, clock=clock)
            shared = self._shared[spec.endpoint] = _Shared(spec, link)
        elif shared.spec.manner != spec.manner:
            raise DeviceError(_disagree(shared.spec, spec))
        shared.users.append(pacing or Pacing())
        shared.pace()
        return shared.link

    async def release(self, link: Link, pacing: Pacing | None = None) -> None:
        """One user less; the last one closes the connection."""
        for endpoint, shared in tuple(self._shared.items()):
            if shared.link is not link:
                continue
            own = pacing or Pacing()
            shared.users.remove(own if own in shared.users else shared.users[-1])
            if shared.users:
                shared.pace()
            else:
                del self._shared[endpoint]
                await link.close()

    def __len__(self) -> int:
        return len(self._shared)


def _disagree(there: LinkSpec, asked: LinkSpec) -> str:
    if there.transport != asked.transport:
        ways = f"'transport: {there.transport}' and 'transport: {asked.transport}'"
    elif there.logger != asked.logger:
        ways = f"logger {there.logger} and logger {asked.logger}"
    elif there.tty and there.baudrate != asked.baudrate:
        ways = f"{there.baudrate} and {asked.baudrate} baud"
    else:
        ways = "different settings of the line"
    return f"{asked.name} is used with {ways} by two actors: only one of them can be right"


_links: RunVar[Links] = RunVar("bridge.modbus.links")


def links() -> Links:
    """The links of the event loop that runs."""
    try:
        return _links.get()
    except LookupError:
        _links.set(found := Links())
        return found
