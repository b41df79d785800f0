"""GoodWe over UDP 8899: the question is a Modbus RTU frame, the answer one that follows AA 55.

Datagrams get lost, come twice and come late, and nothing in an answer to a read says which address
was asked. Every question therefore has a socket of its own: what belongs to an earlier one arrives
at a port that is closed by then. A dongle that sends a late answer to whoever asked last is caught
by unit, function and length. Datagrams of other senders never reach a connected socket.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final

import anyio

from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout
from bridge.modbus.solarman_frames import crc16
from bridge.modbus.stream import join_host, split_host
from bridge.modbus.wire import WRITE_SINGLE, Refusal, why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PORT: Final = 8899
HEAD: Final = b"\xaa\x55"

_FAILED: Final = 0x80
_FIRST: Final = len(HEAD) + 3  # the head, unit, function, and a byte that says how it goes on
_REFUSAL: Final = len(HEAD) + 5
_CONFIRMATION: Final = len(HEAD) + 8
_MOST_BYTES: Final = 512


def question(unit: int, function: int, address: int, count: int) -> bytes:
    """A request to read `count` words."""
    frame = struct.pack(">BBHH", unit, function, address, count)
    return frame + crc16(frame)


def order(unit: int, function: int, address: int, words: Sequence[int]) -> bytes:
    """A request to write words: function 6 takes one, 16 takes several."""
    if function == WRITE_SINGLE:
        frame = struct.pack(">BBHH", unit, function, address, words[0])
    else:
        head = struct.pack(">BBHHB", unit, function, address, len(words), 2 * len(words))
        frame = head + struct.pack(f">{len(words)}H", *words)
    return frame + crc16(frame)


class Answer:
    """Puts together the answer to one request from the datagrams that come in.

    `length`: bytes of payload that a read must bring; None for a write, which brings 4. A whole
    answer may come in two datagrams. What belongs to another request is passed over;
    `passed_over` says of what came instead of the answer, without its subject.
    """

    def __init__(self, unit: int, function: int, length: int | None) -> None:
        self._unit, self._function, self._length = unit, function, length
        self._begun = b""
        self.passed_over: str | None = None

    def take(self, datagram: bytes) -> bytes | None:
        """Give the payload once it is whole, None while it is not.

        Raises DeviceGarbled without a subject ("answers with …"), Refusal for an exception.
        """
        if datagram.startswith(HEAD):
            self._begun = b""
        elif not self._begun:
            raise DeviceGarbled("answers with something that is not GoodWe's protocol")
        frame = self._begun + datagram
        if len(frame) > _MOST_BYTES:
            raise DeviceGarbled("answers with more than it was asked for")
        if len(frame) < _FIRST:
            self._begun = frame
            return None
        unit, function, third = frame[2:_FIRST]
        if unit != self._unit:
            self.passed_over = f"answers as unit {unit}, not as unit {self._unit}: check `unit`"
            return None
        if function & ~_FAILED != self._function:
            self.passed_over = "answers other questions than it is asked"
            return None
        return self._whole(frame, third, refused=bool(function & _FAILED))

    def _whole(self, frame: bytes, third: int, *, refused: bool) -> bytes | None:
        if refused:
            expected = _REFUSAL
        elif self._length is None:
            expected = _CONFIRMATION
        elif third != self._length:
            self.passed_over = "answers other questions than it is asked"
            return None
        else:
            expected = _FIRST + third + 2
        if len(frame) < expected:
            self._begun, self.passed_over = frame, "sends only a part of its answer"
            return None
        self._begun = b""
        # Some dongles send more bytes than belong to the frame; its check says where it ends.
        body, check = frame[len(HEAD) : expected - 2], frame[expected - 2 : expected]
        if crc16(body) != check:
            raise DeviceGarbled("answers with a damaged frame")
        if refused:
            raise Refusal(why(third), third)
        return body[2:] if self._length is None else body[3:]


class GoodweUdp:
    """A wire to one GoodWe inverter (`bridge.modbus.wire.Wire`). One attempt for each request."""

    def __init__(self, host: str, port: int = PORT) -> None:
        self.name = f"the inverter at {join_host(*split_host(host, port))}"
        self._host, self._port = split_host(host, port)
        self._place: tuple[socket.AddressFamily, tuple[str, int]] | None = None
        self._answer: Answer | None = None

    async def connect(self) -> None:
        """Look the name up. Whether somebody is there shows with the first answer."""
        try:
            found = await anyio.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except OSError:
            raise DeviceTimeout(f"{self.name} cannot be found under this name") from None
        family, *_, address = found[0]
        self._place = socket.AddressFamily(family), address

    async def close(self) -> None:
        """Forget the address."""
        self._place = None

    @property
    def connected(self) -> bool:
        """True when the address is known; UDP knows no more."""
        return self._place is not None

    @property
    def while_waiting(self) -> str | None:
        """What came in place of the last answer, as one sentence; the link tells it."""
        heard = self._answer.passed_over if self._answer else None
        return f"{self.name} {heard}" if heard else None

    async def read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        """Give exactly `count` words."""
        request = question(unit, function, address, count)
        payload = await self._ask(request, Answer(unit, function, 2 * count))
        return struct.unpack(f">{count}H", payload)

    async def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> None:
        """Write the words and wait for the confirmation, which repeats address and count."""
        request = order(unit, function, address, words)
        payload = await self._ask(request, Answer(unit, function, None))
        told = words[0] if function == WRITE_SINGLE else len(words)
        if struct.unpack(">HH", payload) != (address, told):
            raise DeviceGarbled(f"{self.name} confirms something else than was written")

    async def _ask(self, request: bytes, answer: Answer) -> bytes:
        self._answer = answer
        with self._socket() as place:
            try:
                place.send(request)
                while True:
                    await anyio.wait_readable(place)
                    with contextlib.suppress(BlockingIOError):
                        payload = answer.take(place.recv(65535))
                        if payload is not None:
                            return payload
            except Refusal as error:
                raise Refusal(f"{self.name} refuses: {error}", error.code) from None
            except DeviceError as error:
                raise DeviceGarbled(f"{self.name} {error}") from None
            except OSError:
                raise DeviceTimeout(f"{self.name} cannot be reached") from None

    @contextlib.contextmanager
    def _socket(self) -> Iterator[socket.socket]:
        if self._place is None:
            raise DeviceTimeout(f"{self.name} is not connected")
        family, address = self._place
        with socket.socket(family, socket.SOCK_DGRAM) as place:
            place.setblocking(False)
            try:
                place.connect(address)
            except OSError:
                raise DeviceTimeout(f"{self.name} cannot be reached") from None
            yield place
