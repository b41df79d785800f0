"""A simulated AlphaESS Open API over real HTTP: signatures, verbs, codes, a scripted day."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, tzinfo
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from actors.devices.alphaess.signing import ALLOWED_SKEW, sign
from actors.devices.alphaess.simulator.account import GET, POST, Account, Refuse
from actors.devices.alphaess.simulator.faults import (
    CLOCK_FAULT,
    CODES,
    FAULTS,
    OF_ONE_SYSTEM,
    as_json,
    disturb,
)
from bridge.clock import Clock
from bridge.config.secret import Secret
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["APP_ID", "APP_SECRET", "FAULTS", "SETTINGS", "Simulator"]

APP_ID: Final = "alpha0123456789abcdef"
APP_SECRET: Final = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of a simulated account
SETTINGS: Final = {"app_id": APP_ID, "app_secret": Secret(APP_SECRET), "gap": 0.0}
_TEXTS: Final = {
    200: "Success",
    6009: "The request timestamp is not within the validity period",
    6042: "system offline",
    6053: "The request was too fast, please try again later",
    9999: "The maximum number of requests has been reached",
}
_PERIODIC: Final = frozenset({"getTimeChargeBySn", "setTimeChargeBySn"})


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one account on `sim.port`.

    systems: how many are bound; chargers: EV chargers of each; model: `legacy` or `scheduled` (the
    older settings are empty); entitled: a legacy one may use the newer schedule too; gap: s between
    two calls, else 6053 (0: no limit); hour: the time of day that stands still there (None: it
    goes with the clock); skew: s that its clock is ahead. `account` is what it keeps, `fault` None
    or a key of FAULTS, `requests` what was asked, `at` when.
    """

    def __init__(  # noqa: PLR0913 - a cloud has many sides
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        systems: int = 1,
        chargers: int = 0,
        model: str = "legacy",
        entitled: bool = False,
        gap: float = 0.0,
        hour: float | None = None,
        skew: float = 0.0,
        app_id: str = APP_ID,
        app_secret: str = APP_SECRET,
        clock: Clock | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self.host, self.port = host, port
        self.account = Account(systems, chargers, model, entitled=entitled)
        self.gap, self.hour, self.skew = gap, hour, skew
        self.app_id, self.app_secret = str(app_id), str(app_secret)
        self.clock, self.zone = clock or Clock(), zone
        self.fault: str | None = None
        self.requests: list[str] = []
        self.at: list[float] = []
        self.too_fast = 0

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    @property
    def url(self) -> str:
        """The base, as in the configuration."""
        return f"http://{self.host}:{self.port}/api"

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the url."""
        return {"app_id": self.app_id, "app_secret": self.app_secret, "gap": self.gap}

    # ---------------------------------------------------------------- time

    def unix(self) -> float:
        """Unix seconds on the service's clock."""
        wrong = CLOCK_FAULT if self.fault == "clock" else 0.0
        return self.clock.utc().timestamp() + self.skew + wrong

    def now(self) -> datetime:
        """The local time of the systems."""
        moment = self.clock.utc().astimezone(self.zone)
        if self.hour is None:
            return moment
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(hours=self.hour)

    # ---------------------------------------------------------------- one request

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api").strip("/")
        self.requests.append(f"{request.method} {path}")
        early = await disturb(self.fault, request)
        answer = early if early is not None else await self._answer(request, path)
        if self.fault != "clock" and not self.skew:
            return answer
        moment = self.clock.utc() + timedelta(seconds=self.unix() - self.clock.utc().timestamp())
        answer.headers["Date"] = format_datetime(moment, usegmt=True)
        return answer

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        wanted = "GET" if path in GET else "POST" if path in POST else None
        if wanted is None:
            return self._spring(404, "Not Found", request.path)
        if request.method != wanted:
            return self._spring(405, "Method Not Allowed", request.path)
        try:
            self._let_in(request.headers)
            given = dict(request.query) if wanted == "GET" else await self._body(request)
            self._fail(path)
            data = self.account.answer(path, given, self.now())
        except Refuse as refusal:
            return as_json(self._envelope(path, refusal.code, hint=refusal.hint))
        return as_json(self._envelope(path, 200, data), self.fault)

    def _let_in(self, headers: Mapping[str, str]) -> None:
        """The three headers, the time, the signature, and the pace. Raises Refuse."""
        stamp, given = headers.get("timeStamp"), headers.get("sign")
        for value, code in ((given, 6010), (stamp, 6011), (headers.get("appId"), 6012)):
            if not value:
                raise Refuse(code)
        if not str(stamp).isdecimal() or abs(self.unix() - int(str(stamp))) > ALLOWED_SKEW:
            raise Refuse(6006)
        right = sign(self.app_id, self.app_secret, str(stamp))
        if headers["appId"] != self.app_id or given != right:
            raise Refuse(6007)
        now = self.clock.now()
        soon = bool(self.at) and now - self.at[-1] < self.gap
        self.at.append(now)
        if soon:
            self.too_fast += 1
            raise Refuse(6053)

    async def _body(self, request: web.Request) -> dict[str, Any]:
        try:
            found = json.loads(await request.text())
        except ValueError:
            found = None
        if not isinstance(found, dict) or request.content_type != "application/json":
            raise Refuse(10001)
        return found

    def _fail(self, path: str) -> None:
        code = CODES.get(self.fault or "")
        if code is not None and not (self.fault in OF_ONE_SYSTEM and path == "getEssList"):
            raise Refuse(code)

    def _envelope(
        self, path: str, code: int, data: Any = None, hint: str | None = None
    ) -> dict[str, Any]:
        text = _TEXTS.get(code, "fail")
        name = "info" if path in _PERIODIC else "msg"
        return {"code": code, name: text, "expMsg": hint, "data": data, "extra": None}

    def _spring(self, status: int, error: str, path: str) -> web.Response:
        told = {
            "timestamp": f"{self.now():%Y-%m-%dT%H:%M:%S.000+00:00}",
            "status": status,
            "error": error,
            "path": path,
        }
        return web.json_response(told, status=status)
