"""Devices for these tests: frames built by hand, servers that misbehave, a serial line of ptys."""

from __future__ import annotations

import contextlib
import os
import struct
import tty
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import anyio
from anyio.abc import SocketAttribute

from bridge.clock import Clock
from bridge.errors import DeviceTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from anyio.abc import SocketStream, TaskGroup

    Script = Callable[["Peer"], Awaitable[None]]

GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


# -------------------------------------------------------------------------------- frames


def crc(data: bytes) -> bytes:
    """The checksum of RTU frames, bit by bit as the standard describes it."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def rtu(unit: int, pdu: bytes) -> bytes:
    body = bytes([unit]) + pdu
    return body + crc(body)


def mbap(number: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu


def reading(words: Sequence[int], function: int = 3) -> bytes:
    """The body of an answer to a read."""
    return bytes([function, 2 * len(words)]) + struct.pack(f">{len(words)}H", *words)


def word_at(address: int) -> int:
    """What every register of these devices holds: a function of its address."""
    return (address * 7 + 13) & 0xFFFF


def words_at(address: int, count: int) -> list[int]:
    return [word_at(each) for each in range(address, address + count)]


@dataclass(frozen=True)
class Question:
    number: int
    unit: int
    pdu: bytes

    @property
    def function(self) -> int:
        return self.pdu[0]

    @property
    def address(self) -> int:
        return int.from_bytes(self.pdu[1:3], "big")

    @property
    def count(self) -> int:
        return int.from_bytes(self.pdu[3:5], "big")

    def answer(self) -> bytes:
        """The body of the right answer."""
        if self.function in (3, 4):
            return reading(words_at(self.address, self.count), self.function)
        return self.pdu[:5]


# -------------------------------------------------------------------------------- raw TCP servers


@dataclass
class Peer:
    """One client of a RawServer."""

    stream: SocketStream
    index: int
    framing: str
    asked: list[Question]

    async def question(self) -> Question:
        """The next request."""
        if self.framing == "mbap":
            head = await self._exactly(7)
            number, _, length, unit = struct.unpack(">HHHB", head)
            found = Question(number, unit, await self._exactly(length - 1))
        else:
            head = await self._exactly(7)
            rest = b"" if head[1] in (3, 4, 6) else await self._exactly(head[6])
            frame = head + rest + await self._exactly(1 if head[1] in (3, 4, 6) else 2)
            assert crc(frame[:-2]) == frame[-2:]
            found = Question(0, frame[0], frame[1:-2])
        self.asked.append(found)
        return found

    async def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += await self.stream.receive(count - len(data))
        return data

    async def send(self, data: bytes) -> None:
        await self.stream.send(data)

    async def answer(self, question: Question, pdu: bytes | None = None) -> None:
        await self.send(self.frame(question, pdu))

    def frame(self, question: Question, pdu: bytes | None = None) -> bytes:
        pdu = question.answer() if pdu is None else pdu
        if self.framing == "mbap":
            return mbap(question.number, question.unit, pdu)
        return rtu(question.unit, pdu)


async def answers(peer: Peer) -> None:
    """Every question its answer."""
    while True:
        await peer.answer(await peer.question())


class RawServer:
    """A TCP server whose every connection plays `script`; what it was asked is kept."""

    def __init__(self, script: Script = answers, framing: str = "mbap") -> None:
        self.script, self.framing = script, framing
        self.connections = self.open = self.most_open = 0
        self.asked: list[Question] = []
        self.port = 0
        self._stack = contextlib.AsyncExitStack()
        self._tasks: TaskGroup | None = None

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

    async def _serve(self, stream: SocketStream) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        peer = Peer(stream, self.connections, self.framing, self.asked)
        try:
            async with stream:
                with contextlib.suppress(*GONE):
                    await self.script(peer)
        finally:
            self.open -= 1


# ------------------------------------------------------------------------------ pymodbus as server


@contextlib.asynccontextmanager
async def pymodbus_server(
    *, framer: str = "socket", first: int = 0, count: int = 2000, action: Any = None
) -> AsyncIterator[tuple[Any, int]]:
    """The server and its port; unit 1 holds `word_at` from `first`, nothing lies beside it."""
    from pymodbus import FramerType
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    data = SimData(first, values=words_at(first, count), datatype=DataType.REGISTERS)
    device = SimDevice(1, simdata=[data], action=action)
    server = ModbusTcpServer([device], framer=FramerType(framer), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        yield server, server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    finally:
        await server.shutdown()


# -------------------------------------------------------------------------------- serial lines


class Line:
    """Two serial ports, `ours` and `theirs`, joined by a cable that can be spoilt.

    With `respond` nobody is needed at the other end: it is given each chunk that we sent.
    """

    def __init__(self, respond: Callable[[bytes, Line], Awaitable[None]] | None = None) -> None:
        self._near, self._near_tty = os.openpty()
        self._far, self._far_tty = os.openpty()
        for each in (self._near, self._near_tty, self._far, self._far_tty):
            tty.setraw(each)
        for master in (self._near, self._far):
            os.set_blocking(master, False)
        self.ours, self.theirs = os.ttyname(self._near_tty), os.ttyname(self._far_tty)
        self.respond = respond
        self.drop_answers = 0
        self.heard: list[bytes] = []
        self.cut = False

    def say(self, data: bytes) -> None:
        """Send to our port."""
        os.write(self._near, data)

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._there)
            if self.respond is None:
                tasks.start_soon(self._back)

    async def _there(self) -> None:
        while not self.cut:
            data = await self._read(self._near)
            self.heard.append(data)
            if self.respond is None:
                os.write(self._far, data)
            else:
                await self.respond(data, self)

    async def _back(self) -> None:
        while True:
            data = await self._read(self._far)
            if self.drop_answers:
                self.drop_answers -= 1
                continue
            os.write(self._near, data)

    @staticmethod
    async def _read(master: int) -> bytes:
        await anyio.wait_readable(master)
        await anyio.sleep(0.005)  # a frame comes in one piece
        return os.read(master, 4096)

    def unplug(self) -> None:
        """Our adapter is gone."""
        if not self.cut:
            os.close(self._near)
            os.close(self._near_tty)
            self.cut = True

    def close(self) -> None:
        self.unplug()
        os.close(self._far)
        os.close(self._far_tty)


@contextlib.asynccontextmanager
async def line(
    respond: Callable[[bytes, Line], Awaitable[None]] | None = None,
) -> AsyncIterator[Line]:
    found = Line(respond)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.run)
            yield found
            tasks.cancel_scope.cancel()
    finally:
        found.close()


# ------------------------------------------------------------------------------ for the link alone


class StillClock(Clock):
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        if seconds > 0:
            self.slept.append(round(seconds, 6))
            self.time += seconds


@dataclass
class FakeWire:
    """A wire that does what its list says: an exception is raised, `hang` never ends."""

    plan: list[Any] = field(default_factory=list)
    unreachable: bool | str = False
    log: list[str] = field(default_factory=list)
    up: bool = False

    @property
    def connected(self) -> bool:
        return self.up

    async def connect(self) -> None:
        self.log.append("connect")
        await anyio.lowlevel.checkpoint()
        if self.unreachable == "hang":
            await anyio.sleep_forever()
        if self.unreachable:
            raise DeviceTimeout("fake:502 cannot be reached: nothing listens")
        self.up = True

    async def close(self) -> None:
        if self.up:
            self.log.append("close")
        self.up = False

    async def read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        self.log.append(f"read {address}")
        return await self._next(words_at(address, count))

    async def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> None:
        self.log.append(f"write {address}")
        await self._next([])

    async def _next(self, right: list[int]) -> Sequence[int]:
        await anyio.lowlevel.checkpoint()
        step = self.plan.pop(0) if self.plan else None
        if step == "hang":
            await anyio.sleep_forever()
        if step == "closed":
            self.up = False
            raise DeviceTimeout("fake:502 closed the connection")
        if step == "closes":
            self.up = False
            return right
        if isinstance(step, Exception):
            raise step
        return right if step is None else step
