"""Serves a Bank over TCP, in Modbus TCP frames (MBAP) or RTU frames, with switchable faults."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Final, Literal

from bridge.modbus.solarman_frames import crc16
from bridge.simulators.living import Living

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.simulators.bank import Bank

Framing = Literal["mbap", "rtu"]

FAULTS: Final = {
    "silence": "takes the question and never answers",
    "half_open": "takes connections but reads nothing",
    "close": "closes the connection instead of answering",
    "garbage": "answers with bytes that are no frame",
    "truncated": "sends half of the answer, then nothing",
    "late": "answers after every client has given up",
    "foreign": "answers to a question that nobody asked",
    "short": "answers with fewer words than were asked for",
    "busy": "says that it is busy, for ever",
    "refused": "says that it failed inside",
}
QUIRKS: Final = {
    "one_request": "closes the connection after each answer",
    "split": "sends each answer byte by byte",
}
_LATE = 30.0
_BUSY, _FAILURE = 6, 4
_MBAP = struct.Struct(">HHHB")
_LEAST, _MOST = 2, 260


class ModbusServer(Living):
    """`async with ModbusServer(bank) as server:` listens on `server.port`.

    `ready()` is called before each request. May be set at any time: clients: connections at once
    (None: any number; a further one is closed at once, or, with `replaces`, takes the place of the
    oldest); delay: s before each answer; first_delay: s after a connection during which questions
    are lost; fault: None or a key of FAULTS; quirks: keys of QUIRKS, which a good client does not
    notice.
    """

    def __init__(
        self,
        bank: Bank,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        framing: Framing = "mbap",
        ready: Callable[[], None] | None = None,
    ) -> None:
        self.bank, self.host, self.port, self.framing = bank, host, port, framing
        self.clients: int | None = None
        self.replaces = False
        self.delay = self.first_delay = 0.0
        self.ready = ready or (lambda: None)
        self.fault: str | None = None
        self.quirks: set[str] = set()
        self.connections: list[asyncio.StreamWriter] = []
        self.accepted = 0
        self._handlers: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; the port stays the same over stop and start."""
        self._server = await asyncio.start_server(
            self._serve, self.host, self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and the port."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        self.drop()
        handlers = list(self._handlers)
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await server.wait_closed()

    def drop(self) -> None:
        """Cut every connection."""
        for writer in self.connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.clients is not None and len(self.connections) >= self.clients:
            if not self.replaces:
                writer.close()
                return
            self.connections[0].transport.abort()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler is a task
        self._handlers.add(task)
        self.connections.append(writer)
        self.accepted += 1
        began = asyncio.get_running_loop().time()
        try:
            while not writer.is_closing():
                unit, pdu, mark = await self._question(reader)
                if asyncio.get_running_loop().time() - began >= self.first_delay:
                    await self._reply(writer, unit, pdu, mark)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError, ValueError):
            pass
        finally:
            self.connections.remove(writer)
            self._handlers.discard(task)
            writer.close()

    async def _question(self, reader: asyncio.StreamReader) -> tuple[int, bytes, int]:
        while self.fault == "half_open":  # noqa: ASYNC110 - a switch that a test turns
            await asyncio.sleep(0.05)
        if self.framing == "mbap":
            mark, protocol, length, unit = _MBAP.unpack(await reader.readexactly(_MBAP.size))
            if protocol or not _LEAST <= length <= _MOST:
                raise ValueError(length)
            return unit, await reader.readexactly(length - 1), mark
        head = await reader.readexactly(2)
        rest = await reader.readexactly(6)
        if head[1] == 16:  # noqa: PLR2004 - write multiple: the length follows
            rest += await reader.readexactly(rest[4] + 1)
        frame = head + rest
        if crc16(frame[:-2]) != frame[-2:]:
            raise ValueError(frame)
        return head[0], frame[1:-2], 0

    async def _reply(self, writer: asyncio.StreamWriter, unit: int, pdu: bytes, mark: int) -> None:
        self.ready()
        await asyncio.sleep(self.delay)
        if self.fault in {"silence", "half_open"}:
            return
        if self.fault == "close":
            writer.transport.abort()
            return
        answer = self._spoilt(pdu, self.bank.answer(unit, pdu))
        if answer is None:
            return
        frame = self._framed(unit, answer, mark)
        if self.fault == "late":
            await asyncio.sleep(_LATE)
        elif self.fault == "garbage":
            frame = bytes(each ^ 0x5A for each in frame)
        elif self.fault == "truncated":
            frame = frame[: len(frame) // 2]
        await self._send(writer, frame)
        if "one_request" in self.quirks:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        size = 1 if "split" in self.quirks else len(frame)
        for start in range(0, len(frame), size):
            writer.write(frame[start : start + size])
            await writer.drain()
            if size < len(frame):
                await asyncio.sleep(0.001)

    def _spoilt(self, question: bytes, answer: bytes | None) -> bytes | None:
        if answer is None or not question:
            return answer
        if self.fault in {"busy", "refused"}:
            return bytes((question[0] | 0x80, _BUSY if self.fault == "busy" else _FAILURE))
        if self.fault == "foreign":
            return bytes((0x01, 0x01, 0x00))
        if self.fault == "short" and not answer[0] & 0x80 and answer[0] < 5 and answer[1] > 2:  # noqa: PLR2004 - FC3, FC4 with words
            return bytes((answer[0], answer[1] - 2)) + answer[2:-2]
        return answer

    def _framed(self, unit: int, pdu: bytes, mark: int) -> bytes:
        if self.framing == "mbap":
            if self.fault == "foreign":
                mark = (mark + 7) & 0xFFFF
            return _MBAP.pack(mark, 0, len(pdu) + 1, unit) + pdu
        frame = bytes((unit,)) + pdu
        return frame + crc16(frame)
