"""Plain payloads: one value per topic, readable with `mosquitto_sub` and by an ESP.

Every refusal is a PayloadError with one sentence that names the field, what came and what is
expected. Reading is lenient in form (blanks, any case, exponents), never in meaning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from bridge.errors import ContractError, PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.contract.model import Value

PLAIN_BYTES = 4096
_SHOWN = 40
_TEXT_LENGTH = 1000
_SENTENCE_BYTES = 140  # topic and payload of a plain topic stay under 200 bytes
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?\Z")
_WORD = re.compile(r"[A-Za-z0-9_+.-]{1,32}\Z")
# Control characters, line separators and the marks that turn the direction of writing.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LINE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z \S")
_TRUE = frozenset(("true", "1", "on", "yes"))
_FALSE = frozenset(("false", "0", "off", "no"))


def refuse(label: str, why: str) -> NoReturn:
    """Raise the one kind of error this package has."""
    sentence = f"{label} {why}"
    raise PayloadError(sentence) from None


def shown(value: object) -> str:
    """A value for people: printable, quoted when it is text, at most 40 characters."""
    text = value if isinstance(value, str) else _plain(value)
    text = "".join(each if each.isprintable() else "?" for each in text[: _SHOWN + 1])
    if len(text) > _SHOWN:
        text = f"{text[: _SHOWN - 1]}…"
    return f"'{text}'" if isinstance(value, str) else text


def _plain(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_SHOWN else "a number far too large"
    names: dict[type, str] = {list: "a list", dict: "an object"}
    return names.get(type(value), f"a {type(value).__name__}")


def text_of(label: str, payload: bytes, limit: int) -> str:
    """The payload as text; refuses what is too long or not UTF-8."""
    if len(payload) > limit:
        refuse(label, f"has {len(payload)} bytes: at most {limit} are read")
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return refuse(label, "is not readable text: send UTF-8")


class PlainCodec:
    """Writes and reads one plain value.

    read    text -> value          (from a payload)
    check   value -> value         (from our own code, or JSON; cleaned and in range)
    write   checked value -> text
    """

    def __init__(self, value: Value, *, empty: bool, limit: int = PLAIN_BYTES) -> None:
        self.value = value
        self.label = value.name
        self._empty = empty
        self._limit = limit

    def read(self, text: str) -> Any:
        """The value of a text without blanks around it."""
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        """A value as it may be written or put into JSON."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """A checked value as text."""
        return str(value)

    def take(self, value: Any) -> Any:
        """A value out of JSON; text is read like a payload."""
        return self.read(value.strip()) if isinstance(value, str) else self.check(value)

    def encode(self, value: Any) -> bytes:
        """The payload of a value."""
        if value is None:
            if not self._empty:
                refuse(self.label, "cannot be empty here")
            return b""
        return self.write(self.check(value)).encode()

    def decode(self, payload: bytes) -> Any:
        """The value of a payload."""
        if not payload:
            if not self._empty:
                refuse(self.label, f"is empty: {self.expected()}")
            return None
        return self.read(text_of(self.label, payload, self._limit).strip())

    def expected(self) -> str:
        """What is expected, to end a sentence of refusal."""
        return "send a value"


class NumberCodec(PlainCodec):
    """A finite number in a range; a small negative inside the noise band is 0."""

    def __init__(self, value: Value, *, empty: bool, limit: int = PLAIN_BYTES) -> None:
        super().__init__(value, empty=empty, limit=limit)
        if value.min is None or value.max is None or value.digits is None:
            sentence = f"{value.name} needs min, max and digits in topics.yaml"
            raise ContractError(sentence)
        self._low: float = value.min if value.noise_floor is None else value.noise_floor
        self._high: float = value.max
        self._digits = value.digits
        self._noisy = value.noise_floor is not None
        self.encode = self._encoder(super().encode)  # type: ignore[method-assign,assignment]

    def _encoder(self, slow: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
        # The hot path: every reading of every device passes here, so it is one flat function.
        low, high, noisy, digits = self._low, self._high, self._noisy, self._digits
        form = f"%.{digits}f"

        def encode(value: Any) -> bytes:
            kind = type(value)
            if (kind is float or kind is int) and low <= value <= high:
                if value <= 0 and (noisy or not value):
                    return b"0"
                text = form % value
                if digits:
                    text = text.rstrip("0").rstrip(".")
                return b"0" if text == "-0" else text.encode()
            return slow(value)

        return encode

    def expected(self) -> str:
        """The unit, in words."""
        unit = self.value.unit
        return f"send the number alone, in {unit}" if unit else "send the number alone"

    def read(self, text: str) -> float:
        """The number; never NaN or infinite."""
        if not _NUMBER.match(text):
            refuse(self.label, f"{shown(text)} is not a plain number: {self.expected()}")
        return self._ranged(float(text), text)

    def check(self, value: Any) -> float:
        """A number in range, rounded to its digits; whole ones as int."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            refuse(self.label, f"{shown(value)} is not a number: {self.expected()}")
        rounded = round(self._ranged(value, value), self._digits)
        return int(rounded) if rounded == int(rounded) else rounded

    def _ranged(self, number: float, given: object) -> float:
        if not self._low <= number <= self._high:  # NaN compares false and ends here too
            unit = f" {self.value.unit}" if self.value.unit else ""
            span = f"{self.value.min:.10g} to {self.value.max:.10g}{unit}"
            refuse(self.label, f"{shown(given)} is out of range: it takes {span}")
        if self._noisy and number < 0:
            return 0.0
        return float(number)

    def write(self, value: Any) -> str:
        """Without exponent, without `.0`."""
        text = f"{value:.{self._digits}f}"
        return text.rstrip("0").rstrip(".") if self._digits else text


