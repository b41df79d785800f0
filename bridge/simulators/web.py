"""WebSimulator: the base of simulated services of the internet, over real HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import anyio
from aiohttp import web

from bridge.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FAULTS: Final = {
    "busy": "was asked too often, and says when it may be asked again",
    "busy_plain": "was asked too often, and says nothing else",
    "broken": "fails inside (500)",
    "unavailable": "is being repaired (503)",
    "html": "sends a web page as if all were well",
    "slow": "takes the request and never answers",
    "half": "stops in the middle of the body",
}
"""What goes wrong with any service or on the way to it."""
_PAGE: Final = "<!DOCTYPE html><html><body><h1>We are back soon</h1></body></html>"


class WebSimulator:
    """`async with Simulator() as sim:` serves `routes()` on `sim.port`.

    `fault` is None or a key of `faults`; those of FAULTS are done here, for every route.
    `requests` is what was asked, as path and query, `asked_at` when; retry_after: s that `busy`
    asks to be left alone.
    """

    faults: Mapping[str, str] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
        retry_after: int = 120,
    ) -> None:
        self.host, self.port = host, port
        self.clock = clock or Clock()
        self.retry_after = retry_after
        self.requests: list[str] = []
        self.asked_at: list[float] = []
        self._fault: str | None = None
        self._runner: web.AppRunner | None = None

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served; a kind says it."""
        raise NotImplementedError

    @property
    def fault(self) -> str | None:
        """The fault that is switched on."""
        return self._fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        if name is not None and name not in self.faults:
            raise ValueError(f"{name} is not one of {', '.join(self.faults)}")
        self._fault = name

    # ---------------------------------------------------------------- serving

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; the port stays the same over stop and start."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests.append(request.path_qs)
            self.asked_at.append(self.clock.now())
            early = await self._disturbed(request)
            return await handler(request) if early is None else early

        application = web.Application(middlewares=[gate])
        application.add_routes(self.routes())
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection and the port."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    # ---------------------------------------------------------------- faults

    async def _disturbed(self, request: web.Request) -> web.StreamResponse | None:
        """Do what a fault of the service or of the way to it does; None: go on."""
        if self.fault == "slow":
            await anyio.sleep_forever()
        if self.fault == "half" and request.transport is not None:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 900\r\n\r\n"
            request.transport.write(head + b'{"data": <A')
            request.transport.close()
            return web.Response()
        page, wait = "text/html", {"Retry-After": str(self.retry_after)}
        answers = {
            "busy": lambda: web.Response(text="Too many requests", status=429, headers=wait),
            "busy_plain": lambda: web.Response(text="Too many requests", status=429),
            "broken": lambda: web.Response(text="Internal server error", status=500),
            "unavailable": lambda: web.Response(text=_PAGE, status=503, content_type=page),
            "html": lambda: web.Response(text=_PAGE, content_type=page),
        }
        make = answers.get(self.fault or "")
        return None if make is None else make()
