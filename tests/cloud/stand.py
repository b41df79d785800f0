"""A service against a small server, in time that a test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import web

from bridge.cloud import Limits, Service
from bridge.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cloud.server import Asked, Server
    from tests.support.days import Days

KEY = "hunter2-secret-key"


def service_of(server: Server, folder: Path, clock: Days, **given: Any) -> Service:
    given = {"limits": Limits(), "account": KEY, "name": "the test service", **given}
    return Service(server.base, folder=folder, clock=clock, **given)


async def done(days: Days, seconds: float, what: Callable[[], Any]) -> Any:
    """Let `what` run while time passes; its result or its error."""
    found: list[Any] = []

    async def run() -> None:
        try:
            found.append(await what())
        except DeviceError as error:
            found.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await days.advance(seconds)
        assert found, "it has not ended yet"
    return found[0]


def refusing(status: int, times: int, **headers: str) -> Callable[[Asked], web.Response]:
    left = [times]

    def answer(_: Asked) -> web.Response:
        left[0] -= 1
        if left[0] >= 0:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, headers=named, text="<html>no</html>")
        return web.json_response({"ok": True})

    return answer
