"""Modbus TCP, RTU over TCP and RTU over serial. The only importer of pymodbus.

pymodbus builds and takes apart the frames; the streams, the matching of answers to questions and
every error are ours. Why its client is not used: docs/decisions/0007-modbus-links.md.
"""

from __future__ import annotations

import logging
import struct
import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio

from bridge.errors import DeviceGarbled, DeviceTimeout
from bridge.modbus.stream import SerialStream, Stream, TcpStream, join_host, split_host
from bridge.modbus.wire import READ_HOLDING, READ_INPUT, WRITE_SINGLE, Refusal, why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.modbus.link import LinkSpec
    from bridge.modbus.wire import Wire

_HEADER: Final = struct.Struct(">HHHB")
_BODY: Final = range(2, 255)
_MOST_RUBBISH: Final = 1024
_REPEATS: Final = 8
_EXCEPTION: Final = 0x80
_EXCEPTION_FRAME: Final = 5
_WRITE_FRAME: Final = 8
_ANY_UNIT: Final = 0
# s after giving up a question in which its answer may still come
LATE: Final = 5.0


class _Pymodbus(NamedTuple):
    """The parts of pymodbus that are used, imported when the first device is asked."""

    requests: dict[int, Any]
    decoder: Any
    mbap: Any
    rtu: Any


@cache
def _pymodbus() -> _Pymodbus:
    from pymodbus.framer import FramerRTU, FramerSocket
    from pymodbus.pdu import DecodePDU
    from pymodbus.pdu import register_message as message

    # It logs whole frames as errors; what matters comes to us as a return value.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    decoder = DecodePDU(False)
    return _Pymodbus(
        requests={
            each.function_code: each
            for each in (
                message.ReadHoldingRegistersRequest,
                message.ReadInputRegistersRequest,
                message.WriteSingleRegisterRequest,
                message.WriteMultipleRegistersRequest,
            )
        },
        decoder=decoder,
        mbap=FramerSocket(decoder),
        rtu=FramerRTU(decoder),
    )


def prepare() -> None:
    """Import pymodbus now, so that the first device that is asked does not wait for it."""
    _pymodbus()


