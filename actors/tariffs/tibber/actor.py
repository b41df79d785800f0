"""Tibber: the price of each quarter-hour of one home, as the customer pays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.tariffs.tibber.answer import chosen
from actors.tariffs.tibber.client import Client
from actors.tariffs.tibber.decode import read_prices
from actors.tariffs.tibber.levels import Levels
from actors.tariffs.tibber.settings import Settings
from bridge.curve import zone_of
from bridge.errors import CurveError
from bridge.tariff import Prices, Tariff

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bridge.actor import Context
    from bridge.curve import Curve

LEVEL: Final = "PriceDescriptor"
PUBLISHED: Final = "13:00"
"""When tomorrow usually appears, by the clocks of the home."""


class Tibber(Tariff):
    """Tibber (Norway, Sweden, Germany, the Netherlands): prices of today and tomorrow."""

    kind = "tibber"
    Settings = Settings
    client: Client
    extras = (LEVEL,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.client = Client(
            settings.token,
            folder=context.config.state,
            url=settings.url,
            clock=self.clock,
            timeout=settings.timeout,
        )
        self._market = self.zone
        self.levels = Levels(self.clock, self.state, self._publish_level)
        self.companions.append(self.levels)

    async def fetch(self, now: datetime) -> Prices:  # noqa: ARG002 - Tibber tells today and tomorrow
        """The prices of today and, once they are published, of tomorrow."""
        settings: Settings = self.settings
        home = chosen(await self.client.homes(), settings.home)
        self._market = _zone(home.zone, self.zone)
        found = read_prices(home, settings.price, self.zone)
        await self.levels.take(found.levels)
        return Prices(found.curve, currency=found.currency)

    def next_ask(self, known: Curve | None, now: datetime) -> float:
        """At noon of the home, until tomorrow is known."""
        return self.day_ahead(known, now, self._market, published=PUBLISHED)

    async def _publish_level(self, word: str | None) -> None:
        await self.publish("Tariffs/{tariff}/{Value}", word, tariff=self.id, Value=LEVEL)


def _zone(name: str | None, otherwise: ZoneInfo) -> ZoneInfo:
    """The zone of the home where it names one that exists."""
    try:
        return otherwise if name is None else zone_of(name)
    except CurveError:
        return otherwise
