"""Sections, lists and texts as YAML that people like to read and our loader reads back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from bridge.importing.draft import FromFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")
_URL: Final = re.compile(r"[a-z]+://[A-Za-z0-9_./:?=&%@-]*[A-Za-z0-9_/=-]\Z")
_WORDS: Final = frozenset(
    {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n", "nan", "inf"}
)
_WIDE: Final = 100


def scalar(value: Any) -> str:
    """One value on one line; texts are quoted unless they are plain words, `$` is doubled."""
    if isinstance(value, FromFile):
        return f"!file {value.path}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value).replace("$", "$$")
    if (_PLAIN.match(text) and text.lower() not in _WORDS) or _URL.match(text):
        return text
    if text.isprintable() and ("\\" in text or '"' in text):
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return "".join(_escaped(each) for each in json.dumps(text, ensure_ascii=False))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - one unit


def flow(value: Mapping[str, Any] | Iterable[Any]) -> str:
    """`{kind: shelly, host: meter}`, on one line."""
    if hasattr(value, "items"):
        return "{" + ", ".join(f"{_key(key)}: {_inner(each)}" for key, each in value.items()) + "}"
    return "[" + ", ".join(_inner(each) for each in value) + "]"


def _inner(value: Any) -> str:
    if isinstance(value, (dict, list, tuple)):
        return flow(value)
    made = scalar(value)
    # Inside braces a `:`, `?` or `,` outside quotes can end a value.
    if isinstance(value, str) and made[0] not in "'\"" and not _PLAIN.match(made):
        return f'"{made}"'
    return made


def block(settings: Mapping[str, Any], indent: int) -> list[str]:
    """Lines `key: value`; lists of sections with one item a line."""
    lines: list[str] = []
    room = " " * indent
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += entry(key, value, indent)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{room}{_key(key)}:", *(f"{room}  - {flow(each)}" for each in value)]
        elif isinstance(value, (list, tuple)):
            lines.append(f"{room}{_key(key)}: {flow(value)}")
        else:
            lines.append(f"{room}{_key(key)}: {scalar(value)}")
    return lines


def entry(key: str, settings: Mapping[str, Any], indent: int) -> list[str]:
    """A section on one line where it fits, else as a block."""
    room = " " * indent
    line = f"{room}{_key(key)}: {flow(settings)}"
    if len(line) <= _WIDE and not any(isinstance(each, (dict, list)) for each in settings.values()):
        return [line]
    return [f"{room}{_key(key)}:", *block(settings, indent + 2)]


def _key(key: str) -> str:
    # An id such as `on` or `123` stays a text in quotes.
    return key if _PLAIN.match(key) and key.lower() not in _WORDS else json.dumps(key)
