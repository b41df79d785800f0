"""Solarman V5 frames: bytes in, frames out. Pure: no I/O, no clock, no library.

A frame is `A5`, the payload's length (2 bytes), a control code (2), a sequence number (2: the low
byte is echoed, the high one belongs to the logger), the logger's serial number (4), the payload, a
checksum (the sum of all between `A5` and itself, modulo 256) and `15`. Numbers are little endian.
Between client and inverter the payload carries a Modbus RTU frame behind 15 bytes (question) or 14
bytes (answer). Source: pysolarmanv5 3.0.6 and its documentation of the protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

START: Final = 0xA5
END: Final = 0x15

HANDSHAKE: Final = 0x4110
DATA: Final = 0x4210
INFO: Final = 0x4310
REQUEST: Final = 0x4510
HEARTBEAT: Final = 0x4710
REPORT: Final = 0x4810
ANSWERED_BY: Final = -0x3000
"""What is added to a control code to get the code of its answer."""
RESPONSE: Final = REQUEST + ANSWERED_BY
UNSOLICITED: Final = frozenset({HANDSHAKE, DATA, INFO, HEARTBEAT, REPORT})
"""What a logger says by itself, and wants answered."""

REQUEST_HEAD: Final = 15
RESPONSE_HEAD: Final = 14
INVERTER: Final = 0x02
"""The frame type of everything that is passed on to or comes from the inverter."""

_HEADER: Final = struct.Struct("<BHHBBI")
_TRAILER = 2
_CONTROL_AT = 3
_CONTROL_END = 5
_LONGEST_PAYLOAD: Final = 1024
_KEPT = 64
_KNOWN: Final = frozenset(
    code + shift for code in (REQUEST, *UNSOLICITED) for shift in (0, ANSWERED_BY)
)

_MBAP: Final = struct.Struct(">HHHBB")
_LONGEST_MBAP = 254
_EXCEPTION_BIT = 0x80
_SHORTEST_RTU = 5
_WRITTEN_RTU = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One V5 frame. `sequence` is the low byte, which answers echo; `counter` the high one."""

    control: int
    sequence: int
    counter: int
    serial: int
    payload: bytes

    def encode(self) -> bytes:
        """The frame as it is sent."""
        header = _HEADER.pack(
            START, len(self.payload), self.control, self.sequence, self.counter, self.serial
        )
        body = header + self.payload
        return body + bytes((checksum(body[1:]), END))

    def acknowledged(self, seconds: int) -> Frame:
        """The answer that a logger wants to a frame of its own; `seconds` is the unix time."""
        payload = struct.pack("<BBII", 0, 1, seconds & 0xFFFFFFFF, 0)
        following = (self.sequence + 1) & 0xFF
        return Frame(self.control + ANSWERED_BY, following, self.counter, self.serial, payload)


def checksum(body: bytes) -> int:
    """The sum of the bytes, modulo 256."""
    return sum(body) & 0xFF


class Framer:
    """Cuts a stream of bytes into frames, however it is split, and skips what is none.

    `rubbish` keeps the last bytes that were skipped since the last good frame: they tell what the
    other side speaks instead. A frame is decided by its bytes alone, never by how they arrived,
    so any split of the same stream gives the same frames.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.rubbish = b""
        self.skipped = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take some bytes; the frames that are complete by them, in order."""
        self._buffer += data
        frames = []
        position = 0
        while True:
            start = self._buffer.find(START, position)
            if start < 0:
                self._skip(bytes(self._buffer[position:]))
                position = len(self._buffer)
                break
            self._skip(bytes(self._buffer[position:start]))
            position = start
            length = self._length(start)
            if length is None or (length and start + length > len(self._buffer)):
                break
            frame = self._decode(bytes(self._buffer[start : start + length])) if length else None
            if frame is None:
                # Not a frame after all: the next one may begin at any byte behind this one.
                self._skip(bytes((START,)))
                position += 1
                continue
            frames.append(frame)
            self.rubbish = b""
            position += length or 0
        del self._buffer[:position]
        return frames

    @property
    def pending(self) -> bytes:
        """What has arrived of a frame that is not complete."""
        return bytes(self._buffer)

    def _length(self, start: int) -> int | None:
        """How long the frame at `start` is; 0 when it is none, None when that is not known yet."""
        head = self._buffer[start : start + _CONTROL_END]
        if len(head) < _CONTROL_END:
            return None
        payload, control = struct.unpack_from("<HH", head, 1)
        if control not in _KNOWN or payload > _LONGEST_PAYLOAD:
            return 0
        return int(payload) + _HEADER.size + _TRAILER

    @staticmethod
    def _decode(raw: bytes) -> Frame | None:
        if raw[-1] != END or raw[-2] != checksum(raw[1:-2]):
            return None
        _, _, control, sequence, counter, serial = _HEADER.unpack_from(raw)
        return Frame(control, sequence, counter, serial, raw[_HEADER.size : -_TRAILER])

    def _skip(self, data: bytes) -> None:
        self.skipped += len(data)
        self.rubbish = (self.rubbish + data)[-_KEPT:]


def speaks_modbus_tcp(data: bytes) -> bool:
    """True when bytes that are no frame begin like an answer in plain Modbus TCP."""
    if len(data) < _MBAP.size:
        return False
    _, protocol, length, _, function = _MBAP.unpack_from(data)
    known = function & ~_EXCEPTION_BIT & 0xFF
    return bool(
        protocol == 0
        and 2 <= length <= _LONGEST_MBAP  # noqa: PLR2004 - unit and function at least
        and len(data) <= length + 6
        and 1 <= known <= 0x2B  # noqa: PLR2004 - the functions that Modbus has
    )


def crc16(data: bytes) -> bytes:
    """The Modbus RTU checksum (0xA001 reflected, from 0xFFFF), low byte first as it is sent."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ _CRC[(register ^ byte) & 0xFF]
    return struct.pack("<H", register)


def _crc_row(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value


_CRC: Final = tuple(map(_crc_row, range(256)))


def rtu_of(payload: bytes) -> bytes:
    """The Modbus RTU frame in the payload of an answer; empty when there is none. Not checked.

    Some loggers append a second checksum, which over a frame with its own one is always two zero
    bytes. They are taken off where the function and byte count say that the frame is shorter.
    """
    rtu = payload[RESPONSE_HEAD:]
    if rtu.endswith(b"\0\0") and len(rtu) == _announced(rtu) + 2:
        return rtu[:-2]
    return rtu


def _announced(rtu: bytes) -> int:
    """How long an answer is by its own first bytes; 0 when they do not say it."""
    if len(rtu) < _SHORTEST_RTU:
        return 0
    function = rtu[1]
    if function & _EXCEPTION_BIT:
        return _SHORTEST_RTU
    if function in {3, 4}:
        return _SHORTEST_RTU + rtu[2]
    return _WRITTEN_RTU if function in {6, 16} else 0
