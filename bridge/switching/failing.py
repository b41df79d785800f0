"""Texts that are no status, although they were sent in place of one. Pure.

Most devices answer a question that failed with a page or an object that says so, and many with the
HTTP status of success. Such a text holds nothing of what is looked for, and that is not "off".
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

_PAGE: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|h[1-6]|p|br|div|center|pre|script|meta)\b",
    re.IGNORECASE,
)
_START: Final = 1000
_ERRORS: Final = frozenset({"error", "warning", "command"})
_TALK: Final = frozenset(
    {
        *("success", "ok", "status", "statuscode", "code", "message", "msg", "detail", "reason"),
        *("result", "title", "type", "timestamp", "path", "error"),
    }
)
"""What objects are made of that tell of nothing but a failure."""
_FAILED: Final = re.compile(
    r"\b(?:errors?|unauthori[sz]ed|forbidden|denied|not found|failed|failure|unavailable"
    r"|exception|bad request|bad gateway|too many requests)\b",
    re.IGNORECASE,
)
_OFF: Final = re.compile(
    r"(?<![a-z0-9.])(?:off|0|false|disabled|inactive|closed)(?![a-z0-9.])", re.IGNORECASE
)


def page_or_error(text: str) -> str | None:
    """What a text surely is instead of a status, whatever is found in it; None: it may be one."""
    if _PAGE.search(text[:_START]):
        return "a web page"
    content = _json(text)
    return "an error" if isinstance(content, dict) and _is_error(content) else None


def no_status(text: str) -> str | None:
    """What a text is in which nothing was found, if it is no status at all; None: it may be one."""
    bare = text.strip()
    if not bare:
        return "nothing"
    known = page_or_error(bare)
    if known is not None:
        return known
    content = _json(bare)
    if content in ({}, [], None) and bare in ("{}", "[]", "null"):
        return "nothing"
    if content is None and bare[0] in "{[":
        # A part of JSON may lack just the word that is looked for.
        return "half of something"
    if _FAILED.search(bare) and not _OFF.search(bare):
        return "an error"
    return None


def _is_error(content: dict[Any, Any]) -> bool:
    names = {str(name).lower(): value for name, value in content.items()}
    if any(names.get(each) for each in _ERRORS) or names.keys() == {"code", "message"}:
        return True
    words = " ".join(each for each in names.values() if isinstance(each, str))
    return names.keys() <= _TALK and _FAILED.search(words) is not None


def _json(text: str) -> Any:
    """None where it is none, or only `null`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
