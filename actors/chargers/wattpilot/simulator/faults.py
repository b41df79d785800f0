"""What can be wrong with a Wattpilot or the way to it, served on purpose."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable

    Message = dict[str, Any]

FAULTS = {
    "silent": "takes the connection and never says anything",
    "slow": "waits `delay` seconds before each message",
    "drop": "closes the connection after its first message",
    "reset": "resets the connection",
    "html": "answers with a web page instead of a WebSocket",
    "html_frames": "sends a web page in the WebSocket",
    "truncated": "sends half of each message",
    "half_status": "sends the first part of its status and no other",
    "half_login": "says hello and asks for no login",
    "half_login_2": "asks for a login without its tokens",
    "unknown_login": "asks for a kind of login that nobody knows",
    "login": "refuses every password",
    "oversized": "sends more than any Wattpilot would",
    "list": "sends a list instead of an object",
    "404": "knows no such page",
    "500": "fails inside",
    "redirect": "sends the client elsewhere",
    "strings": "sends its numbers as texts",
    "nulls": "sends null for everything",
    "rubbish": "sends values of the wrong type",
    "unknown": "sends states and messages that nobody knows",
    "deaf": "never answers a command",
    "refuse": "refuses every command",
    "forgetful": "confirms every command and follows none",
}
# A charger that starts one of these has been started anew: whoever was connected is not any more.
LOUD = frozenset(FAULTS) - {
    *("silent", "slow", "strings", "nulls", "rubbish", "unknown", "deaf", "refuse", "forgetful"),
}
_PAGE = "<!DOCTYPE html><html><body>Router login</body></html>"
_STATUS = frozenset({"fullStatus", "deltaStatus"})


async def refuse(fault: str | None, request: web.Request) -> web.StreamResponse | None:
    """Do what a fault does to a new connection; None lets it in."""
    if fault == "html":
        return web.Response(text=_PAGE, content_type="text/html")
    if fault in {"404", "500"}:
        return web.Response(status=int(fault), text="error")
    if fault == "redirect":
        raise web.HTTPFound("http://192.0.2.1/ws")
    if fault == "reset" and request.transport is not None:
        _reset(request.transport)
        return web.Response()
    return None


def _reset(transport: Transport) -> None:
    # Linger 0: the other side sees a reset, not an orderly end.
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


async def spoil(fault: str | None, delay: float, message: Message) -> str | None:
    """Write a message as the fault has it; None where it is not sent at all."""
    if fault == "silent":
        await anyio.sleep_forever()
    if fault == "slow":
        await anyio.sleep(delay)
    kind = message["type"]
    if fault in {"half_login", "half_status"} and not _passes(fault, message):
        return None
    if fault == "half_login_2" and kind == "authRequired":
        return json.dumps({"type": kind})
    if fault == "unknown_login" and kind == "authRequired":
        return json.dumps(message | {"hash": "argon2"})
    if kind in _STATUS and fault in _VALUES:
        changed = {key: _VALUES[fault](value) for key, value in message["status"].items()}
        return json.dumps(message | {"status": changed})
    text = json.dumps(message)
    return _TEXTS[fault](text) if fault in _TEXTS else text


def _passes(fault: str, message: Message) -> bool:
    if fault == "half_login":
        return bool(message["type"] == "hello")
    return not (message["type"] in _STATUS and message.get("partial") is not True)


def _text(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_text(each) for each in value]
    return value if isinstance(value, (bool, dict)) or value is None else str(value)


_VALUES: dict[str | None, Callable[[Any], Any]] = {
    "strings": _text,
    "nulls": lambda _: None,
    "rubbish": lambda value: "a lot" if isinstance(value, (int, float)) else [[{}]],
    "unknown": lambda value: 98 if type(value) is int else value,
}
_TEXTS: dict[str | None, Callable[[str], str]] = {
    "html_frames": lambda _: _PAGE,
    "truncated": lambda text: text[: len(text) // 2],
    "list": lambda text: f"[{text}]",
    "oversized": lambda _: json.dumps({"type": "hello", "padding": "x" * 2_000_000}),
}
