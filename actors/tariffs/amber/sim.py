"""A simulated Amber over real HTTP: sites, prices, usage, renewables, its limits and its faults."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from actors.tariffs.amber.history import MARKET
from actors.tariffs.amber.simulator.counter import LIMIT, WINDOW, Counter
from actors.tariffs.amber.simulator.faults import FAULTS, disturb, spoil
from actors.tariffs.amber.simulator.items import (
    CHANNELS,
    ORDERS,
    SITE,
    House,
    floor,
    renewables,
)
from actors.tariffs.amber.simulator.market import DAYS, Market
from bridge.clock import Clock
from bridge.config.secret import Secret
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN: Final = "psk_0000000000heliograph0000000000"  # noqa: S105 - of the simulator
SETTINGS: Final = {"token": Secret(TOKEN)}
STATES: Final = ("nsw", "sa", "qld", "vic")
_LENGTHS: Final = (5, 30)
_MOST_DAYS: Final = 7
_MOST_ITEMS: Final = 2016
_NEARLY_MIDNIGHT: Final = timedelta(minutes=11)


class BadRequest(Exception):
    """Something in the query that this service does not take."""


class Simulator(HttpSimulator):
    """`async with Simulator() as sim:` serves one Amber account on `sim.port`, below `/` and `/v1`.

    length: minutes of an interval, 5 or 30; channels: of general, controlledLoad, feedIn; order of
    the items: documented, reversed or mixed; days: the kinds of day (usual, negative, spike, flat)
    that follow one another; horizon: h of forecasts; late: s until a new interval is shown;
    settled: s until its price is final (null: never); resolution: False ignores what is asked for
    and answers with five minutes; limit, window: so many requests in so many seconds; token: the
    one that is taken. `fault` is None or a key of FAULTS, `requests` what was asked.
    """

    def __init__(  # noqa: PLR0913 - all of them can be typed as options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        length: int = 30,
        channels: Iterable[str] = ("general", "feedIn"),
        order: str = "documented",
        days: Iterable[str] = ("usual",),
        horizon: float = 48.0,
        late: float = 25.0,
        settled: float | None = 45.0,
        resolution: bool = True,
        limit: int = LIMIT,
        window: float = WINDOW,
        token: str = TOKEN,
        clock: Clock | None = None,
    ) -> None:
        kinds, names = tuple(days), tuple(channels)
        for given, known in ((kinds, DAYS), (names, CHANNELS), ((order,), ORDERS)):
            if not given or not set(given) <= set(known):
                raise ValueError(f"{', '.join(map(str, given))} is not of {', '.join(known)}")
        if length not in _LENGTHS:
            raise ValueError("length is 5 or 30")
        self.host, self.port, self.token = host, port, token
        self.clock = clock or Clock()
        self.house = House(
            length=length,
            channels=names,
            order=order,
            late=late,
            settled=settled,
            horizon=horizon,
            market=Market(days=kinds),
        )
        self.resolution = resolution
        self.counter = Counter(limit, window)
        self.fault: str | None = None
        self.requests: list[str] = []
        self.asked_at: list[float] = []

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        return {"token": self.token}

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        for base in ("", "/v1"):
            router = application.router
            router.add_get(f"{base}/sites", self._sites)
            router.add_get(f"{base}/sites/{{site}}/prices/current", self._current)
            router.add_get(f"{base}/sites/{{site}}/prices", self._prices)
            router.add_get(f"{base}/sites/{{site}}/usage", self._usage)
            router.add_get(f"{base}/state/{{state}}/renewables/current", self._renewables)
        return application

    # ---------------------------------------------------------------- what all requests go through

    def _note(self, request: web.Request) -> None:
        self.requests.append(request.path_qs.removeprefix("/v1"))
        self.asked_at.append(self.clock.now())

    async def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        """The answer to a request that does not get through; None for one that does."""
        self._note(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        allowed = self.counter.count(self.clock.now())
        early = await disturb(self.fault, request, self._headers)
        if early is not None:
            return early
        if not allowed:
            return web.json_response(
                {"message": "Too many requests"}, status=429, headers=self._headers
            )
        site = request.match_info.get("site")
        if site is not None and (site.upper() != SITE or self.fault == "site"):
            return web.json_response({"message": "Not found"}, status=404, headers=self._headers)
        return None

    @property
    def _headers(self) -> dict[str, str]:
        return self.counter.headers(self.clock.now())

    async def _answered(self, request: web.Request, make: Any) -> web.StreamResponse:
        early = await self._refusal(request)
        if early is not None:
            return early
        try:
            found = make(request)
        except BadRequest as error:
            return web.json_response({"message": str(error)}, status=400, headers=self._headers)
        return web.json_response(spoil(self.fault, found), headers=self._headers)

    # ---------------------------------------------------------------- the five answers

    async def _sites(self, request: web.Request) -> web.StreamResponse:
        return await self._answered(request, lambda _: self.house.sites())

    async def _current(self, request: web.Request) -> web.StreamResponse:
        def make(request: web.Request) -> list[dict[str, Any]]:
            before, after = _count(request, "previous"), _count(request, "next")
            return self.house.current(self._now(), self._length(request), before, after)

        return await self._answered(request, make)

    async def _prices(self, request: web.Request) -> web.StreamResponse:
        now = self._now().astimezone(MARKET)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if "startDate" not in request.query and midnight - now < _NEARLY_MIDNIGHT:
            self._note(request)
            return web.json_response({"message": "Internal server error"}, status=500)

        def make(request: web.Request) -> list[dict[str, Any]]:
            first, last = _span(request, now)
            return self.house.of_days(first, last, now, self._length(request))

        return await self._answered(request, make)

    async def _usage(self, request: web.Request) -> web.StreamResponse:
        def make(request: web.Request) -> list[dict[str, Any]]:
            if not {"startDate", "endDate"} <= set(request.query):
                raise BadRequest("startDate and endDate are required")
            return self.house.usage(*_span(request, self._now()), self._now())

        return await self._answered(request, make)

    async def _renewables(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if request.match_info["state"] not in STATES:
            return web.json_response({"message": "Not found"}, status=404)
        early = await disturb(self.fault, request, {})
        if early is not None:
            return early
        try:
            before, after = _count(request, "previous"), _count(request, "next")
            length = self._length(request) if "resolution" in request.query else 30
        except BadRequest as error:
            return web.json_response({"message": str(error)}, status=400)
        found = renewables(self.house.market, self._now(), length, before, after)
        return web.json_response(spoil(self.fault, found))

    def _now(self) -> datetime:
        now = self.clock.utc()
        if self.fault == "stuck":
            return floor(now - timedelta(minutes=10), 5) + timedelta(seconds=self.house.late)
        return now

    def _length(self, request: web.Request) -> int:
        text = request.query.get("resolution", str(self.house.length))
        if text not in map(str, _LENGTHS):
            raise BadRequest("resolution must be 5 or 30")
        return int(text) if self.resolution else _LENGTHS[0]


def _count(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not text.isdecimal() or int(text) > _MOST_ITEMS:
        raise BadRequest(f"{name} must be a number of at most {_MOST_ITEMS}")
    return int(text)


def _span(request: web.Request, now: datetime) -> tuple[datetime, datetime]:
    """From the first day to the end of the last, a week at most: the service cuts the rest off."""
    today = f"{now.astimezone(MARKET):%Y-%m-%d}"
    found = []
    for name in ("startDate", "endDate"):
        try:
            text = f"{request.query.get(name, today)} +1000"
            found.append(datetime.strptime(text, "%Y-%m-%d %z").astimezone(MARKET))
        except ValueError:
            raise BadRequest(f"{name} must be written like 2026-11-20") from None
    first, last = found[0], found[1] + timedelta(days=1)
    if last <= first:
        raise BadRequest("endDate must not be before startDate")
    return first, min(last, first + timedelta(days=_MOST_DAYS))


__all__ = ["FAULTS", "SETTINGS", "SITE", "TOKEN", "Simulator"]
