"""What can be wrong with a go-e charger or the way to it, served on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import anyio
from aiohttp import web

from bridge.simulators.broken import break_off

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = {
    "stall": "takes the request and never answers",
    "slow": "answers after `delay` seconds",
    "reset": "resets the connection",
    "close": "closes the connection without an answer",
    "cut": "stops in the middle of its answer",
    "html": "sends a web page",
    "truncated": "sends half of its JSON as if it were all",
    "empty": "sends an empty object",
    "list": "sends a list instead of an object",
    "nan": "sends NaN for its numbers",
    "oversized": "sends more than any charger would",
    "redirect": "sends the client elsewhere",
    "404": "has its HTTP API switched off",
    "500": "fails inside",
    "strings": "sends its numbers as texts",
    "nulls": "sends null for everything",
    "rubbish": "sends values of the wrong type",
    "unknown": "sends states that nobody knows",
    "refuse": "refuses every command",
    "forgetful": "confirms every command and follows none",
    "deaf": "never answers a command",
}
_PAGE: Final = "<!DOCTYPE html><html><body>Router login</body></html>"


async def disturb(
    fault: str | None, delay: float, request: web.Request
) -> web.StreamResponse | None:
    """Do what a fault of the connection does; None lets the request go on."""
    writes = request.path in {"/api/set", "/mqtt"}
    if fault == "stall" or (fault == "deaf" and writes):
        await anyio.sleep_forever()
    if fault == "slow":
        await anyio.sleep(delay)
    if fault == "redirect":
        raise web.HTTPFound("http://192.0.2.1/elsewhere")
    if fault in {"404", "500"}:
        return web.Response(status=int(fault), text="error")
    # (Its fault `rubbish` is one of the data.)
    return None if fault == "rubbish" else break_off(fault, request, b'{"car":2,')


def spoil(fault: str | None, body: dict[str, Any]) -> web.Response:
    """The answer for a good body under a fault of the data."""
    if fault == "html":
        return web.Response(text=_PAGE, content_type="text/html")
    if fault in _VALUES:
        body = {key: _VALUES[fault](value) for key, value in body.items()}
    text = json.dumps(body)
    make = _TEXTS.get(fault)
    return web.Response(text=make(text) if make else text, content_type="application/json")


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value if isinstance(value, (bool, dict)) or value is None else str(value)


_VALUES: Final[dict[str | None, Callable[[Any], Any]]] = {
    "strings": _text,
    "nulls": lambda _: None,
    "rubbish": lambda value: "a lot" if isinstance(value, (int, float)) else [[{}]],
    "unknown": lambda value: 98 if type(value) is int else value,
    "nan": lambda value: float("nan") if isinstance(value, (int, float)) else value,
}
_TEXTS: Final[dict[str | None, Callable[[str], str]]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda _: "{}",
    "list": lambda text: f"[{text}]",
    "oversized": lambda _: json.dumps({"padding": "x" * 2_000_000}),
}
