"""es-ESS's texts as our values. Each reader raises ValueError with the rest of a sentence."""

from __future__ import annotations

import ipaddress
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from bridge.config.types import VALID_ID
from bridge.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?\Z")
_NO_ID: Final = re.compile(r"[^A-Za-z0-9_-]+")
_GERMAN: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)
_LOGINS: Final = frozenset(
    {
        *("password", "passwd", "pass", "pwd", "pw", "secret", "token", "access_token"),
        *("auth", "auth_key", "authkey", "apikey", "api_key", "api-key", "key"),
    }
)
_LONGEST_ID: Final = 32
_LONGEST_NAME: Final = 64
_LONGEST_TEXT: Final = 500
_LAST_PORT: Final = 65535
_LONGEST_DEVICE_TOPIC: Final = 200


def flag(text: str) -> bool:
    """As es-ESS reads it: `true` in any case; everything else is false."""
    return text.strip().lower() == "true"


def number(low: float, high: float) -> Callable[[str], float | int]:
    """A reader of a number between two bounds; whole ones become int."""

    def read(text: str) -> float | int:
        try:
            value = float(text.strip())
        except ValueError:
            raise ValueError("it is not a number") from None
        if not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"it must lie between {low:.10g} and {high:.10g}")
        return int(value) if value == int(value) else value

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of a whole number between two bounds."""
    inner = number(low, high)

    def read(text: str) -> int:
        value = inner(text)
        if not isinstance(value, int):
            raise ValueError("it must be a whole number")  # noqa: TRY004 - the value is wrong
        return value

    return read


def seconds(low: float, high: float) -> Callable[[str], float | int]:
    """A reader of milliseconds that become seconds."""
    inner = number(low * 1000, high * 1000)

    def read(text: str) -> float | int:
        value = inner(text) / 1000
        return int(value) if value == int(value) else value

    return read


def position(*words: str) -> Callable[[str], str]:
    """A reader of Victron's numbers for a place: 0 is the first of `words`."""
    inner = whole(0, len(words) - 1)
    return lambda text: words[inner(text)]


def name(text: str) -> str:
    """A name that people read: one line, at most 64 characters."""
    line = " ".join(each for each in text.split() if each)
    line = "".join(each for each in line if each.isprintable())[:_LONGEST_NAME].strip()
    if not line:
        raise ValueError("it is empty")
    return line


def topic(text: str) -> str:
    """An MQTT topic without wildcards."""
    if not text or len(text) > _LONGEST_TEXT or not text.isprintable():
        raise ValueError("it is not a topic")
    if "+" in text or "#" in text:
        raise ValueError("a topic with '+' or '#' cannot be used here")
    return text


def quantity_topic(text: str) -> str:
    """A topic that a device of ours reads values from (bridge/payload_value.py)."""
    found = topic(text)
    if found.startswith("$") or len(found) > _LONGEST_DEVICE_TOPIC:
        words = (
            f"a topic here begins with a word and has at most {_LONGEST_DEVICE_TOPIC} characters"
        )
        raise ValueError(words)
    return found


def payload(text: str) -> str:
    """A short text to send."""
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"it is longer than {_LONGEST_TEXT} characters")
    return text


def pattern(groups: int = 0) -> Callable[[str], str]:
    """A reader of a regular expression that has at least so many groups."""

    def read(text: str) -> str:
        try:
            Pattern(text, groups=groups)
        except ValueError as error:
            raise ValueError(f"it {error}") from None
        return text

    return read


@dataclass(frozen=True, slots=True)
class Address:
    """A host, and the port that stood with it."""

    host: str
    port: int | None = None


def _is_v6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6 and "%" not in text  # noqa: PLR2004 - IPv6
    except ValueError:
        return False


def address(text: str) -> Address:
    """A host name or address; a scheme, login, port or path around it is taken apart."""
    bare = text.strip()
    if _HOST.match(bare) or _is_v6(bare):
        return Address(bare)
    parts = _split(bare if "://" in bare else f"http://{bare}")
    return Address(str(parts.hostname), parts.port)


@dataclass(frozen=True, slots=True, repr=False)
class Url:
    """A url without login, and the login that stood in it."""

    text: str
    username: str = ""
    password: str = ""
    quoted: bool = False


def url(text: str) -> Url:
    """An http or https url; quotes around it are dropped and its login is set aside."""
    bare = text.strip()
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\""
    if quoted:
        bare = bare[1:-1].strip()
    if len(bare) > _LONGEST_TEXT or not bare.isprintable() or not bare.isascii() or " " in bare:
        raise ValueError("it is not a url")
    parts = _split(bare)
    if parts.scheme not in ("http", "https") or parts.fragment:
        raise ValueError("it must begin with http:// or https://, and have no '#'")
    login, _, netloc = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    clean = urlunsplit(parts._replace(netloc=netloc))
    return Url(clean, unquote(user), unquote(password), quoted)


def holds_login(text: str) -> bool:
    """True for a url whose query names a password or a key."""
    names = (each.partition("=")[0].lower() for each in urlsplit(text).query.split("&"))
    return not _LOGINS.isdisjoint(names)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("its host or port cannot be read") from None
    if not host or not (_HOST.match(host) or _is_v6(host)):
        raise ValueError("it names no host that can be used")
    if port is not None and not 1 <= port <= _LAST_PORT:
        raise ValueError("its port must be from 1 to 65535")
    return parts


def identity(text: str, otherwise: str) -> str:
    """An id of ours that looks like `text`; `otherwise` when nothing of it can stay."""
    if VALID_ID.match(text):
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_GERMAN))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    made = _NO_ID.sub("_", plain).strip("_")[:_LONGEST_ID].strip("_")
    return made or otherwise
