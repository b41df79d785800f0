"""Sending lines to Graphite. Every failure is an Undelivered with one plain sentence."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

import anyio

from bridge.sinks import Undelivered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DATAGRAM: Final = 1400
"""Bytes that fit into one datagram on every network of a house."""
_PIECE = 64 * 1024
_ECHO = 0.05
_BURST, _PAUSE = 20, 0.01
_REFUSED = frozenset({errno.ECONNREFUSED})


class Wire:
    """One Graphite at host:port. timeout: s for one batch."""

    def __init__(self, host: str, port: int, *, name: str, timeout: float) -> None:
        self.host, self.port, self.name, self.timeout = host, port, name, timeout

    async def tcp(self, lines: Sequence[bytes]) -> None:
        """Send over a connection of its own, and wait until the other side has closed it too.

        That is the only sign the protocol has that everything was read: what the kernel of the
        other machine took may die there with the program that should have read it.
        """
        try:
            with anyio.fail_after(self.timeout):
                async with await anyio.connect_tcp(self.host, self.port) as stream:
                    await self._say_all(stream, lines)
        except TimeoutError:
            raise Undelivered(
                f"{self.name} did not take all values and close the connection within "
                f"{self.timeout:g} s"
            ) from None
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise Undelivered(f"{self.name} {_told(error)}") from None

    async def _say_all(self, stream: anyio.abc.SocketStream, lines: Sequence[bytes]) -> None:
        data = b"\n".join(lines) + b"\n"
        for begin in range(0, len(data), _PIECE):
            await stream.send(data[begin : begin + _PIECE])
        await stream.send_eof()
        while True:
            try:
                await stream.receive()
            except anyio.EndOfStream:
                return

    async def udp(self, lines: Sequence[bytes]) -> None:
        """Send datagrams of whole lines. Only a host that says that nobody listens is noticed."""
        try:
            with anyio.fail_after(self.timeout):
                found = await anyio.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
                family, kind, protocol, _, address = found[0]
                with socket.socket(family, kind, protocol) as door:
                    door.setblocking(False)
                    door.connect(address)
                    await self._throw(door, lines)
        except TimeoutError:
            sentence = f"{self.name} was not reached within {self.timeout:g} s"
            raise Undelivered(sentence) from None
        except OSError as error:
            raise Undelivered(f"{self.name} {_told(error)}") from None

    async def _throw(self, door: socket.socket, lines: Sequence[bytes]) -> None:
        for count, datagram in enumerate(datagrams(lines), 1):
            await _send(door, datagram)
            if count % _BURST == 0:  # a receiver has room for some hundred
                await anyio.sleep(_PAUSE)
        await anyio.sleep(_ECHO)
        refused = door.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if refused:
            raise OSError(refused, "")


async def _send(door: socket.socket, datagram: bytes) -> None:
    while True:
        try:
            door.send(datagram)
        except BlockingIOError:
            await anyio.sleep(_PAUSE)
        else:
            return


def datagrams(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Whole lines, as many as fit into one datagram; a line that is longer goes alone."""
    found = b""
    for line in lines:
        if found and len(found) + len(line) + 1 > DATAGRAM:
            yield found
            found = b""
        found += line + b"\n"
    if found:
        yield found


def _told(error: Exception) -> str:
    """What an exception means, in words."""
    cause: BaseException = error.__cause__ if error.__cause__ is not None else error
    if isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, socket.gaierror):
        return "cannot be found: its name is not known in the network"
    if getattr(cause, "errno", None) in _REFUSED:
        return "refuses the connection: does it listen on this port?"
    if isinstance(error, (anyio.BrokenResourceError, ConnectionError)):
        return "closed the connection before it had read everything"
    return "cannot be reached"