class _ModbusWire:
    """What all three share: requests as PDUs, and answers checked against them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._stream: Stream | None = None

    @property
    def connected(self) -> bool:
        """True while the other side has not closed."""
        return self._stream is not None and self._stream.alive

    async def connect(self) -> None:
        """Open the connection. Raises DeviceTimeout."""
        await self.close()
        self._stream = await self._open()

    async def close(self) -> None:
        """Close it; harmless when it is closed."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        """Give exactly `count` words."""
        what = f"read {_registers(address, count)} of unit {unit}"
        answer = await self._ask(unit, function, what, address=address, count=count)
        words: Sequence[int] = answer.registers
        if len(words) != count:
            sentence = f"{self.name} answered {len(words)} words where {count} were asked for"
            raise DeviceGarbled(sentence)
        return words

    async def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> None:
        """Write the words and wait for the confirmation of the same address, value and count."""
        what = f"write {_registers(address, len(words))} of unit {unit}"
        if function == WRITE_SINGLE and len(words) != 1:
            raise ValueError("function 6 writes one word")
        answer = await self._ask(unit, function, what, address=address, registers=list(words))
        same = answer.address == address and (
            list(answer.registers) == list(words)
            if function == WRITE_SINGLE
            else answer.count == len(words)
        )
        if not same:
            raise DeviceGarbled(f"{self.name} confirmed something else when told to {what}")

    async def _ask(self, unit: int, function: int, what: str, **fields: Any) -> Any:
        tools = _pymodbus()
        if self._stream is None:
            raise DeviceTimeout(f"{self.name} is not connected")
        request = tools.requests[function](dev_id=unit, **fields)
        body = await self._exchange(self._stream, request)
        code = body[0]
        if code not in (function, function | _EXCEPTION):
            sentence = f"{self.name} answered with function {code} where {function} was asked"
            raise DeviceGarbled(sentence)
        answer = tools.decoder.decode(body)
        if answer is None or (
            function in (READ_HOLDING, READ_INPUT) and code == function and body[1] != len(body) - 2
        ):
            raise DeviceGarbled(f"{self.name} sent an answer of the wrong length")
        if answer.isError():
            sentence = f"{self.name} refuses to {what}: {why(answer.exception_code)}"
            raise Refusal(sentence, answer.exception_code)
        return answer

    async def _open(self) -> Stream:
        raise NotImplementedError

    async def _exchange(self, stream: Stream, request: Any) -> bytes:
        """Send the request and return the body of its answer: function code and data."""
        raise NotImplementedError


class TcpWire(_ModbusWire):
    """Modbus TCP: a numbered frame per request, so a foreign answer is recognised."""

    def __init__(self, host: str, port: int = 502) -> None:
        self.host, self.port = split_host(host, port)
        super().__init__(join_host(self.host, self.port))
        self._number = 0

    async def _open(self) -> Stream:
        return await TcpStream.open(self.host, self.port)

    async def _exchange(self, stream: Stream, request: Any) -> bytes:
        framer = _pymodbus().mbap
        stream.discard()
        self._number = self._number % 0xFFFF + 1
        request.transaction_id = self._number
        await stream.send(framer.buildFrame(request))
        data = b""
        while True:
            data += await stream.receive()
            while self._whole(data):
                used, unit, number, body = framer.decode(data)
                data = data[used:]
                if 0 < (self._number - number) % 0xFFFF < _REPEATS:
                    continue  # an answer that was given before, once more
                if number != self._number:
                    raise DeviceGarbled(f"{self.name} answered another question")
                self._of_unit(request.dev_id, unit)
                return bytes(body)

    def _whole(self, data: bytes) -> bool:
        """True when the first frame is complete. Raises DeviceGarbled when it is no Modbus."""
        if any(data[2:4]):
            raise DeviceGarbled(f"what answers at {self.name} does not speak Modbus TCP")
        if len(data) < _HEADER.size:
            return False
        length = _HEADER.unpack_from(data)[2]
        if length not in _BODY:
            raise DeviceGarbled(f"{self.name} sent a frame of an impossible length ({length})")
        return len(data) >= length + 6 and len(data) > _HEADER.size

    def _of_unit(self, asked: int, answered: int) -> None:
        if asked not in (_ANY_UNIT, answered):
            sentence = f"{self.name} answered for unit {answered} where unit {asked} was asked"
            raise DeviceGarbled(sentence)


class _Spoilt(DeviceGarbled):
    """The answer has come, and noise has changed it."""


class _RtuWire(_ModbusWire):
    """RTU frames: nothing but unit, function and length ties an answer to its question.

    What came before a question is no answer to it. A question that got none may still be answered
    late: by a serial device in any case, and by a gateway that sends to all its clients also over
    a new connection. So before a unit is asked with the same function again, it is asked for one
    word with the other reading function: once that is answered (or refused), nothing older will
    come. A unit that does not answer that either is left alone for LATE seconds.
    """

    silence = 0.0
    """s that the line must be quiet before a frame begins"""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._late: dict[tuple[int, int], float] = {}

    async def _exchange(self, stream: Stream, request: Any) -> bytes:
        now = time.monotonic()
        self._late = {key: until for key, until in self._late.items() if until > now}
        if (until := self._late.get(_key(request))) is not None:
            await self._settle(stream, request, until - now)
        return await self._answer(stream, request)

    async def _answer(self, stream: Stream, request: Any) -> bytes:
        await anyio.sleep(self.silence)
        stream.discard()
        await stream.send(_pymodbus().rtu.buildFrame(request))
        data, answered = b"", False
        try:
            while True:
                data += await stream.receive()
                body = _find(data, request)
                if body is not None:
                    answered = True
                    return body
                self._judge(data, request)
        except _Spoilt:
            answered = True
            raise
        finally:
            if not answered:
                self._late[_key(request)] = time.monotonic() + LATE

    async def _settle(self, stream: Stream, request: Any, seconds: float) -> None:
        other = READ_HOLDING if request.function_code == READ_INPUT else READ_INPUT
        probe = _pymodbus().requests[other](dev_id=request.dev_id, address=request.address, count=1)
        with anyio.move_on_after(seconds):
            if _key(probe) not in self._late:
                await self._answer(stream, probe)
            else:
                await anyio.sleep(seconds)
        self._late = {key: until for key, until in self._late.items() if key[0] != request.dev_id}

    def _judge(self, data: bytes, request: Any) -> None:
        """Raise DeviceGarbled when the right answer will not come any more."""
        framer = _pymodbus().rtu
        unit, code = request.dev_id, request.function_code
        ours = unit in (_ANY_UNIT, data[0]) and data[1:2] == bytes([code])
        if not ours and not self._late and len(data) >= _EXCEPTION_FRAME and _intact(data):
            seen = f"unit {data[0]}, function {data[1]}"
            sentence = f"{self.name} answered for {seen} where unit {unit}, function {code} was"
            raise DeviceGarbled(f"{sentence} asked")
        size = framer.MIN_SIZE + 1 + 2 * request.count
        if code not in (READ_HOLDING, READ_INPUT):
            size = _WRITE_FRAME
        if ours and len(data) >= size:
            raise _Spoilt(f"{self.name} sent an answer with a wrong checksum")
        if len(data) > _MOST_RUBBISH:
            raise DeviceGarbled(f"what answers at {self.name} does not speak Modbus RTU")


class RtuOverTcpWire(_RtuWire):
    """RTU frames over TCP, as RS485 gateways in transparent mode speak."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = split_host(host, port)
        super().__init__(join_host(self.host, self.port))

    async def _open(self) -> Stream:
        return await TcpStream.open(self.host, self.port)


