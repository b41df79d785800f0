"""Tariff: the base of every actor that publishes `Tariffs/{tariff}/…`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import anyio
import msgspec

from bridge.asking import Asker, wait_until
from bridge.clock import stamp
from bridge.curve.days import day_of, local_day
from bridge.curve.holes import known_until
from bridge.curve.slots import Curve
from bridge.discovery import Publisher
from bridge.discovery.tariffs import tariff_messages
from bridge.errors import CurveError, DeviceError
from bridge.tariff.settings import TariffSettings
from bridge.tariff.store import Known, Store
from bridge.tariff.view import Totals, View, next_change, totals, view

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bridge.actor import Context


_REPEAT = 300.0
_PROVISIONAL = 900.0
_SAVED = 900.0
_VALUE = "Tariffs/{tariff}/{Value}"
_CURVE = "Tariffs/{tariff}/Curve"
_CHEAPEST = "Tariffs/{tariff}/Cheapest/{Window}/Start"
_ANY_CURRENCY = "EUR"


class Prices(msgspec.Struct, frozen=True):
    """What a service answered: currency/kWh, as curves.

    `exports` None: the service knows nothing of what is fed in. `currency` None: it names none.
    `final` False: the service may still change them, so they are asked for again soon. `raw`: the
    owner's charges, tax and formula are still to be applied; False: totals as they are billed.
    """

    imports: Curve
    exports: Curve | None = None
    currency: str | None = None
    final: bool = True
    raw: bool = True


class Tariff(Asker):
    """A source of prices. A kind gives `kind`, `Settings` and `fetch`, and may give `next_ask`.

    The base publishes the price at each change, the curve, ranks and cheapest windows, remembers
    what is known over restarts and failures until it ends, and announces all to Home Assistant.
    A kind that is told instead of asking overrides `ask` and calls `took` and `failed`.
    """

    Settings: ClassVar[type[msgspec.Struct]] = TariffSettings
    writes: ClassVar[tuple[str, ...]] = (_VALUE, _CURVE, _CHEAPEST)
    extras: ClassVar[tuple[str, ...]] = ()
    """The values of topics.yaml that a kind publishes besides prices and rank."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: TariffSettings = self.settings
        self._rules = settings.rules()
        self._store = Store(self.state, self.kind, self.settings)
        self._discovery = Publisher(self.bus, self.config, self.state)
        self._known: Known | None = None
        self._totals: Totals | None = None
        self._view: tuple[View, Totals | None, datetime, datetime] | None = None
        self._known_until: datetime | None = None
        self._saved: tuple[float, datetime | None] | None = None
        # What is to be said of the service's data, such as a licence; under Operational.
        self.note: str | None = None
        self._remember()

    # ---------------------------------------------------------------- to implement

    async def fetch(self, now: datetime) -> Prices:
        """All prices that the service has for the time from about `now`. Raises DeviceError."""
        raise NotImplementedError

    def next_ask(self, known: Curve | None, now: datetime) -> float:
        """Seconds until the next `fetch` after one that worked; `known` is the raw import curve.

        By default for prices of the next day that appear at noon in the tariff's own time zone.
        """
        return self.day_ahead(known, now, self.zone)

    # ---------------------------------------------------------------- to use

    def day_ahead(
        self,
        known: Curve | None,
        now: datetime,
        zone: ZoneInfo,
        *,
        published: str = "12:45",
        covers: str = "24:00",
    ) -> float:
        """A `next_ask` for prices that a market of `zone` publishes the day before."""
        from bridge.cloud.plan import day_ahead

        end = known_until(known, now, zone, covers)
        return day_ahead(end, now, zone=zone, published=published, covers=covers, share=self.share)

    @property
    def known(self) -> Curve | None:
        """The import curve before the rules; None before anything is known."""
        return None if self._known is None else self._known.imports

    @property
    def currency(self) -> str:
        """That of the settings, else of the service, else EUR."""
        heard = None if self._known is None else self._known.currency
        return self.settings.currency or heard or _ANY_CURRENCY

    async def ask_once(self) -> float:
        """Ask once and take in what comes; the seconds until the next time."""
        now = self.clock.utc()
        try:
            prices = await self.fetch(now)
        except DeviceError as error:
            return await self._put_off(str(error), error)
        if not await self._took(prices):
            return await self._put_off(self._why or "", None)
        self._failures = 0
        now = self.clock.utc()
        wait = self.next_ask(self.known, now)
        if not prices.final:
            wait = min(wait, _PROVISIONAL)
        if self._known is not None:
            ask_at = now + timedelta(seconds=wait)
            self._known = msgspec.structs.replace(self._known, ask_at=ask_at)
            self._save(self._known)
        return wait

    async def took(self, prices: Prices) -> bool:
        """Take in news: check, merge, remember, show. False (and `failed`) when not usable."""
        good = await self._took(prices)
        if good and self._known is not None:
            self._save(self._known)
        return good

    async def _took(self, prices: Prices) -> bool:
        wanted = self._expected_currency()
        if prices.currency is not None and wanted not in (None, prices.currency):
            await self.failed(
                f"the prices came in {prices.currency} and not in {wanted}, and are not used: "
                f"set 'currency: {prices.currency}' if that is right"
            )
            return False
        known = self._merged(prices, self.clock.utc())
        try:
            found = totals(known.imports, known.exports, self._rules, raw=known.raw)
        except CurveError as error:
            await self.failed(str(error))
            return False
        self._keep(known, found)
        self._why = None
        notes = (*prices.imports.notes, *(prices.exports.notes if prices.exports else ()))
        notes = tuple(dict.fromkeys((*notes, *found.notes)))
        await self.message("Warning", "; ".join(notes) or None)
        await self.show()
        return True

    async def run(self) -> None:
        """Show what is known, at each change and every five minutes, until stopped."""
        while True:
            self._news = anyio.Event()
            await self._publish()
            now = self.clock.utc()
            due = min(next_change(self._totals, now, self.zone), now + timedelta(seconds=_REPEAT))
            await wait_until(self.clock, due, self._news)

    # ---------------------------------------------------------------- knowing

    def _remember(self) -> None:
        """Take up what an earlier life knew, so that it is shown before anybody is asked."""
        known = self._store.load()
        if known is None or known.currency not in (None, self.settings.currency or known.currency):
            return
        try:
            found = totals(known.imports, known.exports, self._rules, raw=known.raw)
        except CurveError:
            return
        self._keep(known, found)

    def _keep(self, known: Known, found: Totals) -> None:
        self._known, self._totals = known, found
        if found.imports.end is not None:
            self._known_until = found.imports.end

    def _save(self, known: Known) -> None:
        """Write what is new: a longer curve at once, other news once in a while, for flash wears.

        A restart asks anew for what was not written, for its time to ask has passed then.
        """
        now, end = self.clock.now(), known.imports.end
        if self._saved is not None and self._saved[1] == end and now < self._saved[0] + _SAVED:
            return
        self._saved = now, end
        self._store.save(known)

    def _expected_currency(self) -> str | None:
        heard = None if self._known is None else self._known.currency
        found: str | None = self.settings.currency or heard
        return found

    def _merged(self, prices: Prices, now: datetime) -> Known:
        """What is known with the news; what is older than today is dropped."""
        start = local_day(day_of(now, self.zone), self.zone)[0]
        known = self._known
        if known is None or known.raw != prices.raw:
            known = Known(currency=self._expected_currency())
        imports = _fresh(known.imports, start).merged(_fresh(prices.imports, start))
        exports = prices.exports
        if exports is not None:
            exports = _fresh(exports, start)
            if known.exports is not None:
                exports = _fresh(known.exports, start).merged(exports)
        return Known(
            imports=Curve(imports.slots),
            exports=None if exports is None else Curve(exports.slots),
            currency=prices.currency or known.currency,
            final=prices.final,
            raw=prices.raw,
        )

    # ---------------------------------------------------------------- asking

    def _first_wait(self) -> float:
        """Nothing is asked that is known already, a restart before or not."""
        now = self.clock.utc()
        known = self._known
        if known is None or known.ask_at is None or known.imports.at(now) is None:
            return 0.0
        return self._until(known.ask_at)

    # ---------------------------------------------------------------- showing

    async def _publish(self) -> None:
        now = self.clock.utc()
        shown = self._viewed(now)
        again = self._again(now)
        for name, value in (
            ("ImportPrice", shown.imports),
            ("ExportPrice", shown.exports),
            ("Rank", shown.rank),
        ):
            if self._is_new(name, value) or (again and value is not None):
                await self.publish(_VALUE, value, tariff=self.id, Value=name)
        for name, start in shown.windows.items():
            if self._is_new(name, start):
                text = None if start is None else stamp(start)
                await self.publish(_CHEAPEST, text, tariff=self.id, Window=name)
        if self._is_new("Curve", shown.curve):
            curve = None if shown.curve is None else list(shown.curve)
            await self.publish(_CURVE, curve, tariff=self.id)
            await self._tell_cut(shown)
        self._announce()
        await self._health()

    def _viewed(self, now: datetime) -> View:
        """What there is to show; made anew when it may be another."""
        if self._view is not None:
            shown, found, since, due = self._view
            if found is self._totals and since <= now < due:
                return shown
        found = self._totals
        shown = view(found, now, self.zone, limit=self.contract.limits.json_bytes)
        self._view = (shown, found, now, next_change(found, now, self.zone))
        return shown

    async def _tell_cut(self, shown: View) -> None:
        sentence = self.note
        if shown.until is not None:
            sentence = self._cut(shown.until)
        await self.message("Operational", sentence)

    def _announce(self) -> None:
        if self._totals is None:
            return
        messages = tariff_messages(
            self.contract,
            self._discovery.house,
            self.id,
            currency=self.currency,
            exports=self._totals.exports is not None,
            extras=self.extras,
            kind=self.kind,
        )
        self._discovery.show(self.id, messages)

    def _trouble(self, now: datetime) -> str | None:
        """What is wrong in one sentence: no price for now, or no news of those to come."""
        why, found, end = self._why, self._totals, self._known_until
        if found is None or end is None:
            if why is None and self._known is not None:
                return "the service answers, but has no price for today or later"
            return why
        known = found.imports.horizon(now)
        if known is not None:
            return why and f"{why}; prices are known until {self._local(known)}"
        if end <= now:
            rest = why or "there are no newer ones"
            return f"no price is known any more since {self._local(end)}: {rest}"
        later = next(slot.start for slot in found.imports if slot.start > now)
        return f"the price of now is unknown until {self._local(later)}: {why or 'it is missing'}"


def _fresh(curve: Curve, start: datetime) -> Curve:
    """Whole slots, as the service gave them, without those that ended before `start`."""
    return Curve(tuple(slot for slot in curve if slot.end > start), curve.notes)
