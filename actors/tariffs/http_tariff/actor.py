"""http_tariff: prices of a service that a template describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.tariffs.http_tariff.settings import EXPORT, IMPORT, HttpTariffSettings
from bridge.cloud import plan
from bridge.cloud.described import Described
from bridge.curve.days import local_day
from bridge.curve.document import Found
from bridge.curve.holes import told
from bridge.curve.slots import Curve
from bridge.curve.template import span
from bridge.errors import CurveError, DeviceError
from bridge.tariff import Prices, Tariff

if TYPE_CHECKING:
    from datetime import date, datetime

    from bridge.actor import Context


class _Gathered:
    """What came until now."""

    def __init__(self) -> None:
        self.imports: Found | None = None
        self.exports: Curve | None = None


class HttpTariff(Tariff):
    """Prices of a service over HTTP: a ready template, or one in the configuration."""

    kind = "http_tariff"
    Settings = HttpTariffSettings
    client: Described

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        given: HttpTariffSettings = self.settings
        self.template = given.chosen()
        self.client = Described(
            self.template,
            options=given.options(),
            folder=context.config.state,
            url=given.url,
            token=None if given.token is None else given.token.reveal(),
            headers={name: value.reveal() for name, value in given.headers.items()},
            clock=self.clock,
            timeout=given.timeout,
        )
        self.note = self.client.licence

    async def fetch(self, now: datetime) -> Prices:
        """What the service has of today and tomorrow; days that are known are not asked for."""
        first, last = span(now, self.zone, self.client.zone)
        if self.template.plan.every is None and not self._published(now, last):
            last = min(last, max(first, self._today(now)))
        given = _Gathered()
        try:
            bought = await self.client.curve(
                IMPORT,
                first,
                last,
                wanted=lambda day: not self.client.whole(self.known, day),
                keep=lambda found: self._buy(given, found),
            )
            self._buy(given, bought)
            if EXPORT in self.client.parts:
                self._sell(given, await self.client.curve(EXPORT, first, last))
        except DeviceError:
            # What came before the failure is good: a part of the days is better than none.
            if given.imports is not None:
                await self.took(self._prices(given))
            raise
        return self._prices(given)

    def _buy(self, given: _Gathered, found: Found) -> None:
        """Import prices; an answer without any adds nothing. Raises CurveError."""
        if found.ready:
            self._exchangeable(IMPORT, found)
            given.imports = found

    def _sell(self, given: _Gathered, found: Found) -> None:
        """Export prices, which are in the currency of those of import. Raises CurveError."""
        self._exchangeable(EXPORT, found)
        bought = None if given.imports is None else given.imports.currency
        if self.settings.exchange_rate is None:
            bought = bought or self._expected_currency()
            if None not in (bought, found.currency) and bought != found.currency:
                raise CurveError(
                    f"the export prices came in {found.currency} and those of import in {bought}, "
                    "and are not used"
                )
        given.exports = found.curve

    def _exchangeable(self, name: str, found: Found) -> None:
        """Raises CurveError when the answer is not in the currency that the rate is for."""
        if self.settings.exchange_rate is None or found.currency is None:
            return
        wanted = self.template.currency(name, self.client.options)
        if found.currency != wanted:
            raise CurveError(
                f"the prices came in {found.currency} and not in {wanted}, which "
                "'exchange_rate' is for, and are not used"
            )

    def _prices(self, given: _Gathered) -> Prices:
        self.note = self.client.licence
        found = given.imports or Found()
        bought = Curve(
            found.curve.slots, (*found.curve.notes, *told(found.curve, self.client.zone))
        )
        exports = given.exports
        if exports is None and EXPORT in self.client.parts:
            exports = Curve()  # nothing new, which leaves what is known
        rate = self.settings.exchange_rate
        if rate is None:
            return Prices(bought, exports, found.currency)
        changed = [
            None if each is None else each.map(lambda slot: slot.value * rate)
            for each in (bought, exports)
        ]
        return Prices(changed[0] or Curve(), changed[1], self.settings.currency)

    def next_ask(self, known: Curve | None, now: datetime) -> float:
        """By the template: a beat, or when tomorrow's prices are published."""
        timing = self.template.plan
        if timing.every is not None:
            return plan.every(timing.every, now, share=self.share)
        return self.day_ahead(
            known, now, self.client.zone, published=timing.published, covers=timing.covers
        )

    def _today(self, now: datetime) -> date:
        return now.astimezone(self.client.zone).date()

    def _published(self, now: datetime, tomorrow: date) -> bool:
        """True when tomorrow's prices may be there already."""
        timing = self.template.plan
        today = local_day(tomorrow, self.client.zone)[0]
        return plan.missing(
            today,
            now,
            zone=self.client.zone,
            published=timing.published,
            covers="24:00",
            share=0.0,
        )
