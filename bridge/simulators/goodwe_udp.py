"""A simulated GoodWe dongle: RTU questions and AA 55 answers over UDP, in front of a register bank.

The client of the goodwe package accepts it (tests/goodwe/). `fault` is None or a key of FAULTS,
after which no good answer comes; `quirks` holds keys of QUIRKS, which a good client gets over.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, Final, Protocol

from bridge.modbus.goodwe_udp import HEAD
from bridge.modbus.solarman_frames import crc16
from bridge.modbus.wire import BUSY, DEVICE_FAILURE
from bridge.simulators.living import Living

if TYPE_CHECKING:
    from collections.abc import Callable

_Address = tuple[str, int]

DISCOVERY: Final = b"WIFIKIT-214028-READ"
FAULTS: Final = {
    "silence": "takes the question and never answers",
    "garbage": "sends bytes that are not its protocol",
    "truncated": "sends half of the answer and no more",
    "bad_crc": "sends answers that were damaged on the way",
    "foreign_unit": "passes on the answer of another device on its bus",
    "foreign_function": "passes on the answer to a question of another kind",
    "foreign_length": "passes on the answer to a question about more registers",
    "late": "answers after every client has given up",
    "busy": "says that it is busy, for ever",
    "refused": "says that it failed inside",
}
QUIRKS: Final = {
    "loss": "loses every third question",
    "duplicate": "sends each answer twice",
    "fragment": "sends each answer in two datagrams",
    "padding": "sends bytes behind the frame",
    "stray_answer": "sends the answer to an older question before each answer",
    "foreign_sender": "another device sends something like an answer before each answer",
}
_READS = (3, 4)
_LATE = 30.0
_SHORTEST = 4
_LOST = 3


class Answers(Protocol):
    """What stands behind the dongle: a register bank."""

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """The answer to a Modbus request without its frame; None: no such unit is there."""


def framed(unit: int, pdu: bytes) -> bytes:
    """An answer as the dongle sends it."""
    frame = bytes([unit]) + pdu
    return HEAD + frame + crc16(frame)


class GoodweDongle(Living):
    """`async with GoodweDongle(bank) as dongle:` serves one dongle on `dongle.port`.

    delay: seconds before each answer; discovery_port: where the broadcast of the phone app is
    answered too (0: a free one, None: nowhere); name: what it calls itself there. `ready()` is
    called before each request, to let time pass in a model.
    """

    def __init__(
        self,
        bank: Answers,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        delay: float = 0.0,
        discovery_port: int | None = None,
        name: str = "Solar-WiFi222W0782",
        ready: Callable[[], None] | None = None,
    ) -> None:
        self.bank, self.host, self.port = bank, host, port
        self.delay, self.discovery_port, self.name = delay, discovery_port, name
        self.mac = "289C6E05A1B2"
        self.ready = ready or (lambda: None)
        self.fault: str | None = None
        self.quirks: set[str] = set()
        self.requests: list[bytes] = []
        self._served: asyncio.DatagramTransport | None = None
        self._found: asyncio.DatagramTransport | None = None
        self._other: socket.socket | None = None
        self._waiting: set[asyncio.TimerHandle] = set()
        self._older: bytes | None = None

    async def start(self) -> None:
        """Listen; the ports stay the same over stop and start."""
        self._served, self.port = await _listen(self.host, self.port, self._asked)
        if self.discovery_port is not None:
            self._found, self.discovery_port = await _listen(
                self.host, self.discovery_port, self._searched
            )

    async def stop(self) -> None:
        """Close the ports; nothing is answered any more."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()
        for transport in (self._served, self._found):
            if transport is not None:
                transport.close()
        if self._other is not None:
            self._other.close()
        self._served = self._found = self._other = None
        await asyncio.sleep(0)  # a transport lets its port go on the loop's next round

    # ---------------------------------------------------------------- answering

    def _searched(self, data: bytes, client: _Address) -> None:
        if data == DISCOVERY and self._found is not None:
            answer = f"{self.host},{self.mac},{self.name}"
            self._found.sendto(answer.encode(), client)

    def _asked(self, data: bytes, client: _Address) -> None:
        if len(data) < _SHORTEST or crc16(data[:-2]) != data[-2:]:
            return
        self.requests.append(data)
        if "loss" in self.quirks and len(self.requests) % _LOST == 0:
            return
        unit, pdu = data[0], data[1:-2]
        self.ready()
        answer = self.bank.answer(unit, pdu)
        if answer is None:
            return
        if self.fault is None:
            pieces = self._peculiar(framed(unit, answer))
        else:
            pieces = self._broken(unit, pdu, answer)
        if "foreign_sender" in self.quirks:
            self._from_elsewhere(unit, pdu, client)
        for piece in pieces:
            self._send(piece, client, _LATE if self.fault == "late" else self.delay)

    def _broken(self, unit: int, pdu: bytes, answer: bytes) -> list[bytes]:
        """What the fault makes of a good answer."""
        whole = framed(unit, answer)
        is_read = pdu[0] in _READS
        another = bytes([_READS[0] if pdu[0] == _READS[1] else _READS[1]]) + answer[1:]
        longer = bytes([answer[0], answer[1] + 2]) + answer[2:] + b"\0\0" if is_read else another
        made = {
            "silence": b"",
            "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "truncated": whole[: len(whole) // 2],
            "bad_crc": whole[:-1] + bytes([whole[-1] ^ 0xFF]),
            "foreign_unit": framed((unit + 1) % 256, answer),
            "foreign_function": framed(unit, another),
            "foreign_length": framed(unit, longer),
            "busy": framed(unit, bytes([pdu[0] | 0x80, BUSY])),
            "refused": framed(unit, bytes([pdu[0] | 0x80, DEVICE_FAILURE])),
            "late": whole,
        }
        found = made[self.fault or "silence"]
        return [found] if found else []

    def _peculiar(self, whole: bytes) -> list[bytes]:
        """A good answer as the quirks have it."""
        older, self._older = self._older, whole
        if "padding" in self.quirks:
            whole += b"modbus_tcp\0\0"
        cut = len(whole) // 3 if "fragment" in self.quirks else 0
        pieces = [whole[:cut], whole[cut:]] if cut else [whole]
        if "duplicate" in self.quirks:
            pieces *= 2
        if "stray_answer" in self.quirks and older is not None:
            pieces = [older, *pieces]
        return pieces

    def _from_elsewhere(self, unit: int, pdu: bytes, client: _Address) -> None:
        """Something that would be believed if it came from the dongle's own port."""
        if self._other is None:
            self._other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._other.bind((self.host, 0))
        count = struct.unpack(">H", pdu[3:5])[0] if pdu[0] in _READS else 0
        answer = pdu[:1] + bytes([2 * count]) + b"\x0d\xea" * count if count else pdu[:5]
        self._other.sendto(framed(unit, answer), client)

    def _send(self, data: bytes, client: _Address, wait: float) -> None:
        if wait <= 0:
            self._now(data, client)
            return
        handle = asyncio.get_running_loop().call_later(wait, self._now, data, client)
        self._waiting = {each for each in self._waiting if not each.cancelled()} | {handle}

    def _now(self, data: bytes, client: _Address) -> None:
        if self._served is not None:
            self._served.sendto(data, client)


async def _listen(
    host: str, port: int, heard: Callable[[bytes, _Address], None]
) -> tuple[asyncio.DatagramTransport, int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Ear(heard), (host, port), family=socket.AF_INET
    )
    return transport, transport.get_extra_info("sockname")[1]


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, _Address], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Hand one datagram on."""
        self._heard(data, addr)
