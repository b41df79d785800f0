"""Amber: import and export prices of one site, as the customer pays them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.client import Client
from actors.tariffs.amber.curves import export_curve, import_curve, shortest
from actors.tariffs.amber.facts import NAMES, Facts
from actors.tariffs.amber.interval import CONTROLLED, GENERAL, interval_at, of_channel
from actors.tariffs.amber.plan import FULL, Seen, amounts, seen, wait
from actors.tariffs.amber.settings import Settings
from actors.tariffs.amber.site import chosen
from bridge.cloud import HttpRefused
from bridge.curve import day_of, local_day
from bridge.errors import CurveError, DeviceGarbled
from bridge.tariff import Prices, Tariff

if TYPE_CHECKING:
    from actors.tariffs.amber.interval import Interval
    from bridge.actor import Context
    from bridge.curve import Curve

CURRENCY: Final = "AUD"
_CHANNELS: Final = {"general": GENERAL, "controlled_load": CONTROLLED}
_UNKNOWN_LENGTH: Final = timedelta(minutes=5)
_SITES_FRESH: Final = 86400.0
_NOT_FOUND: Final = 404


class Amber(Tariff):
    """Amber Electric (Australia): prices that change every 5 or 30 minutes, with forecasts."""

    kind = "amber"
    Settings = Settings
    client: Client
    extras = NAMES

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
        self._channel = _CHANNELS[settings.channel]
        self._facts = Facts(self.clock, self._publish_fact)
        self.companions.append(self._facts)
        self._site: str | None = None if settings.site is None else settings.site.upper()
        self._length = _UNKNOWN_LENGTH
        self._seen = Seen()
        self._full_at: datetime | None = None

    # ---------------------------------------------------------------- what a tariff gives

    async def fetch(self, now: datetime) -> Prices:
        """The prices from now on; at times those of all the day and the whole forecast."""
        intervals = await self._intervals(now)
        own = of_channel(intervals, self._channel)
        predicted = self.settings.forecast == "predicted"
        imports = import_curve(own, self._channel, predicted=predicted)
        if not len(imports):
            channel = self.settings.channel
            raise DeviceGarbled(f"Amber has no prices of the channel {channel} for this site")
        current = interval_at(own, now)
        self._seen = seen(self._seen, current, now)
        await self._facts.take(own)
        final = current is not None and current.final
        exports = self._exports(intervals, predicted=predicted)
        return Prices(imports, exports, CURRENCY, final, raw=False)

    def next_ask(self, known: Curve | None, now: datetime) -> float:  # noqa: ARG002 - see plan
        """Half a minute into the next interval; sooner while the price is an estimate."""
        return wait(self._seen, now, self.share, self.client.limits)

    # ---------------------------------------------------------------- the question

    async def _intervals(self, now: datetime) -> list[Interval]:
        site = await self._which()
        full = self._full_at is None or not 0 <= (now - self._full_at).total_seconds() < FULL
        zone = self.settings.zone()
        midnight, _ = local_day(day_of(now, zone), zone)
        before, after = amounts(now, midnight, self.settings.hours, self._length, full=full)
        try:
            found = await self.client.current(site, before=before, after=after)
        except HttpRefused as error:
            if error.status == _NOT_FOUND and self.settings.site is None:
                self._site = None
            raise
        length = shortest(found) or self._length
        if full:
            # With intervals shorter than was thought, too few were asked for.
            self._full_at = now if length >= self._length else None
        self._length = length
        return found

    async def _which(self) -> str:
        """The site that is set, or the only active one of the account."""
        if self._site is None:
            sites = await self.client.sites(fresh_for=_SITES_FRESH if self._full_at is None else 0)
            site = chosen(sites, None)
            self._site = site.id
            if site.length is not None:
                self._length = timedelta(minutes=site.length)
        return self._site

    def _exports(self, intervals: list[Interval], *, predicted: bool) -> Curve | None:
        """A controlled load feeds nothing in; and a house may have no such channel."""
        if self._channel != GENERAL:
            return None
        try:
            return export_curve(intervals, predicted=predicted)
        except CurveError as error:
            self.log.warning(f"the export prices are left out: {error}")
            return None

    async def _publish_fact(self, name: str, value: Any) -> None:
        await self.publish("Tariffs/{tariff}/{Value}", value, tariff=self.id, Value=name)
