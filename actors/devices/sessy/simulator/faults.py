"""What can be wrong with a simulated Sessy or the way to it, served on purpose."""

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
    "error": "says that something is wrong with it",
    "oversized": "sends more than it ever would",
    "strings": "sends its numbers as texts",
    "nulls": "sends null for every number",
    "nan": "sends NaN for every number",
    "redirect": "sends the client elsewhere",
    "login": "refuses every login",
    "404": "knows no such page",
    "500": "fails inside and says why",
    "old_firmware": "knows the first pages only",
    "no_v2": "knows the first version of its pages only",
    "ignore_writes": "takes what is sent to it and does nothing",
    "no_values": "its meter is not connected",
}


_SPOILED: dict[str, Callable[[Any, str], str]] = {
    "truncated": lambda _, text: text[: len(text) // 2],
    "empty": lambda *_: "{}",
    "list": lambda _, text: f"[{text}]",
    "error": lambda *_: '{"status": "error"}',
    "oversized": lambda *_: json.dumps({"padding": "x" * 2_000_000}),
    "strings": lambda body, _: json.dumps(numbers(body, str)),
    "nulls": lambda body, _: json.dumps(numbers(body, lambda _: None)),
    "nan": lambda body, _: json.dumps(numbers(body, lambda _: float("nan"))),
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
    if fault == "404":
        return web.Response(status=404, text="This URI does not exist")
    if fault == "500":
        return web.Response(status=500, text="Error when getting a value from the battery")
    return break_off(fault, request, b'{"status":"ok","sessy":{')