class FlagCodec(PlainCodec):
    """True or false; written `true` and `false`."""

    def expected(self) -> str:
        """The two words."""
        return "send true or false"

    def read(self, text: str) -> bool:
        """From true/false, 1/0, on/off, yes/no in any case."""
        folded = text.lower()
        if folded in _TRUE:
            return True
        if folded in _FALSE:
            return False
        return refuse(self.label, f"{shown(text)} is neither true nor false")

    def check(self, value: Any) -> bool:
        """A bool."""
        if not isinstance(value, bool):
            refuse(self.label, f"{shown(value)} is neither true nor false")
        return value

    def take(self, value: Any) -> bool:
        """JSON knows 1 and 0 too."""
        if isinstance(value, (int, float)) and value in (0, 1):
            return bool(value)
        return bool(super().take(value))

    def write(self, value: Any) -> str:
        """`true` or `false`."""
        return "true" if value else "false"


class WordCodec(PlainCodec):
    """One of the options; any single word where the value is open."""

    def __init__(self, value: Value, *, empty: bool, limit: int = PLAIN_BYTES) -> None:
        super().__init__(value, empty=empty, limit=limit)
        self._options = {option.lower(): option for option in value.options}

    def expected(self) -> str:
        """The options."""
        return f"it takes {', '.join(self.value.options)}"

    def read(self, text: str) -> str:
        """The option in its own spelling."""
        found = self._options.get(text.lower())
        if found is not None:
            return found
        if self.value.open and _WORD.match(text):
            return text
        return refuse(self.label, f"{shown(text)} is not known: {self.expected()}")

    def check(self, value: Any) -> str:
        """An option, spelled exactly."""
        if not isinstance(value, str):
            refuse(self.label, f"{shown(value)} is not a word: {self.expected()}")
        if value not in self.value.options and not (self.value.open and _WORD.match(value)):
            refuse(self.label, f"{shown(value)} is not known: {self.expected()}")
        return value


class TextCodec(PlainCodec):
    """One line of printable text."""

    def expected(self) -> str:
        """One line."""
        return "send one line of text"

    def read(self, text: str) -> str:
        """The text, unchanged."""
        limit = self.value.max_length or _TEXT_LENGTH
        if len(text) > limit:
            refuse(self.label, f"has {len(text)} characters: at most {limit} are read")
        if _UNPRINTABLE.search(text):
            refuse(self.label, f"{shown(text)} has unprintable characters: {self.expected()}")
        return text

    def check(self, value: Any) -> str:
        """The same for our own."""
        if not isinstance(value, str):
            refuse(self.label, f"{shown(value)} is not text: {self.expected()}")
        return self.read(value)


class SentenceCodec(TextCodec):
    """A sentence for people; ours are put on one line and kept short for small clients."""

    def check(self, value: Any) -> str:
        """One line of at most 140 bytes; a longer one ends in `…`."""
        if not isinstance(value, str):
            refuse(self.label, f"{shown(value)} is not text: {self.expected()}")
        text = " ".join(_UNPRINTABLE.sub(" ", value).split())
        raw = text.encode()
        if len(raw) <= _SENTENCE_BYTES:
            return text
        return raw[: _SENTENCE_BYTES - 3].decode(errors="ignore").rstrip() + "…"


class LineCodec(TextCodec):
    """A time and a sentence: `2026-11-21T21:14:03Z the meter is silent`."""

    def expected(self) -> str:
        """The form."""
        return "it takes a UTC time, a blank and a sentence"

    def read(self, text: str) -> str:
        """The line, unchanged."""
        text = super().read(text)
        if not _LINE.match(text):
            refuse(self.label, f"{shown(text)} has no time in front: {self.expected()}")
        return text

    def check(self, value: Any) -> str:
        """Ours are put on one line and cut to what may be read."""
        if isinstance(value, str):
            value = " ".join(_UNPRINTABLE.sub(" ", value).split())[:_TEXT_LENGTH]
        return super().check(value)


_CODECS: dict[str, type[PlainCodec]] = {
    "number": NumberCodec,
    "flag": FlagCodec,
    "word": WordCodec,
    "text": TextCodec,
    "sentence": SentenceCodec,
    "line": LineCodec,
}


def plain_codec(value: Value, *, empty: bool, limit: int = PLAIN_BYTES) -> PlainCodec:
    """The codec of a plain value; with `empty` the empty payload stands for None."""
    return _CODECS[value.kind](value, empty=empty, limit=limit)
