"""A simulated transparency platform over real HTTP and XML: prices of one zone, and its faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from actors.tariffs.entsoe.simulator.documents import ENTITIES, OTHER, acknowledgement, publication
from actors.tariffs.entsoe.simulator.faults import FAULTS, QUIRKS, Block, quirky, spoilt
from actors.tariffs.entsoe.zones import MARKET, code_of
from bridge.config.secret import Secret
from bridge.curve import local_day, zone_of
from bridge.simulators.market import Market
from bridge.simulators.web import WebService

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.clock import Clock

TOKEN: Final = "0e110000-0000-4000-8000-simulated0000"  # noqa: S105 - of the simulator
SETTINGS: Final = {"token": Secret(TOKEN), "area": "DE-LU"}
_PATHS: Final = ("/", "/api")
_NAMES: Final = {15: "PT15M", 30: "PT30M", 60: "PT60M"}
_NO_DATA: Final = (
    "No matching data found for Data item Day-ahead Prices ({zone}) and the interval asked for."
)


class Wrong(Exception):
    """A question that the service does not take."""


class Simulator(WebService):
    """`async with Simulator() as sim:` serves the prices of one zone on `sim.port`.

    zone: its name or EIC code; minutes: of a slot (15, 30 or 60); before: those of days before
    `switched`; prices, missing, published, late: as of `bridge/simulators/market.py`; quirks: keys
    of QUIRKS, which a good client does not notice; token: the one that is taken. `fault` is None
    or a key of FAULTS.
    """

    faults = FAULTS

    def __init__(  # noqa: PLR0913 - all of them can be typed as options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        zone: str = "DE-LU",
        minutes: int = 15,
        before: int = 60,
        switched: date | None = None,
        prices: str = "usual",
        missing: Iterable[date] | date = (),
        published: float = 12.92,
        late: float = 0.0,
        quirks: Iterable[str] = (),
        token: str = TOKEN,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(host, port, clock=clock)
        self.quirks = {quirks} if isinstance(quirks, str) else set(quirks)
        if not self.quirks <= set(QUIRKS):
            raise ValueError(f"{', '.join(sorted(self.quirks))} is not of {', '.join(QUIRKS)}")
        if minutes not in _NAMES or before not in _NAMES:
            raise ValueError("minutes and before are 15, 30 or 60")
        code = code_of(zone)
        if code is None:
            raise ValueError(f"the zone {zone} is not known")
        days = (missing,) if isinstance(missing, date) else missing
        self.market = Market(zone_of(MARKET), minutes, published, late, prices, frozenset(days))
        self.zone, self.code, self.token = zone, code, token
        self.before, self.switched = before, switched

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        return {"token": self.token, "zone": self.zone}

    def values(self, day: date) -> list[tuple[datetime, datetime, float]]:
        """What it says of a day, without faults: start, end, EUR/MWh."""
        return [
            (each.start, each.end, float(each.value or 0))
            for each in self._market(day).items(day)
            if day not in self.market.missing
        ]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One question."""
        if request.method != "GET" or request.path not in _PATHS:
            return web.Response(text="not found", status=404)
        asked = request.query
        if asked.get("securityToken") != self.token or self.fault == "login":
            return self._refused("Unauthorized. Missing or invalid security token", 401)
        try:
            start, end = self._asked(asked)
        except Wrong as error:
            return self._refused(str(error), 400)
        return self._document(asked.get("in_Domain") == self.code, start, end)

    def _asked(self, asked: Mapping[str, str]) -> tuple[datetime, datetime]:
        """The interval of a query. Raises Wrong for what the service does not take."""
        if self.fault == "question":
            raise Wrong(f"The query with {self.token} is not valid.")
        try:
            start, end = (
                datetime.strptime(f"{asked[name]} +0000", "%Y%m%d%H%M %z").astimezone(UTC)
                for name in ("periodStart", "periodEnd")
            )
        except (KeyError, ValueError):
            raise Wrong("periodStart and periodEnd are needed as yyyyMMddHHmm.") from None
        if asked.get("documentType") != "A44" or asked.get("in_Domain") != asked.get("out_Domain"):
            raise Wrong("Check the query against the dependency tables.")
        if start >= end or end - start > timedelta(days=366):
            raise Wrong("The time interval is not valid for this data item.")
        return start, end

    def _document(self, known: bool, start: datetime, end: datetime) -> web.Response:
        early = {"entities": ENTITIES, "other": OTHER}.get(self.fault or "")
        if early is not None:
            return _xml(early)
        days = [day for day in self._days(start, end) if known]
        if self.fault in {"nothing", "nothing_400"} or not days:
            status = 400 if self.fault == "nothing_400" else 200
            return self._refused(_NO_DATA.format(zone=self.code), status)
        blocks = quirky(self.quirks, [self._block(day) for day in days], self._hours(days))
        text = publication(spoilt(self.fault, blocks), self.code, start, end)
        return _xml(text[: len(text) // 2] if self.fault == "truncated" else text)

    def _days(self, start: datetime, end: datetime) -> list[date]:
        """Whole days that are published and that the interval touches."""
        newest = max(self.market.days(self.clock.utc()), default=date.min)
        day = start.astimezone(self.market.zone).date()
        found = []
        while day <= newest and local_day(day, self.market.zone)[0] < end:
            if day not in self.market.missing:
                found.append(day)
            day += timedelta(days=1)
        return found

    def _market(self, day: date) -> Market:
        early = self.switched is not None and day < self.switched
        return replace(self.market, minutes=self.before) if early else self.market

    def _block(self, day: date, minutes: int | None = None) -> Block:
        market = self._market(day) if minutes is None else replace(self.market, minutes=minutes)
        items = market.items(day)
        points = tuple((place, f"{each.value:.2f}") for place, each in enumerate(items, 1))
        return Block(items[0].start, items[-1].end, _NAMES[market.minutes], points)

    def _hours(self, days: list[date]) -> list[Block]:
        return [self._block(day, 60) for day in days]

    def _refused(self, text: str, status: int) -> web.Response:
        return _xml(acknowledgement("999", text, self.clock.utc()), status)


def _xml(text: str, status: int = 200) -> web.Response:
    # Without a charset, as there: other clients compare the whole header.
    return web.Response(
        body=text.encode(), status=status, headers={"Content-Type": "application/xml"}
    )


__all__ = ["FAULTS", "QUIRKS", "SETTINGS", "TOKEN", "Simulator"]
