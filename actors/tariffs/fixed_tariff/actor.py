"""fixed_tariff: prices that are written in the configuration; nobody is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actors.tariffs.fixed_tariff.settings import FixedTariffSettings
from actors.tariffs.fixed_tariff.timetable import timetable
from bridge.curve.days import day_of, local_day
from bridge.tariff import Prices, Tariff

if TYPE_CHECKING:
    from datetime import datetime

    from actors.tariffs.fixed_tariff.settings import PriceZone
    from bridge.curve import Curve

# Today and two days more: a plan over night and weekend sees as far as with a day-ahead tariff.
_DAYS = 3


class FixedTariff(Tariff):
    """One contract with fixed prices, or with fixed times for them."""

    kind = "fixed_tariff"
    Settings = FixedTariffSettings
    untried = None

    async def fetch(self, now: datetime) -> Prices:
        """The timetable of today and the days to come; cannot fail."""
        given: Any = self.settings
        exports = None
        if given.export_zones and given.export is not None:
            exports = self._curve(given.export, given.export_zones, now)
        return Prices(self._curve(given.price, given.zones, now), exports)

    def next_ask(self, known: Curve | None, now: datetime) -> float:  # noqa: ARG002 - the day alone tells
        """At the next local midnight there is one day more."""
        zone = self.settings.zone()
        return (local_day(day_of(now, zone), zone)[1] - now).total_seconds()

    def _curve(self, price: float, zones: tuple[PriceZone, ...], now: datetime) -> Curve:
        zone = self.settings.zone()
        today = day_of(now, zone)
        last = today + timedelta(days=_DAYS - 1)
        span = local_day(today, zone)[0], local_day(last, zone)[1]
        return timetable(price, [(each.wall_clock(), each.price) for each in zones], span, zone)
