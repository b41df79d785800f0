"""What can be wrong with a device or the way to it, served on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

from bridge.simulators.broken import break_off

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = {
    "stall": "takes the request and never answers",
    "slow": "answers after `delay` seconds",
    "reset": "resets the connection",
    "close": "closes the connection without an answer",
    "cut": "stops in the middle of the body",
    "rubbish": "sends bytes that are not HTTP",
    "html": "sends a web page",
    "wrong_type": "calls its data plain text",
    "truncated": "sends half of the JSON as if it were all",
    "duplicate": "sends a key twice",
    "nan": "sends NaN as a power",
    "memory": "sends values from uninitialised memory",
    "strings": "sends its numbers as texts",
    "empty": "sends an empty object",
    "list": "sends a list instead of an object",
    "deep": "sends brackets without end",
    "oversized": "sends more than any Shelly would",
    "redirect": "sends the client elsewhere",
    "404": "knows no such page",
    "500": "fails inside",
    "login": "refuses every login",
}

_POWERS = ("power", "total_power", "act_power", "apower")


def _change(found: Any, value: Any) -> Any:
    """Put `value` wherever a power stands."""
    if isinstance(found, dict):
        return {
            key: value if key.endswith(_POWERS) else _change(inner, value)
            for key, inner in found.items()
        }
    return [_change(each, value) for each in found] if isinstance(found, list) else found


def _texts(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _texts(inner) for key, inner in found.items()}
    if isinstance(found, list):
        return [_texts(each) for each in found]
    return str(found) if isinstance(found, float) else found


def spoil(fault: str | None, body: Any) -> web.StreamResponse:
    """The response for a good body under a fault of the data."""
    if fault == "html":
        page = "<!DOCTYPE html><html><body>Router login</body></html>"
        return web.Response(text=page, content_type="text/html")
    text = json.dumps(body)
    make = _SPOILED.get(fault or "")
    kind = "text/plain" if fault == "wrong_type" else "application/json"
    return web.Response(text=make(body, text) if make else text, content_type=kind)


_SPOILED: dict[str, Callable[[Any, str], str]] = {
    "truncated": lambda _, text: text[: len(text) // 2],
    "duplicate": lambda _, text: text[:-1] + ', "twice": 1, "twice": 2}',
    "nan": lambda body, _: json.dumps(_change(body, float("nan"))),
    "memory": lambda body, _: json.dumps(_change(body, -3.4028234663852886e38)),
    "strings": lambda body, _: json.dumps(_texts(body)),
    "empty": lambda *_: "{}",
    "list": lambda _, text: f"[{text}]",
    "deep": lambda *_: "[" * 100_000,
    "oversized": lambda *_: json.dumps({"padding": "x" * 2_000_000}),
}


async def disturb(
    fault: str | None, delay: float, request: web.Request
) -> web.StreamResponse | None:
    """Do what a fault of the connection does; None lets the request go on."""
    if fault == "stall":
        await anyio.sleep_forever()
    if fault == "slow":
        await anyio.sleep(delay)
    if fault == "redirect":
        raise web.HTTPFound("http://192.0.2.1/elsewhere")
    if fault in {"404", "500"}:
        words = {"404": f"No handler for {request.path[5:]}", "500": "Internal error"}[fault]
        return web.json_response({"code": int(fault), "message": words}, status=int(fault))
    if fault == "login":
        challenge = 'Digest qop="auth", realm="sim", nonce="1", algorithm=SHA-256'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})
    return break_off(fault, request, b'{"em:0":{"id":0,')
