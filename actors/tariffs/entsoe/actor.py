"""ENTSO-E: the day-ahead prices of a bidding zone, before all fees and taxes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from actors.tariffs.entsoe.client import Client
from actors.tariffs.entsoe.curves import read_prices
from actors.tariffs.entsoe.settings import Settings
from actors.tariffs.entsoe.zones import MARKET, code_of, name_of
from bridge.curve import Curve, day_of, local_day, zone_of
from bridge.tariff import Prices, Tariff

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.actor import Context

PUBLISHED: Final = "12:55"
"""When tomorrow usually appears, by the clocks of the market."""
_EUR: Final = "EUR"


class Entsoe(Tariff):
    """ENTSO-E's transparency platform: nearly all bidding zones of Europe."""

    kind = "entsoe"
    Settings = Settings
    client: Client

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
        self._market = zone_of(MARKET)
        # `check` has refused a zone that is not known.
        self._code = code_of(settings.area) or settings.area

    async def fetch(self, now: datetime) -> Prices:
        """The prices of today and, once they are published, of tomorrow."""
        start, end = self._span(now)
        series = await self.client.prices(self._code, start, end)
        currency = self.settings.currency or _EUR
        found = read_prices(series, self._code, currency, self.zone)
        curve = found.curve
        if not len(curve):
            nothing = f"ENTSO-E has no prices of {name_of(self._code)} for these days yet"
            curve = Curve((), (*curve.notes, nothing))
        return Prices(curve, currency=currency, final=found.final)

    def next_ask(self, known: Curve | None, now: datetime) -> float:
        """At noon of the market, until tomorrow is known."""
        return self.day_ahead(known, now, self._market, published=PUBLISHED)

    def _span(self, now: datetime) -> tuple[datetime, datetime]:
        """From the start of today, of the market and of the house, to the market's tomorrow's end.

        Days have 23, 24 or 25 hours.
        """
        today = day_of(now, self._market)
        start, _ = local_day(today, self._market)
        own, _ = local_day(day_of(now, self.zone), self.zone)
        _, end = local_day(today + timedelta(days=1), self._market)
        return max(min(start, own), start - timedelta(days=1)), end
