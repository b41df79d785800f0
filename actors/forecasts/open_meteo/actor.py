"""open_meteo: what the panels will make of the light that Open-Meteo expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.forecasts.open_meteo.client import Client
from actors.forecasts.open_meteo.settings import SOONEST, Settings
from bridge.curve import day_of, local_day
from bridge.curve.power import added
from bridge.forecast import Forecast
from bridge.forecast.night import with_nights

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.actor import Context
    from bridge.curve import Curve


class OpenMeteo(Forecast):
    """Open-Meteo: quarters of an hour for several days, without an account."""

    kind = "open_meteo"
    Settings = Settings

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client = Client(self.settings, folder=context.config.state, clock=self.clock)

    async def fetch(self, now: datetime) -> Curve:
        """The sum of all planes, where all of them are known, within what the inverter gives."""
        start = local_day(day_of(now, self.zone), self.zone)[0]
        place = self.settings.place()
        curves = []
        for plane in self.settings.planes:
            power = await self.client.power(plane)
            curves.append(with_nights(power, place, start, power.end or start))
        found, most = added(curves), self.settings.inverter
        return found if most is None else found.map(lambda slot: min(slot.value, most))

    def next_ask(self, now: datetime) -> float:
        """At this house's own beat."""
        from bridge.cloud.plan import every

        return every(max(self.settings.interval, SOONEST), now, share=self.share)
