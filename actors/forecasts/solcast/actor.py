"""solcast: what Solcast expects of the rooftop sites of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.forecasts.solcast.client import Client
from actors.forecasts.solcast.plan import wait
from actors.forecasts.solcast.settings import Settings
from bridge.curve.power import added
from bridge.forecast import Forecast, Outlook

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.actor import Context
    from bridge.curve import Curve


class Solcast(Forecast):
    """Solcast: half hours with a range, from few calls a day."""

    kind = "solcast"
    Settings = Settings

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.client = Client(self.settings, folder=context.config.state, clock=self.clock)
        self._rounds = 0

    async def fetch(self, now: datetime) -> Outlook:  # noqa: ARG002 - the service begins at its now
        """All sites added up, where all of them are known."""
        try:
            outlooks = [await self.client.outlook(site) for site in self.settings.site]
        finally:
            self._rounds = await self.client.rounds_left()
        power = added([each.power for each in outlooks])
        return Outlook(power, _sum([o.low for o in outlooks]), _sum([o.high for o in outlooks]))

    def next_ask(self, now: datetime) -> float:
        """What is left of the day's calls, spread over the sun that is left of it."""
        power = None if self.known is None else self.known.power
        return wait(power, now, self._rounds, share=self.share)


def _sum(curves: list[Curve | None]) -> Curve | None:
    """Borders of ranges added up; None where one is not told."""
    known = [curve for curve in curves if curve is not None]
    return added(known) if len(known) == len(curves) else None
