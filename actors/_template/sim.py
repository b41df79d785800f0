"""A simulated device that speaks the same protocol on loopback, with its faults.

It serves `samples/status.json`; what changes is an attribute.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SAMPLE = Path(__file__).parent / "samples" / "status.json"
FAULTS = {
    "stall": "takes the request and never answers",
    "close": "closes the connection without an answer",
    "rubbish": "sends bytes that are not HTTP",
    "truncated": "sends half of the JSON as if it were all",
    "nan": "sends a text where a number should be",
    "empty": "sends an empty object",
    "oversized": "sends more than such a device would",
    "500": "fails inside",
    "login": "refuses every login",
}


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one device on `sim.port`.

    power: W; total: Wh; limit: W or None; password: with it, a login is required. `fault` is None
    or a key of FAULTS. `watchdog`: seconds after which a limit is forgotten.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        power: float | None = None,
        password: str | None = None,
        watchdog: float = 60.0,
    ) -> None:
        self.host, self.port, self.password = host, port, password
        self.status: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
        if power is not None:
            self.power = power
        self.watchdog = watchdog
        self.fault: str | None = None
        self.requests: list[str] = []
        self._limited_at = 0.0

    # ---------------------------------------------------------------- the physical side

    @property
    def power(self) -> float:
        """W, as far as the limit allows."""
        return float(self.status["power_w"])

    @power.setter
    def power(self, watts: float) -> None:
        self.status["power_w"] = watts

    @property
    def limit(self) -> float | None:
        """W in force; None without one, also once the watchdog has ended it."""
        expired = anyio.current_time() - self._limited_at > self.watchdog
        return None if expired else self.status["limit_w"]

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application(middlewares=[self._middleware])
        application.router.add_get("/status", self._status)
        application.router.add_post("/limit", self._limit)
        return application

    @property
    def _middleware(self) -> Any:
        @web.middleware
        async def faults(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.requests.append(f"{request.method} {request.path}")
            wrong = self.password and request.headers.get("X-Password") != self.password
            if wrong or self.fault == "login":
                return web.Response(status=401)
            if self.fault == "stall":
                await anyio.sleep_forever()
            if self.fault == "500":
                return web.Response(status=500, text="internal error")
            if self.fault in {"close", "rubbish"} and request.transport is not None:
                if self.fault == "rubbish":
                    request.transport.write(b"\x00\x16\x03 this is not HTTP\r\n\r\n")
                request.transport.close()
                return web.Response()
            return await handler(request)

        return faults

    async def _status(self, _: web.Request) -> web.Response:
        answer = self.status | {"limit_w": self.limit}
        if answer["limit_w"] is not None:
            answer["power_w"] = min(answer["power_w"], answer["limit_w"])
        text = json.dumps(answer)
        spoilt = {
            "truncated": text[: len(text) // 2],
            "nan": json.dumps(answer | {"power_w": "a lot"}),
            "empty": "{}",
            "oversized": json.dumps({"padding": "x" * 200_000}),
        }
        return web.Response(
            text=spoilt.get(self.fault or "", text), content_type="application/json"
        )

    async def _limit(self, request: web.Request) -> web.Response:
        self.status["limit_w"] = (await request.json())["watts"]
        self._limited_at = anyio.current_time()
        return web.json_response({"limit_w": self.status["limit_w"]})


__all__ = ["FAULTS", "Simulator"]
