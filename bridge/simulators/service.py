"""What simulated services of the internet share: a server, faults of the way, weather of days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

import anyio
from aiohttp import web

from bridge.clock import Clock
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Iterable

WAY_FAULTS: Final = {
    "gateway": "fails before it answers, with a page that is no JSON (502)",
    "maintenance": "is out of service (503)",
    "html": "sends a web page as if all were well",
    "slow": "takes the request and never answers",
    "half": "stops in the middle of the body",
}
DAYS: Final = {"clear": 1.0, "mixed": 0.6, "dull": 0.2}
"""Kinds of day, and what they leave of a clear sky."""
_PAGE: Final = "<!DOCTYPE html><html><body><h1>Not available</h1></body></html>"
_HALF: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"


class Weather:
    """Days that follow one another: the kinds of DAYS in turn, by the day of UTC."""

    def __init__(self, days: Iterable[str]) -> None:
        self._days = tuple(days)
        if not self._days or not set(self._days) <= set(DAYS):
            raise ValueError(f"{', '.join(self._days)} is not of {', '.join(DAYS)}")

    def clearness(self, at: float) -> float:
        """The share of a clear sky's light at a second since 1970."""
        day = datetime.fromtimestamp(at, UTC).toordinal()
        return DAYS[self._days[day % len(self._days)]]


class ServiceSim(HttpSimulator):
    """`async with` serves `answer` on every path of `host`:`port`, which stays over stop and start.

    `fault` is None or a key of the module's FAULTS; `requests` has path and query of what was
    asked, `asked_at` when, by `clock`.
    """

    faults: ClassVar[dict[str, str]] = WAY_FAULTS

    def __init__(self, host: str, port: int, clock: Clock | None) -> None:
        self.host, self.port = host, port
        self.clock = clock or Clock()
        self.fault: str | None = None
        self.requests: list[str] = []
        self.asked_at: list[datetime] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What the service says when nothing is wrong with the way to it."""
        raise NotImplementedError

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        self.asked_at.append(self.clock.utc())
        match self.fault:
            case "slow":
                await anyio.sleep_forever()
            case "half" if request.transport is not None:
                request.transport.write(_HALF)
                request.transport.close()
                return web.Response()
            case "gateway":
                return web.Response(text=_PAGE, status=502, content_type="text/html")
            case "maintenance":
                return web.Response(text=_PAGE, status=503, content_type="text/html")
            case "html":
                return web.Response(text=_PAGE, content_type="text/html")
        return await self.answer(request)