class SerialWire(_RtuWire):
    """RTU over a serial port. parity: N, E or O; stopbits: 1 or 2."""

    def __init__(
        self, tty: str, baudrate: int = 9600, parity: str = "N", stopbits: float = 1
    ) -> None:
        super().__init__(tty)
        self.tty, self.baudrate, self.parity, self.stopbits = tty, baudrate, parity, stopbits
        # 3.5 characters of 11 bits; the standard fixes 1.75 ms for fast lines.
        self.silence = max(0.00175, 38.5 / baudrate)

    async def _open(self) -> Stream:
        return await SerialStream.open(
            self.tty, baudrate=self.baudrate, parity=self.parity, stopbits=self.stopbits
        )


def wire_for(spec: LinkSpec) -> Wire:
    """The wire of `transport: modbus`, `rtu_over_tcp` or `serial`."""
    if spec.transport == "modbus":
        return TcpWire(spec.host, spec.port)
    if spec.transport == "rtu_over_tcp":
        return RtuOverTcpWire(spec.host, spec.port)
    if spec.transport == "serial":
        extra = dict(spec.extra)
        parity, stopbits = str(extra.get("parity", "N")), float(extra.get("stopbits", 1))
        return SerialWire(spec.tty, spec.baudrate, parity, stopbits)
    raise ValueError(f"no wire for transport {spec.transport}")


def _registers(address: int, count: int) -> str:
    return f"register {address}" if count == 1 else f"registers {address} to {address + count - 1}"


def _key(request: Any) -> tuple[int, int]:
    return request.dev_id, request.function_code


def _intact(frame: bytes) -> bool:
    return bool(_pymodbus().rtu.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")))


def _find(data: bytes, request: Any) -> bytes | None:
    """The body of the answer within `data`, whatever lies before and behind it."""
    code, unit = request.function_code, request.dev_id
    for start in range(len(data) - _EXCEPTION_FRAME + 1):
        if unit not in (_ANY_UNIT, data[start]):
            continue
        if data[start + 1] == code | _EXCEPTION:
            size = _EXCEPTION_FRAME
        elif data[start + 1] != code:
            continue
        elif code in (READ_HOLDING, READ_INPUT):
            size = 5 + data[start + 2]
        else:
            size = _WRITE_FRAME
        frame = data[start : start + size]
        if len(frame) == size and _intact(frame):
            return frame[1:-2]
    return None
