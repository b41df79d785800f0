"""What can be wrong with the AlphaESS cloud or the way to it, served on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import anyio
from aiohttp import web

from bridge.simulators.broken import each

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = {
    "sign": "takes no signature (6007)",
    "clock": "has another time than everybody else (6006)",
    "ip": "does not like where the request comes from (6009)",
    "too_fast": "was asked too fast (6053)",
    "offline": "says that the system is offline (6042)",
    "unbound": "says that the system is not bound to the account (6005)",
    "internal": "failed inside (6026)",
    "quota": "answers with a code that nobody has documented",
    "html": "sends a web page instead of JSON",
    "slow": "takes longer than anybody waits",
    "half": "leaves out half of each answer",
    "nulls": "knows none of its values",
    "words": "sends words where numbers should be",
    "truncated": "sends half of the JSON as if it were all",
    "empty": "sends an object without a code",
    "list": "sends a list instead of the envelope",
    "close": "closes the connection without an answer",
    "502": "its gateway finds nobody behind it",
    "maintenance": "says that it is being maintained (HTTP 503)",
    "429": "was asked too often (HTTP 429)",
    "redirect": "sends the client elsewhere",
}
CODES: Final = {
    "sign": 6007,
    "clock": 6006,
    "ip": 6009,
    "too_fast": 6053,
    "offline": 6042,
    "unbound": 6005,
    "internal": 6026,
    "quota": 9999,
}
OF_ONE_SYSTEM: Final = frozenset({"offline", "unbound"})
CLOCK_FAULT: Final = 3600.0
_SLOW: Final = 30.0
_PAGE: Final = "<html><body>Something is wrong</body></html>"


def _halved(found: Any) -> Any:
    data = found.get("data")
    if isinstance(data, dict):
        names = list(data)
        data = {name: data[name] for name in names[: len(names) // 2]}
    return found | {"data": data}


_SPOILED: Final[dict[str, Callable[[Any], str]]] = {
    "half": lambda found: json.dumps(_halved(found)),
    "nulls": lambda found: json.dumps(found | {"data": each(found["data"], lambda _: None)}),
    "words": lambda found: json.dumps(found | {"data": each(found["data"], lambda _: "n/a")}),
    "truncated": lambda found: json.dumps(found)[: len(json.dumps(found)) // 2],
    "empty": lambda _: "{}",
    "list": lambda found: json.dumps([found]),
}


def as_json(found: Any, fault: str | None = None) -> web.Response:
    """An answer, spoilt where the fault is one of the data."""
    spoil = _SPOILED.get(fault or "")
    text = json.dumps(found) if spoil is None else spoil(found)
    return web.Response(text=text, content_type="application/json")


async def disturb(fault: str | None, request: web.Request) -> web.StreamResponse | None:
    """Do what a fault of the connection does; None lets the request go on."""
    if fault == "slow":
        await anyio.sleep(_SLOW)
    if fault == "redirect":
        raise web.HTTPFound("https://192.0.2.1/elsewhere")
    if fault == "html":
        return web.Response(text=_PAGE, content_type="text/html")
    status = {"502": 502, "maintenance": 503, "429": 429}.get(fault or "")
    if status is not None:
        headers = {"Retry-After": "1"} if status == 429 else {}
        return web.Response(status=status, text=_PAGE, content_type="text/html", headers=headers)
    if fault == "close" and request.transport is not None:
        request.transport.close()
        return web.Response()
    return None
