"""A TCP proxy that breaks links on purpose.

    async with FaultProxy("127.0.0.1", broker.port) as proxy:
        ... connect to 127.0.0.1, proxy.port ...
        proxy.up.stall = True        # client -> server: bytes wait until it is False again
        proxy.down.delay = 0.2       # server -> client: every byte arrives 0.2 s later
        proxy.reset()                # both sides get a TCP reset

Every fault may be set before or while a connection lives and acts on all connections.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import anyio
from anyio.abc import SocketAttribute

if TYPE_CHECKING:
    from anyio.abc import SocketStream, TaskGroup
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

_CHUNK = 65536
_QUEUE = 1024
_ENDED = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Direction:
    """The faults of one direction and what passed through it.

    delay        s by which every byte is late (order is kept)
    stall        bytes wait, the sender is held back; nothing is lost
    drop         bytes are swallowed while the connection stays open
    cut_after    both sides are closed once this many further bytes have passed
    reset_after  the same with a TCP reset
    flip_every   one bit is inverted in each n-th byte
    """

    delay: float = 0.0
    drop: bool = False
    cut_after: int | None = None
    reset_after: int | None = None
    flip_every: int | None = None
    received: int = 0
    """Bytes taken from the sender."""
    delivered: int = 0
    """Bytes handed to the receiver."""
    flipped: int = 0
    """Bits inverted."""
    _stalled: bool = field(default=False, repr=False)
    _changed: anyio.Event = field(default_factory=anyio.Event, repr=False)

    @property
    def stall(self) -> bool:
        """True while bytes wait."""
        return self._stalled

    @stall.setter
    def stall(self, value: bool) -> None:
        self._stalled = value
        self._changed.set()
        self._changed = anyio.Event()

    async def flowing(self) -> None:
        """Wait until it is not stalled."""
        while self._stalled:
            await self._changed.wait()

    def spoil(self, chunk: bytes) -> bytes:
        """The chunk as it leaves: bits flipped by position in the whole stream."""
        if not self.flip_every:
            return chunk
        spoilt = bytearray(chunk)
        first = -self.delivered % self.flip_every
        for index in range(first, len(spoilt), self.flip_every):
            spoilt[index] ^= 1 << (index % 8)
            self.flipped += 1
        return bytes(spoilt)

    def allowance(self) -> tuple[int | None, bool]:
        """How many bytes may still pass (None: any number), and whether a reset follows."""
        if self.reset_after is not None:
            return self.reset_after, True
        return self.cut_after, False

    def spend(self, count: int) -> None:
        """Count bytes against `cut_after` and `reset_after`."""
        self.delivered += count
        if self.cut_after is not None:
            self.cut_after -= count
        if self.reset_after is not None:
            self.reset_after -= count


class _Link:
    """One client connection and its connection to the server."""

    def __init__(self, client: SocketStream, server: SocketStream) -> None:
        self.sides = (client, server)
        self.scope = anyio.CancelScope()

    def end(self, *, reset: bool) -> None:
        if reset:
            for side in self.sides:
                raw = side.extra(SocketAttribute.raw_socket)
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.scope.cancel()


class FaultProxy:
    """Listens on `port` of 127.0.0.1 and connects each client to `host:upstream`."""

    def __init__(self, host: str, upstream: int) -> None:
        self._target = (host, upstream)
        self._links: set[_Link] = set()
        self._tasks: TaskGroup | None = None
        self._stack = contextlib.AsyncExitStack()
        self.up = Direction()
        self.down = Direction()
        self.port = 0
        self.connections = 0
        self.refuse = False
        """True: new clients are reset at once."""

    @property
    def open(self) -> int:
        """Connections alive now."""
        return len(self._links)

    def retarget(self, upstream: int) -> None:
        """Send new connections to another port of the same host."""
        self._target = (self._target[0], upstream)

    def reset(self) -> None:
        """End every connection with a TCP reset to both sides."""
        for link in tuple(self._links):
            link.end(reset=True)

    def cut(self) -> None:
        """End every connection in the ordinary way."""
        for link in tuple(self._links):
            link.end(reset=False)

    async def __aenter__(self) -> Self:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self.port = int(listener.extra(SocketAttribute.local_port))
        await self._stack.enter_async_context(listener)
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._tasks.start_soon(listener.serve, self._serve)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._tasks is not None
        self._tasks.cancel_scope.cancel()
        await self._stack.aclose()

    async def _serve(self, client: SocketStream) -> None:
        self.connections += 1
        async with client:
            if self.refuse:
                raw = client.extra(SocketAttribute.raw_socket)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                return
            try:
                server = await anyio.connect_tcp(*self._target)
            except OSError:
                return
            async with server:
                link = _Link(client, server)
                self._links.add(link)
                try:
                    await self._run(link, client, server)
                finally:
                    self._links.discard(link)

    async def _run(self, link: _Link, client: SocketStream, server: SocketStream) -> None:
        with link.scope:
            async with anyio.create_task_group() as tasks:
                for direction, source, sink in (
                    (self.up, client, server),
                    (self.down, server, client),
                ):
                    send, receive = anyio.create_memory_object_stream[tuple[float, bytes]](_QUEUE)
                    tasks.start_soon(self._take, direction, source, send)
                    tasks.start_soon(self._give, direction, sink, receive, link)

    async def _take(
        self,
        direction: Direction,
        source: SocketStream,
        queue: MemoryObjectSendStream[tuple[float, bytes]],
    ) -> None:
        with queue:
            while True:
                await direction.flowing()
                try:
                    chunk = await source.receive(_CHUNK)
                except _ENDED:
                    return
                direction.received += len(chunk)
                await queue.send((anyio.current_time() + direction.delay, chunk))

    async def _give(
        self,
        direction: Direction,
        sink: SocketStream,
        queue: MemoryObjectReceiveStream[tuple[float, bytes]],
        link: _Link,
    ) -> None:
        with queue:
            async for due, chunk in queue:
                await anyio.sleep_until(due)
                await direction.flowing()
                if direction.drop:
                    continue
                left, reset = direction.allowance()
                part = direction.spoil(chunk if left is None else chunk[: max(left, 0)])
                direction.spend(len(part))
                try:
                    await sink.send(part)
                except _ENDED:
                    break
                if left is not None and left <= len(chunk):
                    link.end(reset=reset)
                    return
        # The source ended: what it sent has been delivered, now the other side hears of it.
        link.end(reset=False)
