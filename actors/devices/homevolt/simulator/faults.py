"""What can be wrong with a simulated Homevolt or the way to it, served on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

from bridge.simulators.broken import break_off, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = {
    "stall": "takes the request and never answers",
    "close": "closes the connection without an answer",
    "cut": "stops in the middle of the body",
    "rubbish": "sends bytes that are not HTTP",
    "html": "sends the web page of a router",
    "truncated": "sends half of the JSON as if it were all",
    "empty": "sends an empty object",
    "list": "sends a list instead of an object",
    "no_units": "knows no battery",
    "oversized": "sends more than it ever would",
    "strings": "sends its numbers as texts",
    "nulls": "sends null for every number",
    "redirect": "sends the client elsewhere",
    "login": "refuses every login",
    "403": "refuses access",
    "404": "knows no such page",
    "500": "fails inside",
    "503": "is starting or updating itself",
}


_SPOILED: dict[str, Callable[[Any, str], str]] = {
    "truncated": lambda _, text: text[: len(text) // 2],
    "empty": lambda *_: "{}",
    "list": lambda _, text: f"[{text}]",
    "no_units": lambda *_: '{"$type": "ems_data", "ems": [], "sensors": []}',
    "oversized": lambda *_: json.dumps({"padding": "x" * 2_000_000}),
    "strings": lambda body, _: json.dumps(numbers(body, str)),
    "nulls": lambda body, _: json.dumps(numbers(body, lambda _: None)),
}


def spoil(fault: str | None, body: Any) -> web.StreamResponse:
    """The response for a good body under a fault of the data."""
    if fault == "html":
        return web.Response(text="<!DOCTYPE html><html>Login</html>", content_type="text/html")
    text = json.dumps(body)
    make = _SPOILED.get(fault or "")
    return web.Response(text=make(body, text) if make else text, content_type="application/json")


async def disturb(fault: str | None, request: web.Request) -> web.StreamResponse | None:
    """Do what a fault of the connection does; None lets the request go on."""
    if fault == "stall":
        await anyio.sleep_forever()
    if fault == "redirect":
        raise web.HTTPFound("http://192.0.2.1/elsewhere")
    if fault == "login":
        return web.Response(status=401, text="Unauthorized")
    if fault in {"403", "404", "500", "503"}:
        return web.Response(status=int(fault), text=f"Error {fault}")
    return break_off(fault, request, b'{"ems":[{')
