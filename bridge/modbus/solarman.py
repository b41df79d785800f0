"""Solarman V5 over TCP: the Modbus registers of an inverter behind a Solarman (LSW, LSE) stick.

The stream is ours: bytes are cut into frames however they arrive, what the logger says by itself is
answered at once, and answers to other questions are dropped. Frames are built and checked by
pysolarmanv5 (`solarman_codec`). Facts: docs/decisions/0008-solarman-frames.md.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceGarbled, DeviceTimeout
from bridge.modbus.solarman_frames import (
    RESPONSE,
    UNSOLICITED,
    Framer,
    speaks_modbus_tcp,
)
from bridge.modbus.stream import join_host, split_host, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.modbus.solarman_codec import Codec, Question
    from bridge.modbus.solarman_frames import Frame

PORT: Final = 8899
_MODBUS_TCP: Final = "speaks Modbus TCP: set 'transport: modbus' and 'port: {port}'"


class SolarmanWire:
    """A `Wire` to one stick; `serial` is the number printed on the stick, not the inverter's.

    `while_waiting` is what was heard in place of an answer, as one sentence: who limits the time
    tells it, because a wrong serial number looks like silence otherwise.
    """

    def __init__(
        self, host: str, port: int = PORT, *, serial: int, seconds: Callable[[], float] = time.time
    ) -> None:
        self.host, self.port = split_host(host, port)
        self.serial = serial
        self.name = f"the stick at {join_host(self.host, self.port)}"
        self._seconds = seconds
        self._codec: Codec | None = None
        self._stream: _Stream | None = None
        # A stick that knew its number before is silent for another reason.
        self.answered = False

    @property
    def connected(self) -> bool:
        """True while the stick has not closed the connection."""
        return self._stream is not None and self._stream.open

    @property
    def while_waiting(self) -> str | None:
        """Why there is no answer, as far as that could be heard; None when it is not known."""
        stream = self._stream
        if stream is None or stream.heard is not None:
            return stream.heard if stream is not None else None
        if stream.open and not self.answered:
            return (
                f"{self.name} takes the connection, but did not answer at all: check 'serial', "
                "the number on the stick, and that the inverter is on"
            )
        return None

    async def connect(self) -> None:
        """Open the connection. Raises DeviceTimeout."""
        if self._codec is None:
            from bridge.modbus.solarman_codec import Codec

            self._codec = Codec(self.serial, self.name)
        await self.close()
        loop = asyncio.get_running_loop()
        stream = _Stream(self)
        try:
            await loop.create_connection(lambda: stream, self.host, self.port)
        except OSError as error:
            raise DeviceTimeout(f"{self.name} cannot be reached: {unreachable(error)}") from None
        self._stream = stream

    async def close(self) -> None:
        """Close it; harmless when it is closed."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    async def read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        """Give exactly `count` words. Raises DeviceError."""
        codec = self._opened()
        question = codec.read(unit, function, address, count)
        return codec.words(question, await self._ask(question), count)

    async def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> None:
        """Write the words and check the confirmation. Raises DeviceError."""
        codec = self._opened()
        question = codec.write(unit, function, address, words)
        codec.confirmed(question, await self._ask(question), address, words)

    def _opened(self) -> Codec:
        if self._codec is None or not self.connected:
            raise DeviceTimeout(f"{self.name} closed the connection")
        return self._codec

    async def _ask(self, question: Question) -> Frame:
        stream = self._stream
        if stream is None:
            raise DeviceTimeout(f"{self.name} closed the connection")
        return await stream.ask(question)

    def acknowledged(self, frame: Frame) -> bytes:
        """The bytes that answer what a logger said by itself."""
        return frame.acknowledged(int(self._seconds())).encode()


class _Stream(asyncio.Protocol):
    """One TCP connection: the frames of the logger, and the one question that waits for its own.

    It needs no task: the event loop hands in bytes, so heartbeats are answered and a connection
    that closes is noticed also while nobody asks.
    """

    def __init__(self, wire: SolarmanWire) -> None:
        self._wire = wire
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._question: Question | None = None
        self._answer: asyncio.Future[Frame] | None = None
        self.heard: str | None = None

    @property
    def open(self) -> bool:
        """True while neither side has closed."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, question: Question) -> Frame:
        """Send a question and wait for its answer, however long. Raises DeviceError."""
        if self._transport is None or not self.open:
            raise DeviceTimeout(f"{self._wire.name} closed the connection")
        self.heard = None
        self._framer.rubbish = b""
        self._question = question
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(question.raw)
            return await self._answer
        finally:
            self._question = self._answer = None

    def close(self) -> None:
        """Drop the connection at once, with whatever was not sent."""
        if self._transport is not None:
            self._transport.abort()

    # ---------------------------------------------------------------- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to send."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come."""
        for frame in self._framer.feed(data):
            self._take(frame)
        if self._framer.skipped:
            self._judge_rubbish()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell who waits; no answer can come any more."""
        why = self.heard or f"{self._wire.name} closed the connection without an answer"
        self._fail(DeviceTimeout(why))
        self._transport = None

    # ---------------------------------------------------------------- what was heard

    def _take(self, frame: Frame) -> None:
        name = self._wire.name
        if frame.control in UNSOLICITED:
            if self._transport is not None and self.open:
                self._transport.write(self._wire.acknowledged(frame))
        elif frame.control == RESPONSE and self._question is not None:
            if frame.serial != self._wire.serial:
                said = f"{name} has the serial number {frame.serial}, not {self._wire.serial}"
                self.heard = f"{said}: correct 'serial'"
            elif frame.sequence != self._question.sequence:
                self.heard = f"{name} answered another question than the one that waits"
            elif self._answer is not None and not self._answer.done():
                self._wire.answered = True
                self._answer.set_result(frame)

    def _judge_rubbish(self) -> None:
        """Bytes that are no frame: perhaps another protocol, else damage that the next may heal."""
        if self._question is None or not self._framer.rubbish:
            return
        name = self._wire.name
        if speaks_modbus_tcp(self._framer.rubbish + self._framer.pending):
            sentence = _MODBUS_TCP.format(port=self._wire.port)
            self._fail(DeviceGarbled(f"{name} {sentence}"))
            return
        self.heard = f"{name} sends something that is not the Solarman protocol"

    def _fail(self, error: DeviceTimeout | DeviceGarbled) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
