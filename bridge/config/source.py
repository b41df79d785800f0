"""From a file's bytes to text that YAML can be asked about."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config.problems import Problems

LARGEST: Final = 1_000_000
"""Bytes. A house needs a few thousand."""

# What YAML refuses, and the three line ends that editors do not count: lines would be off.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_bytes(path: Path, problems: Problems) -> bytes:
    """Read a configuration file. Raises ConfigError when that is not possible."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise problems.fail(1, "the file does not exist") from None
    except IsADirectoryError:
        raise problems.fail(1, "this is a folder: name the file in it") from None
    except PermissionError:
        raise problems.fail(1, "the file cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name is not valid"
        raise problems.fail(1, f"the file cannot be read: {why}") from None


def decode(content: bytes, problems: Problems) -> str:
    """Turn bytes into text. Raises ConfigError on what is not plain UTF-8 text."""
    if len(content) > LARGEST:
        raise problems.fail(1, f"the file is larger than {LARGEST // 1000} kB")
    if content.startswith(_UTF16):
        raise problems.fail(1, "the file is saved as UTF-16: save it as UTF-8")
    if content.startswith(codecs.BOM_UTF8):
        problems.warn(1, "the file begins with a byte order mark: save it as UTF-8 without BOM")
        content = content[len(codecs.BOM_UTF8) :]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line(content[: error.start].decode("utf-8", "replace"))
        raise problems.fail(line, "this is not UTF-8 text: save the file as UTF-8") from None
    if found := _INVISIBLE.search(text):
        raise problems.fail(
            _line(text[: found.start()]),
            f"an invisible character (U+{ord(found[0]):04X}) stands here: remove it",
        )
    return text


def _line(before: str) -> int:
    """Return the line after `before`, counted as editors do: LF, CRLF and CR each end one."""
    return 1 + before.count("\n") + before.replace("\r\n", "\n").count("\r")
