"""Questions and answers in Solarman frames, built and checked by pysolarmanv5 and umodbus.

Their clients are not used: see docs/decisions/0008-solarman-frames.md. Both libraries are loaded
when the first logger is spoken to.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import DeviceGarbled, DeviceTimeout
from bridge.modbus.solarman_frames import Frame, crc16, rtu_of
from bridge.modbus.wire import WRITE_MULTIPLE, WRITE_SINGLE, Refusal, why

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXCEPTION_BIT: Final = 0x80
_SHORTEST: Final = 5
_CODES: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 11})


@dataclass(frozen=True, slots=True)
class Question:
    """One request: the frame to send, and what its answer must show."""

    raw: bytes
    sequence: int
    unit: int
    function: int


class Codec:
    """Builds the questions to one logger and reads its answers; `name` begins every sentence."""

    def __init__(self, serial: int, name: str) -> None:
        self._serial, self._name = serial, name
        self._encoder = _encoder(serial)

    def read(self, unit: int, function: int, address: int, count: int) -> Question:
        """A question for words: function 3 or 4."""
        from umodbus.client.serial import rtu  # type: ignore[import-untyped] # shipped without

        build = {3: rtu.read_holding_registers, 4: rtu.read_input_registers}[function]
        return self._question(unit, function, build(unit, address, count))

    def write(self, unit: int, function: int, address: int, words: Sequence[int]) -> Question:
        """An order to write words: function 6 with one of them, or 16."""
        from umodbus.client.serial import rtu

        if function == WRITE_SINGLE:
            (word,) = words
            adu = rtu.write_single_register(unit, address, word)
        else:
            adu = rtu.write_multiple_registers(unit, address, list(words))
        return self._question(unit, function, adu)

    def words(self, question: Question, answer: Frame, count: int) -> list[int]:
        """The words that answer a reading. Raises DeviceError."""
        data = self._data(question, answer)
        if len(data) != 1 + 2 * count or data[0] != 2 * count:
            raise DeviceGarbled(
                f"{self._name} answered with another number of registers than asked"
            )
        return [int.from_bytes(data[at : at + 2], "big") for at in range(1, len(data), 2)]

    def confirmed(
        self, question: Question, answer: Frame, address: int, words: Sequence[int]
    ) -> None:
        """Check that an answer confirms a writing. Raises DeviceError."""
        data = self._data(question, answer)
        second = len(words) if question.function == WRITE_MULTIPLE else words[0]
        if data != address.to_bytes(2, "big") + second.to_bytes(2, "big"):
            raise DeviceGarbled(f"{self._name} confirmed something else than what was written")

    def _question(self, unit: int, function: int, adu: bytes) -> Question:
        raw = bytes(self._encoder.frame(adu))
        return Question(raw, self._encoder.sequence_number, unit, function)

    def _data(self, question: Question, answer: Frame) -> bytes:
        """What follows the function code in the Modbus answer within a frame."""
        rtu = rtu_of(answer.payload)
        if not rtu:
            sentence = f"{self._name} does not reach the inverter: is it asleep, or has it another"
            raise DeviceTimeout(f"{sentence} unit id than {question.unit}?")
        if len(rtu) == 1 and rtu[0] in _CODES:
            raise Refusal(f"{self._name} has no answer of the inverter: {why(rtu[0])}", rtu[0])
        if not self._encoder.accepts(question, answer):
            raise DeviceGarbled(f"{self._name} sent a frame that carries no answer of the inverter")
        if len(rtu) < _SHORTEST or crc16(rtu[:-2]) != rtu[-2:]:
            raise DeviceGarbled(f"{self._name} passed on an answer of the inverter that is damaged")
        unit, function, data = rtu[0], rtu[1], rtu[2:-2]
        if unit != question.unit:
            sentence = f"{self._name} passed on an answer of unit {unit} to a question to unit"
            raise DeviceGarbled(f"{sentence} {question.unit}")
        if function == question.function | _EXCEPTION_BIT and len(data) == 1:
            raise Refusal(f"the inverter behind {self._name} refused: {why(data[0])}", data[0])
        if function != question.function:
            raise DeviceGarbled(f"{self._name} passed on the answer to another question")
        return data


def _encoder(serial: int) -> Any:
    """pysolarmanv5's frame encoder and decoder without its socket, thread and queue."""
    from pysolarmanv5 import (  # type: ignore[import-untyped] # shipped without types
        PySolarmanV5,
        V5FrameError,
    )

    class Encoder(PySolarmanV5):  # type: ignore[misc] # shipped without types
        """The library's own frame functions alone: setting up the socket does nothing."""

        def _socket_setup(self, *_: object) -> None:
            """Open nothing."""

        def frame(self, adu: bytes) -> bytearray:
            """A Modbus RTU frame in a V5 frame with the next sequence number."""
            return self._v5_frame_encoder(adu)  # type: ignore[no-any-return]

        def accepts(self, question: Question, answer: Frame) -> bool:
            """True when the library, too, finds an answer to this question in the frame."""
            self.sequence_number = question.sequence
            try:
                self._v5_frame_decoder(answer.encode())
            except V5FrameError:
                return False
            return True

    # A logger of its own keeps the library from configuring logging for the whole program.
    return Encoder("", serial, logger=logging.getLogger("pysolarmanv5"))
