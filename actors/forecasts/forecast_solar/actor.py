"""forecast_solar: what Forecast.Solar expects of the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.forecasts.forecast_solar.client import Client
from actors.forecasts.forecast_solar.settings import SOONEST, Settings
from bridge.curve import day_of, local_day
from bridge.curve.power import added
from bridge.forecast import Forecast
from bridge.forecast.night import with_nights

if TYPE_CHECKING:
    from datetime import datetime

    from actors.forecasts.forecast_solar.decode import Estimate
    from bridge.actor import Context
    from bridge.curve import Curve


class ForecastSolar(Forecast):
    """Forecast.Solar: today and tomorrow by the hour without an account, more with one."""

    kind = "forecast_solar"
    Settings = Settings

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client = Client(self.settings, folder=context.config.state, clock=self.clock)

    async def fetch(self, now: datetime) -> Curve:
        """The sum of all planes, where all of them are known."""
        estimates = await self.client.estimates()
        found = added([self._day_and_night(each, now) for each in estimates])
        most = self.settings.inverter
        return found if most is None else found.map(lambda slot: min(slot.value, most))

    def next_ask(self, now: datetime) -> float:
        """At this house's own beat."""
        from bridge.cloud.plan import every

        return every(max(self.settings.interval, SOONEST), now, share=self.share)

    def _day_and_night(self, estimate: Estimate, now: datetime) -> Curve:
        """With the nights: from the start of today to the end of the last day that was told."""
        start, end = local_day(day_of(now, self.zone), self.zone)
        if estimate.last is not None:
            end = max(end, local_day(day_of(estimate.last, self.zone), self.zone)[1])
        place = self.settings.place()
        return with_nights(estimate.power, place, start, end, estimate.marks)
