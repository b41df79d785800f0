"""Words to values and back, as a row of the table says. Pure.

A value is raw * scale + offset in the row's unit and with the row's own sign, a word of its enum, a
text, or None for everything that means "no value". Writing refuses what the row does not take.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceError
from bridge.registers.model import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers.model import Register, Value

_WORD: Final = 0xFFFF
_NO_SCALE: Final = 0x8000
_WIDEST_SCALE: Final = 10
_HUNDRED: Final = 100


def raw_of(row: Register, words: Mapping[int, int]) -> int | None:
    """The row's words as one unsigned number; None when one of them was not read.

    A `short` row whose high word is missing counts as if that word were 0.
    """
    raw = 0
    for index, place in enumerate(row.places):
        word = words.get(place)
        if word is None:
            if not (row.short and index < len(row.places) - 1):
                return None
            word = 0
        raw = raw << 16 | word
    return raw


def decode(row: Register, words: Mapping[int, int], power: int | None = 0) -> Value | None:
    """The row's value from words by address; None when it is unknown.

    `power` is the power of ten of its scale-factor row, None when that is unknown.
    """
    raw = raw_of(row, words)
    if raw is None:
        return None
    if row.mask is not None:
        if raw in row.invalid and raw > row.mask >> _shift(row.mask):
            return None  # more than the field can hold: it is said of the whole word
        raw = (raw & row.mask) >> _shift(row.mask)
    if raw in row.invalid:
        return None
    if row.type in NUMBERS:
        return _number(row, raw, power)
    if row.type == "bits":
        return " ".join(name for bit, name in row.bits.items() if raw >> bit & 1)
    return _text(row, raw)


def _number(row: Register, raw: int, power: int | None) -> Value | None:
    number = _float(row, raw) if row.type[0] == "f" else _signed(row, raw)
    if number is None:
        return None
    if row.enum or row.spans:
        return _enum_word(row, int(number))
    value: float = number
    if row.scale_factor is not None:
        if power is None or abs(power) > _WIDEST_SCALE:
            return None
        # 123 / 10 is exact where 123 * 0.1 is not.
        value = value * 10**power if power >= 0 else value / 10**-power
    if row.scale != 1.0 or row.offset:
        value = _scaled(value, row)
    if not math.isfinite(value):
        return None
    if row.absolute:
        value = abs(value)
    if row.valid is not None and not row.valid[0] <= value <= row.valid[1]:
        return None
    return value


def _scaled(value: float, row: Register) -> float:
    inverse = 1 / row.scale
    exact = round(inverse)
    scaled = value / exact if exact and abs(inverse - exact) < 1e-9 else value * row.scale  # noqa: PLR2004
    return round(scaled + row.offset, 9) if row.offset else scaled


def _signed(row: Register, raw: int) -> int:
    if not row.signed:
        return raw
    bits = 16 * row.words if row.mask is None else (row.mask >> _shift(row.mask)).bit_length()
    if row.short and raw >> 16 == 0:
        bits = 16
    return raw - (1 << bits) if raw >> (bits - 1) & 1 else raw


def _float(row: Register, raw: int) -> float | None:
    code = ">f" if row.words == 2 else ">d"  # noqa: PLR2004 - words of a 32-bit float
    (number,) = struct.unpack(code, raw.to_bytes(2 * row.words, "big"))
    return number if math.isfinite(number) else None


def _enum_word(row: Register, number: int) -> str | None:
    word = row.enum.get(number)
    if word is None:
        word = next((name for low, high, name in row.spans if low <= number <= high), None)
    return word


def _text(row: Register, raw: int) -> str | None:
    data = raw.to_bytes(2 * row.words, "big")
    if row.type == "string":
        text = data.split(b"\0", 1)[0].decode("latin-1")
        return "".join(each for each in text if each.isprintable()).strip() or None
    if row.type == "raw":
        return data.hex(" ", 2)
    if row.type == "hhmm":
        hours, minutes = divmod(raw, _HUNDRED)
        return f"{hours:02}:{minutes:02}" if hours < 24 and minutes < 60 else None  # noqa: PLR2004
    year, *rest = data
    try:
        return datetime(2000 + year, *rest).isoformat()  # type: ignore[arg-type] # noqa: DTZ001 - the device's own local time
    except ValueError:
        return None


def scale_power(words: Mapping[int, int], row: Register) -> int | None:
    """The power of ten that a scale-factor row holds; None when it says "not implemented"."""
    raw = raw_of(row, words)
    if raw is None or raw == _NO_SCALE:
        return None
    return raw - 0x10000 if raw & 0x8000 else raw


def encode(row: Register, value: Value | bool, power: int | None = 0) -> tuple[int, ...]:
    """The words for `value`, in the order of `row.places`. Raises DeviceError with one sentence.

    For a row with a mask the words hold only its own bits: the caller keeps the others.
    """
    if isinstance(value, bool):
        value = int(value)
    raw = _code(row, value) if isinstance(value, str) else _raw(row, value, power)
    if row.mask is not None:
        raw <<= _shift(row.mask)
    count = len(row.places)
    return tuple(raw >> 16 * (count - 1 - index) & _WORD for index in range(count))


def _code(row: Register, word: str) -> int:
    for code, name in row.enum.items():
        if name == word:
            return code
    if row.type == "hhmm":
        hours, _, minutes = word.partition(":")
        if hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60:  # noqa: PLR2004
            return int(hours) * _HUNDRED + int(minutes)
        raise DeviceError(f"{row.name} takes a time such as 17:30, not {word}")
    if row.type == "string":
        data = word.encode("latin-1", "replace")
        if len(data) <= 2 * row.words:
            return int.from_bytes(data.ljust(2 * row.words, b"\0"), "big")
        raise DeviceError(f"{row.name} takes at most {2 * row.words} characters")
    if row.enum:
        raise DeviceError(f"{row.name} {word} is not one of {', '.join(row.enum.values())}")
    raise DeviceError(f"{row.name} takes a number, not {word}")


def _raw(row: Register, value: float, power: int | None) -> int:
    if row.type not in NUMBERS or not math.isfinite(value):
        raise DeviceError(f"{row.name} does not take {value:g}")
    if row.range is not None and not row.range[0] <= value <= row.range[1]:
        low, high = row.range
        unit = f" {row.unit}" if row.unit else ""
        raise DeviceError(f"{row.name} {value:g} is not between {low:g} and {high:g}{unit}")
    if power is None or abs(power) > _WIDEST_SCALE:
        raise DeviceError(f"{row.name} cannot be set while its scale is unknown")
    plain = (value - row.offset) / row.scale / 10.0**power
    if not math.isfinite(plain):
        raise DeviceError(f"{row.name} cannot hold {value:g}")
    if row.type[0] == "f":
        return _float_raw(row, plain)
    number = round(plain)
    if (row.enum or row.spans) and (number != value or _enum_word(row, number) is None):
        raise DeviceError(f"{row.name} has no meaning for {value:g}")
    bits = 16 * row.words if row.mask is None else (row.mask >> _shift(row.mask)).bit_length()
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if row.signed else (0, (1 << bits) - 1)
    if not low <= number <= high:
        raise DeviceError(f"{row.name} cannot hold {value:g}")
    raw = number & ((1 << bits) - 1)
    if raw in row.invalid:
        raise DeviceError(f"{row.name} cannot be set to {value:g}: the device reads it as no value")
    return raw


def _float_raw(row: Register, number: float) -> int:
    code = ">f" if row.words == 2 else ">d"  # noqa: PLR2004 - words of a 32-bit float
    try:
        raw = int.from_bytes(struct.pack(code, number), "big")
    except OverflowError:
        raise DeviceError(f"{row.name} cannot hold {number:g}") from None
    if raw in row.invalid:
        raise DeviceError(f"{row.name} cannot hold {number:g}: the device reads it as no value")
    return raw


def merged(row: Register, own: Sequence[int], there: Sequence[int]) -> tuple[int, ...]:
    """`own` words of a masked row laid over the words that are `there` now."""
    if row.mask is None:
        return tuple(own)
    count = len(row.places)
    masks = [row.mask >> 16 * (count - 1 - index) & _WORD for index in range(count)]
    return tuple(
        old & ~mask & _WORD | new & mask for old, new, mask in zip(there, own, masks, strict=True)
    )


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
