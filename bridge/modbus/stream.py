"""Byte streams to devices: TCP and serial. What has come is kept; the end is known at once.

Modules that frame requests (`tcp.py` and others) stand on these: a stream neither frames, locks
nor repeats. Its sentences name the device.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Any, Final

import anyio

from bridge.errors import DeviceGarbled, DeviceTimeout

# More than any answer on any of these links; who sends more without being asked is no device.
_MOST: Final = 8192
_CHUNK: Final = 4096
_UNREACHABLE: Final = {
    errno.ECONNREFUSED: "nothing listens on this port, or it takes no further client",
    errno.EHOSTUNREACH: "no device is at this address",
    errno.ENETUNREACH: "there is no way into its network",
    errno.ETIMEDOUT: "no device is at this address",
    errno.ECONNRESET: "it closed the connection at once",
}
_NO_TTY: Final = {
    errno.ENOENT: "there is no such port; is the adapter plugged in?",
    errno.EACCES: "this user may not open it (it usually takes the group dialout)",
    errno.EAGAIN: "another program has it open",
    errno.EBUSY: "another program has it open",
}


class ConnectionEnded(DeviceTimeout):
    """The other side closed the connection."""


def split_host(host: str, port: int) -> tuple[str, int]:
    """Host in small letters, and port; a port in the host (`10.0.0.5:1502`, `[::1]:502`) wins."""
    host = host.strip().lower()
    bare, colon, number = host.rpartition(":")
    if colon and number.isdecimal() and (":" not in bare or bare.endswith("]")):
        host, port = bare, int(number)
    return host.removeprefix("[").removesuffix("]"), port


def join_host(host: str, port: int) -> str:
    """`192.168.1.20:502`, `[fe80::1]:502`: how sentences name an endpoint."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Stream:
    """What TCP and serial streams share: a bounded buffer and a known end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._buffer = bytearray()
        self._ended: DeviceTimeout | DeviceGarbled | None = None
        self._news = anyio.Event()

    @property
    def alive(self) -> bool:
        """True until the other side has closed, or this one has."""
        return self._ended is None

    def discard(self) -> int:
        """Forget what has come and was not read; returns how many bytes that were."""
        count = len(self._buffer)
        self._buffer.clear()
        return count

    async def receive(self) -> bytes:
        """What has come, at least one byte. Raises ConnectionEnded, DeviceGarbled (a flood)."""
        while not self._buffer:
            if self._ended is not None:
                raise self._ended
            self._news = anyio.Event()
            await self._news.wait()
        chunk = bytes(self._buffer)
        self._buffer.clear()
        return chunk

    async def send(self, data: bytes) -> None:
        """Hand bytes to the system. Raises ConnectionEnded."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close; harmless when it is closed."""
        raise NotImplementedError

    def _take(self, data: bytes) -> bool:
        """Keep bytes; false when they are too many and the stream must be closed."""
        if len(self._buffer) + len(data) > _MOST:
            self._buffer.clear()
            self._end(DeviceGarbled(f"{self.name} sends a flood of bytes that nobody asked for"))
            return False
        self._buffer += data
        self._news.set()
        return True

    def _end(self, why: DeviceTimeout | DeviceGarbled) -> None:
        if self._ended is None:
            self._ended = why
        self._news.set()


class TcpStream(Stream, asyncio.Protocol):
    """A TCP connection. It listens all the time, so a closed peer is noticed while idle, too."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._transport: asyncio.Transport | None = None
        self._gone = anyio.Event()

    @classmethod
    async def open(cls, host: str, port: int) -> TcpStream:
        """Connect. Raises DeviceTimeout; the caller limits the time."""
        host, port = split_host(host, port)
        name = join_host(host, port)
        loop = asyncio.get_running_loop()
        try:
            _, stream = await loop.create_connection(lambda: cls(name), host, port)
        except OSError as error:
            raise DeviceTimeout(f"{name} cannot be reached: {unreachable(error)}") from error
        return stream

    async def send(self, data: bytes) -> None:
        """Hand bytes to the system. Raises ConnectionEnded."""
        if self._ended is not None or self._transport is None:
            raise self._ended or ConnectionEnded(f"{self.name} is not connected")
        self._transport.write(data)

    async def close(self) -> None:
        """Close at once, without waiting for the other side."""
        self._end(ConnectionEnded(f"the connection to {self.name} was closed"))
        if self._transport is not None:
            self._transport.abort()
            await self._gone.wait()

    # ---------------------------------------------------------------- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if not self._take(data) and self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> None:
        """Called by asyncio, which then closes this side as well."""
        self._end(ConnectionEnded(f"{self.name} closed the connection"))

    def connection_lost(self, _error: Exception | None) -> None:
        """Called by asyncio."""
        self._end(ConnectionEnded(f"{self.name} broke the connection"))
        self._gone.set()


class SerialStream(Stream):
    """A serial port, opened for us alone."""

    def __init__(self, name: str, port: Any) -> None:
        super().__init__(name)
        self._port = port
        self._handle: int = port.fileno()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._handle, self._ready)

    @classmethod
    async def open(cls, tty: str, *, baudrate: int, parity: str, stopbits: float) -> SerialStream:
        """Open the port. Raises DeviceTimeout."""
        import serial

        try:
            port = serial.Serial(
                tty,
                baudrate=baudrate,
                parity=parity,
                stopbits=stopbits,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except (OSError, ValueError, OverflowError) as error:  # SerialException is an OSError
            reason = _NO_TTY.get(getattr(error, "errno", None) or 0, str(error))
            raise DeviceTimeout(f"{tty} cannot be opened: {reason}") from error
        return cls(tty, port)

    async def send(self, data: bytes) -> None:
        """Hand bytes to the system. Raises ConnectionEnded."""
        while data:
            if self._ended is not None:
                raise self._ended
            try:
                data = data[os.write(self._handle, data) :]
            except BlockingIOError:
                await anyio.wait_writable(self._handle)
            except OSError:
                self._unplugged()

    async def close(self) -> None:
        """Close the port."""
        self._end(ConnectionEnded(f"{self.name} was closed"))
        self._shut()

    def _ready(self) -> None:
        try:
            data = os.read(self._handle, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._unplugged()
        elif not self._take(data):
            self._shut()

    def _unplugged(self) -> None:
        self._end(ConnectionEnded(f"{self.name} is gone; was the adapter unplugged?"))
        self._shut()

    def _shut(self) -> None:
        if self._port.is_open:
            self._loop.remove_reader(self._handle)
            self._port.close()


def unreachable(error: OSError) -> str:
    """Why there is no connection, in words."""
    if isinstance(error, socket.gaierror):
        return "nobody knows this name"
    if error.errno in _UNREACHABLE:
        return _UNREACHABLE[error.errno]
    # Several addresses were tried: asyncio puts their reasons into one text.
    return next(
        (words for number, words in _UNREACHABLE.items() if f"[Errno {number}]" in str(error)),
        error.strerror or str(error),
    )
