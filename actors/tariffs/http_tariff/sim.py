"""The services that there are templates for, simulated over real HTTP in each one's own form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from actors.tariffs.http_tariff.forms import FORMS, UNFIT
from bridge.curve.days import zone_of
from bridge.simulators.market import DATA_FAULTS, Market
from bridge.simulators.web import WEB_FAULTS, WebService

if TYPE_CHECKING:
    from bridge.clock import Clock

_OWN: Final = {
    "preliminary": ("nordpool", "calls tomorrow's prices preliminary for the area"),
    "pages": ("octopus", "says again and again that there is one more page"),
    "elsewhere": ("octopus", "has its next page at another host"),
}
FAULTS: Final = {**WEB_FAULTS, **DATA_FAULTS, **{name: text for name, (_, text) in _OWN.items()}}


@dataclass(frozen=True, slots=True)
class _Kind:
    """zone and length of slots; when tomorrow appears (h); what a configuration needs."""

    zone: str
    minutes: int
    published: float
    settings: dict[str, str]


KINDS: Final = {
    "awattar_de": _Kind("Europe/Berlin", 60, 13, {}),
    "awattar_at": _Kind("Europe/Vienna", 60, 13, {}),
    "energy_charts": _Kind("Europe/Berlin", 15, 13, {"zone": "DE-LU"}),
    "octopus": _Kind(
        "Europe/London",
        30,
        16,
        {
            "region": "C",
            "product": "AGILE-24-10-01",
            "export_product": "AGILE-OUTGOING-19-05-13",
        },
    ),
    "nordpool": _Kind("Europe/Oslo", 15, 12.75, {"zone": "SE3", "currency": "SEK"}),
    "elering": _Kind("Europe/Berlin", 15, 13, {"zone": "ee"}),
    "omie": _Kind("Europe/Madrid", 15, 13.5, {"zone": "es"}),
    "energinet": _Kind("Europe/Copenhagen", 15, 13, {"zone": "DK1", "currency": "DKK"}),
}
# Of the template that is served where none is named.
SETTINGS: Final = {"template": "energy_charts", "area": "DE-LU", "timezone": "Europe/Berlin"}
_ALIASES: Final = {"awattar": "awattar_de"}


class Simulator(WebService):
    """`async with Simulator(template="octopus") as sim:` serves that service on `sim.port`.

    template: which service; prices: usual, negative or flat; missing: days (YYYY-MM-DD) without
    prices; late: s by which tomorrow is later than usual; day: pretend that today is another day,
    such as one of 92 or 100 quarter hours; page: the most items of a page.
    """

    def __init__(  # noqa: PLR0913 - all of them can be typed as options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        template: str = "energy_charts",
        prices: str = "usual",
        missing: tuple[date, ...] | list[date] | date = (),
        late: float = 0.0,
        day: date | None = None,
        page: int = 100,
        clock: Clock | None = None,
    ) -> None:
        template = _ALIASES.get(template, template)
        if template not in KINDS:
            raise ValueError(f"template is one of {', '.join(KINDS)}")
        super().__init__(host, port, clock=clock)
        self.template, self.page = template, page
        kind = KINDS[template]
        days = (missing,) if isinstance(missing, date) else tuple(missing)
        self.market = Market(
            zone_of(kind.zone), kind.minutes, kind.published, late, prices, frozenset(days)
        )
        self._day = day
        self.faults = {
            name: text
            for name, text in FAULTS.items()
            if name not in UNFIT[template] and _OWN.get(name, (template,))[0] == template
        }

    def settings(self) -> dict[str, Any]:
        """What a configuration needs besides the address."""
        zone = KINDS[self.template].zone
        return {"template": self.template, "timezone": zone, **KINDS[self.template].settings}

    def now(self) -> datetime:
        """The moment that it pretends to be."""
        moment = self.clock.utc()
        if self._day is None:
            return moment
        local = moment.astimezone(self.market.zone)
        return local.replace(
            year=self._day.year, month=self._day.month, day=self._day.day, fold=0
        ).astimezone(UTC)

    def items(self, start: datetime, end: datetime) -> list[Any]:
        """What is published and begins from `start` until before `end`."""
        found = [
            item
            for day in self.market.days(self.now(), self.fault)
            for item in self.market.items(day, self.fault)
        ]
        # Asked for 12:00, a slot that begins a second late is there too.
        return [each for each in found if start <= each.start.replace(second=0) < end]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The service's own form."""
        try:
            return FORMS[self.template](self, request)
        except (LookupError, ValueError):
            return web.json_response({"message": "bad request"}, status=400)
