"""Forecast: the base of every actor that publishes `Forecasts/{forecast}/…`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

import anyio
import msgspec

from bridge.asking import Asker, wait_until
from bridge.curve.days import day_of, local_day
from bridge.curve.slots import Curve
from bridge.discovery import Publisher
from bridge.discovery.forecasts import forecast_messages
from bridge.errors import DeviceError
from bridge.forecast.accuracy import HOUR, Accuracy, hour_of
from bridge.forecast.settings import ForecastSettings
from bridge.forecast.store import Known, Store
from bridge.forecast.view import Outlook, View, next_change, view

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.actor import Context
    from bridge.bus import Message


_REPEAT: Final = 300.0
_HOURLY: Final = 3600.0
_VALUE = "Forecasts/{forecast}/{Value}"
_CURVE = "Forecasts/{forecast}/Curve"
_ENERGY_DIGITS: Final = 3


class Forecast(Asker):
    """A source of expected PV power. A kind gives `kind`, `Settings`, `fetch`, perhaps `next_ask`.

    The base publishes the power at each border of a slot, energies of local days, the curve, and
    how right the forecast was; it remembers what is known over restarts and failures until it ends.
    """

    Settings: ClassVar[type[msgspec.Struct]] = ForecastSettings
    writes: ClassVar[tuple[str, ...]] = (_VALUE, _CURVE)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: ForecastSettings = self.settings
        self.accuracy = Accuracy(self.zone, settings.accuracy_days)
        self._store = Store(self.state, self.kind, self.settings)
        self._discovery = Publisher(self.bus, self.config, self.state)
        self._known: Known | None = None
        self._known_until: datetime | None = None
        self._remember()

    # ---------------------------------------------------------------- to implement

    async def fetch(self, now: datetime) -> Curve | Outlook:
        """All that the service expects from about `now`: mean W per slot, summed over the panels.

        A Curve where the service gives no range. Raises DeviceError.
        """
        raise NotImplementedError

    def next_ask(self, now: datetime) -> float:
        """Seconds until the next `fetch` after one that worked."""
        from bridge.cloud.plan import every

        return every(_HOURLY, now, share=self.share)

    # ---------------------------------------------------------------- to use

    @property
    def known(self) -> Outlook | None:
        """What is expected, from the start of today on; None before anything is known."""
        return None if self._known is None else self._known.outlook

    async def ask_once(self) -> float:
        """Ask once and take in what comes; the seconds until the next time."""
        try:
            found = await self.fetch(self.clock.utc())
        except DeviceError as error:
            return await self._put_off(str(error), error)
        if not await self.took(found):
            return await self._put_off(self._why or "", None)
        self._failures = 0
        now = self.clock.utc()
        wait = self.next_ask(now)
        if self._known is not None:
            self._known = msgspec.structs.replace(self._known, ask_at=now + timedelta(seconds=wait))
            self._store.save(self._known)
        return wait

    async def took(self, found: Curve | Outlook) -> bool:
        """Take in news: check, merge, remember, show. False (and `failed`) when not usable."""
        now = self.clock.utc()
        news = (found if isinstance(found, Outlook) else Outlook(found)).usable()
        end = news.power.end
        if end is None or end <= now:
            await self.failed("the service answers, but has no forecast for now or later")
            return False
        notes = news.power.notes
        outlook = news if self._known is None else self._known.outlook.merged(news)
        outlook = outlook.since(local_day(day_of(now, self.zone), self.zone)[0])
        outlook = Outlook(Curve(outlook.power.slots), outlook.low, outlook.high)
        self._keep(Known(outlook=outlook, at=now))
        self.accuracy.renewed(outlook.power, now)
        self._why = None
        if self._known is not None:
            self._store.save(self._known)
        self._store.save_accuracy(self.accuracy)
        await self.message("Warning", "; ".join(notes) or None)
        await self.show()
        return True

    async def run(self) -> None:
        """Show what is known, at each change and every five minutes, until stopped."""
        await self._listen()
        while True:
            self._news = anyio.Event()
            await self._publish()
            now = self.clock.utc()
            due = min(
                next_change(self.known, now, self.zone),
                now + timedelta(seconds=_REPEAT),
                hour_of(now) + HOUR,
            )
            await wait_until(self.clock, due, self._news)

    async def safe(self) -> None:
        """Keep what was compared until now."""
        try:
            self._store.save_accuracy(self.accuracy)
        finally:
            await super().safe()

    # ---------------------------------------------------------------- knowing

    def _remember(self) -> None:
        """Take up what an earlier life knew, so that it is shown before anybody is asked."""
        self._store.load_accuracy(self.accuracy)
        known = self._store.load()
        if known is not None:
            self._keep(known)
            self.accuracy.remembered(known.outlook.power, known.at)

    def _keep(self, known: Known) -> None:
        self._known = known
        self._known_until = known.outlook.power.end

    def _first_wait(self) -> float:
        """Nothing is asked that is known already, a restart before or not."""
        now, known = self.clock.utc(), self._known
        if known is None or known.ask_at is None or known.outlook.power.at(now) is None:
            return 0.0
        return self._until(known.ask_at)

    # ---------------------------------------------------------------- how right it was

    async def _listen(self) -> None:
        """Hear the PV, where the house measures it."""
        measured = self.settings.measured
        site = self.config.site
        if measured is not None:
            await self.subscribe("Devices/{device}/State", self._on_state, device=measured)
        elif site is not None and site.pv:
            await self.subscribe("Site/State", self._on_state)

    def _on_state(self, message: Message) -> None:
        if message.retained or message.error is not None or not isinstance(message.value, dict):
            return
        power = message.value.get("PvPower")
        if isinstance(power, bool) or not isinstance(power, int | float):
            power = None
        self.accuracy.meter.hear(self.clock.now(), self.clock.utc(), power)

    async def _compare(self, now: datetime) -> None:
        if self.accuracy.tick(now):
            self._store.save_accuracy(self.accuracy)

    def _scores(self) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for suffix, scores in (
            ("", self.accuracy.scores("day")),
            ("HourAhead", self.accuracy.scores("hour")),
        ):
            found[f"MeanAbsoluteError{suffix}"] = None if scores is None else round(scores.mae, 1)
            found[f"Bias{suffix}"] = None if scores is None else round(scores.bias, 1)
            found[f"Accuracy{suffix}"] = None if scores is None else round(scores.accuracy, 1)
        return found

    # ---------------------------------------------------------------- showing

    async def _publish(self) -> None:
        now = self.clock.utc()
        await self._compare(now)
        shown = view(self.known, now, self.zone, limit=self.contract.limits.json_bytes)
        again = self._again(now)
        values: dict[str, float | None] = {
            "PvPower": shown.power,
            "EnergyToday": _rounded(shown.today),
            "EnergyRemaining": _rounded(shown.remaining),
            "EnergyTomorrow": _rounded(shown.tomorrow),
            **self._scores(),
        }
        for name, value in values.items():
            if self._is_new(name, value) or (again and value is not None):
                await self.publish(_VALUE, value, forecast=self.id, Value=name)
        if self._is_new("Curve", shown.curve):
            curve = None if shown.curve is None else list(shown.curve)
            await self.publish(_CURVE, curve, forecast=self.id)
            await self._tell_cut(shown)
        self._announce()
        await self._health()

    async def _tell_cut(self, shown: View) -> None:
        sentence = None if shown.until is None else self._cut(shown.until)
        await self.message("Operational", sentence)

    def _announce(self) -> None:
        if self._known is None:
            return
        measured = self.settings.measured is not None or (
            self.config.site is not None and bool(self.config.site.pv)
        )
        messages = forecast_messages(
            self.contract, self._discovery.house, self.id, measured=measured, kind=self.kind
        )
        self._discovery.show(self.id, messages)

    def _trouble(self, now: datetime) -> str | None:
        """What is wrong in one sentence: no forecast for now, or no news of what is to come."""
        why, found, end = self._why, self.known, self._known_until
        if found is None or end is None:
            return why
        known = found.power.horizon(now)
        if known is not None:
            return why and f"{why}; the forecast is known until {self._local(known)}"
        if end <= now:
            rest = why or "there is no newer one"
            return f"no forecast is known any more since {self._local(end)}: {rest}"
        later = next(slot.start for slot in found.power if slot.start > now)
        rest = why or "it is missing"
        return f"the forecast for now is unknown until {self._local(later)}: {rest}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _ENERGY_DIGITS)
