"""A small service on loopback that does as it is told, and remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass
class Asked:
    """One request. `at`: by the clock the server was given."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """`answer` makes each response; `asked` lists what came."""

    answer: Callable[[Asked], web.Response | Awaitable[web.Response]] | None = None
    now: Callable[[], float] = lambda: 0.0
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def times(self) -> list[float]:
        return [each.at for each in self.asked]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(
            self.now(),
            request.method,
            request.path,
            dict(request.query),
            headers,
            await request.read(),
        )
        self.asked.append(asked)
        if self.answer is None:
            return web.json_response({"number": len(self.asked)})
        found: Any = self.answer(asked)
        return found if isinstance(found, web.Response) else await found
