"""What can be wrong with a simulated Amber or the way to it, served on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = {
    "login": "refuses every token",
    "site": "knows no such site",
    "busy": "was asked too often, and says when it may be asked again",
    "busy_plain": "was asked too often, and says nothing else",
    "broken": "fails inside, and says so in JSON",
    "gateway": "fails before it answers, with a page that is no JSON",
    "html": "sends a web page as if all were well",
    "slow": "takes the request and never answers",
    "half": "stops in the middle of the body",
    "empty": "has no prices",
    "object": "sends an object instead of a list",
    "nulls": "sends null for every price",
    "strings": "sends its numbers as texts",
    "no_feed_in": "tells nothing of the feed-in channel",
    "no_bands": "gives no predictions and no ranges",
    "no_estimate": "does not say whether a price is final",
    "open": "leaves every price an estimate",
    "stuck": "shows the interval of ten minutes ago as the current one",
}
_ERROR: Final = {"message": "Internal server error"}
_PAGE: Final = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
_NUMBERS: Final = ("perKwh", "spotPerKwh", "renewables", "duration", "kwh", "cost")


async def disturb(
    fault: str | None, request: web.Request, headers: dict[str, str]
) -> web.StreamResponse | None:
    """Do what a fault of the connection or of the whole service does; None: go on."""
    if fault == "slow":
        await anyio.sleep_forever()
    if fault == "half" and request.transport is not None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n"
        request.transport.write(head + b'\r\n[{"type":"Act')
        request.transport.close()
        return web.Response()
    answers: dict[str, Callable[[], web.Response]] = {
        "login": lambda: web.json_response({"message": "Unauthorized"}, status=401),
        "busy": lambda: web.json_response(
            {"message": "Too many requests"},
            status=429,
            headers={**headers, "RateLimit-Remaining": "0"},
        ),
        "busy_plain": lambda: web.Response(text="Too many requests", status=429),
        "broken": lambda: web.json_response(_ERROR, status=500, headers=headers),
        "gateway": lambda: web.Response(text=_PAGE, status=502, content_type="text/html"),
        "html": lambda: web.Response(text=_PAGE, content_type="text/html"),
    }
    make = answers.get(fault or "")
    return make() if make else None


def spoil(fault: str | None, items: list[dict[str, Any]]) -> Any:
    """What a fault of the data makes of good items."""
    spoilers: dict[str, Callable[[], Any]] = {
        "empty": list,
        "object": lambda: {"message": "nothing"},
        "nulls": lambda: [_with(each, lambda _: None) for each in items],
        "strings": lambda: [_with(each, str) for each in items],
        "no_feed_in": lambda: [each for each in items if each.get("channelType") != "feedIn"],
        "no_bands": lambda: [_without(each, "advancedPrice", "range") for each in items],
        "no_estimate": lambda: [_without(each, "estimate") for each in items],
        "open": lambda: [
            each | {"estimate": True} if "estimate" in each else each for each in items
        ],
    }
    make = spoilers.get(fault or "")
    return make() if make else items


def _with(item: dict[str, Any], make: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: make(value) if name in _NUMBERS else value for name, value in item.items()}


def _without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}
