"""A simulated service of the internet over real HTTP, with what can be wrong with the way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
from aiohttp import web

from bridge.clock import Clock
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WEB_FAULTS: Final = {
    "busy": "was asked too often, and says when it may be asked again",
    "busy_plain": "was asked too often, and says nothing else",
    "broken": "fails inside (500)",
    "down": "is not there for a while (503)",
    "html": "sends a web page as if all were well",
    "slow": "takes the request and never answers",
    "half": "stops in the middle of its answer",
    "redirect": "sends to another address",
}
RETRY_AFTER: Final = 120
_PAGE: Final = "<!DOCTYPE html><html><body><h1>Please come back later</h1></body></html>"


class WebService(HttpSimulator):
    """`async with` it: it listens on `host` and `port` and calls `answer` for each request.

    `fault` is None or one of `faults`; `requests` lists method and path with query as they came.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, clock: Clock | None = None
    ) -> None:
        self.host, self.port = host, port
        self.clock = clock or Clock()
        self.fault: str | None = None
        self.requests: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What the service says when nothing is wrong with the way to it."""
        raise NotImplementedError

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        disturb: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "slow": _slow,
            "half": _half,
        }
        if self.fault in disturb:
            return await disturb[self.fault](request)
        plain = _plain(self.fault)
        return await self.answer(request) if plain is None else plain


def _plain(fault: str | None) -> web.Response | None:
    answers: dict[str, dict[str, Any]] = {
        "busy": {"status": 429, "headers": {"Retry-After": str(RETRY_AFTER)}},
        "busy_plain": {"status": 429},
        "broken": {"status": 500},
        "down": {"status": 503},
        "html": {"status": 200},
        "redirect": {"status": 302, "headers": {"Location": "/elsewhere"}},
    }
    given = answers.get(fault or "")
    return None if given is None else web.Response(text=_PAGE, content_type="text/html", **given)


async def _slow(_: web.Request) -> web.StreamResponse:
    await anyio.sleep_forever()
    raise AssertionError


async def _half(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n"
        request.transport.write(head + b'\r\n{"data": [{"start')
        request.transport.close()
    return web.Response()
