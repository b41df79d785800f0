"""What can be wrong with an LG ESS or the way to it, served on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

from bridge.simulators.broken import break_off, each

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = {
    "stall": "takes the request and never answers",
    "slow": "takes longer than anybody waits",
    "500": "fails inside",
    "429": "was asked too often",
    "close": "closes the connection without an answer",
    "cut": "stops in the middle of an answer",
    "rubbish": "sends bytes that are not HTTP",
    "redirect": "sends the client elsewhere",
    "html": "sends a web page instead of JSON",
    "truncated": "sends half of the JSON as if it were all",
    "empty": "sends an empty object",
    "list": "sends a list instead of an object",
    "nulls": "knows none of its values",
    "half": "leaves whole blocks out",
    "memory": "sends values from uninitialised memory",
    "words": "sends words where numbers should be",
    "oversized": "sends more than any LG ESS would",
    "certificate": "shows another certificate",
    "session": "ends each session at once",
    "password": "refuses every password",
    "deaf": "says that it obeys, and does not",
}
_SLOW = 30.0


def _memory(value: Any) -> Any:
    return "212693561" if isinstance(value, str) else 2_126_935_608


_SPOILED: dict[str, Callable[[Any], str]] = {
    "truncated": lambda found: json.dumps(found)[: len(json.dumps(found)) // 2],
    "empty": lambda _: "{}",
    "list": lambda found: json.dumps([found]),
    "nulls": lambda found: json.dumps(each(found, lambda _: None)),
    "half": lambda found: json.dumps({key: found[key] for key in list(found)[:1]}),
    "memory": lambda found: json.dumps(each(found, _memory)),
    "words": lambda found: json.dumps(each(found, lambda _: "n/a")),
    "oversized": lambda _: json.dumps({"padding": "x" * 2_000_000}),
}


def as_json(found: Any, fault: str | None = None, status: int = 200) -> web.Response:
    """An answer as the device writes it, spoilt where the fault is one of the data."""
    if fault == "html":
        return web.Response(text="<html><body>Log in</body></html>", content_type="text/html")
    spoil = _SPOILED.get(fault or "")
    text = json.dumps(found, indent=4) if spoil is None else spoil(found)
    return web.Response(text=text, status=status, content_type="application/json")


async def disturb(fault: str | None, request: web.Request) -> web.StreamResponse | None:
    """Do what a fault of the connection does; None lets the request go on."""
    if fault == "stall":
        await anyio.sleep_forever()
    if fault == "slow":
        await anyio.sleep(_SLOW)
    if fault == "redirect":
        raise web.HTTPFound("https://192.0.2.1/elsewhere")
    if fault in {"500", "429"}:
        return web.Response(status=int(fault), text="<html>error</html>", content_type="text/html")
    return break_off(fault, request, b'{"statistics":{"pcs_pv')
