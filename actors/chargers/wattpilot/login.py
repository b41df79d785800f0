"""The login of a Wattpilot: a key out of password and serial number, and what is sent. Pure.

The key never leaves this side: it answers the charger's tokens and signs commands. Tokens, hashes
and keys are text throughout. Making a key takes a noticeable part of a second on purpose.
Source: joscha82/wattpilot and wattpilot-api 1.6.0; bcrypt (Wattpilot Flex) from the latter and,
the same, Kelevra-0815/WattpilotFlex.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Any, Final, Literal

Method = Literal["pbkdf2", "bcrypt"]

_ROUNDS: Final = 100_000
# The key is 32 characters of base64: the first 24 bytes, whatever length is derived.
_PBKDF2_BYTES: Final = 24
_COST: Final = "$2a$08$"
_SALT_BYTES: Final = 16
_SALT_TEXT: Final = 22
_STANDARD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT: Final = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_OWN_ALPHABET: Final = str.maketrans(_STANDARD, _BCRYPT)
_FLEX: Final = "flex"


def method_of(hello: dict[str, Any], required: dict[str, Any]) -> Method | None:
    """Tell which key is asked for; None for one that is not known.

    hello, required: the messages `hello` and `authRequired`. What the latter names wins.
    """
    named = required.get("hash")
    if named is None:
        flex = _FLEX in str(hello.get("devicetype", "")).lower()
        return "bcrypt" if flex else "pbkdf2"
    word = str(named).lower()
    if word == "pbkdf2":
        return "pbkdf2"
    return "bcrypt" if word == "bcrypt" else None


@lru_cache(maxsize=16)
def make_key(method: Method, password: str, serial: str) -> str:
    """Derive the key; made once. It keeps a processor busy for a moment: call it in a thread."""
    return _bcrypt(password, serial) if method == "bcrypt" else _pbkdf2(password, serial)


def _pbkdf2(password: str, serial: str) -> str:
    derived = hashlib.pbkdf2_hmac(
        "sha512", password.encode(), serial.encode(), _ROUNDS, _PBKDF2_BYTES
    )
    return base64.b64encode(derived).decode()


def _bcrypt(password: str, serial: str) -> str:
    import bcrypt  # only a Flex needs it

    salt = _COST + bcrypt_salt(serial)
    found = bcrypt.hashpw(sha256(password).encode(), salt.encode()).decode()
    return found[len(_COST) + _SALT_TEXT :]


def bcrypt_salt(serial: str) -> str:
    """Write the serial number as the 22 characters of a bcrypt salt.

    Digits count as their value where there is nothing else, other characters as their code; 16 of
    them from the right, zeros on the left.
    """
    last = serial[-_SALT_BYTES:]
    digits = serial.isascii() and serial.isdecimal()
    values = bytes((int(each) if digits else ord(each)) & 0xFF for each in last)
    text = base64.b64encode(values.rjust(_SALT_BYTES, b"\0")).decode()
    return text[:_SALT_TEXT].translate(_OWN_ALPHABET)


def answer(key: str, token1: str, token2: str, token3: str) -> str:
    """Answer the tokens of `authRequired`; token3 is ours, 32 hexadecimal digits made up anew."""
    return sha256(token3 + token2 + sha256(token1 + key))


def sign(key: str, text: str) -> str:
    """Sign the exact text of a command."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def sha256(text: str) -> str:
    """Give the SHA-256 of a text as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
