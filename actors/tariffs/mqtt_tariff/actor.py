"""mqtt_tariff: a curve that somebody else publishes becomes a tariff like any other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.tariffs.mqtt_tariff.forms import Curves, curves
from actors.tariffs.mqtt_tariff.settings import MqttTariffSettings
from bridge.curve.slots import Curve
from bridge.errors import CurveError
from bridge.needs import Word
from bridge.tariff import Prices, Tariff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.config import SiteSettings
    from bridge.mqtt import Incoming
    from bridge.needs import Need

IMPORT: Final = "topic"
EXPORT: Final = "export_topic"


class MqttTariff(Tariff):
    """Hears the newest curve on one or two topics; a retained one is good, for it has its times."""

    kind = "mqtt_tariff"
    Settings = MqttTariffSettings
    untried = None

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Its one or two topics."""
        for topic in (settings.topic, settings.export_topic):
            if topic is not None:
                yield Word(topic, kept=True, refuse=lambda payload: _refusal(payload, settings))

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._came: dict[str, bytes] = {}
        self._arrival = anyio.Event()
        self._sold: Curves | None = None
        self._refusals: dict[str, str] = {}

    async def ask(self) -> None:
        """Nobody is asked: listen for ever."""
        for name in (IMPORT, EXPORT):
            topic = getattr(self.settings, name)
            if topic is not None:
                await self.bus.listen(topic, partial(self._hear, name))
        if self.known is None:
            await self.failed(f"nothing has come on '{self.settings.topic}' yet")
        while True:
            await self._arrival.wait()
            self._arrival = anyio.Event()
            came, self._came = self._came, {}
            # The export first: it then stands beside the import that comes with it.
            for name in (EXPORT, IMPORT):
                if name in came:
                    await self.take(name, came[name])

    async def take(self, name: str, payload: bytes) -> None:
        """Read what came on the topic of the setting `name`; what is wrong is told in Health."""
        settings: MqttTariffSettings = self.settings
        topic = getattr(settings, name)
        try:
            found = curves(payload, zone=self.zone.key, unit=settings.unit, form=settings.read)
        except CurveError as error:
            self._refusals[name] = f"what came on '{topic}' is not used: {error}"
            await self.failed(self._refusals[name])
            return
        self._refusals.pop(name, None)
        imports, exports = found.imports, found.exports
        if name == EXPORT:
            self._sold = found
            if self.known is None:
                return  # it waits for the prices of import
            imports, exports = Curve(), found.imports
        elif settings.export_topic is not None:
            exports = self._beside(found.currency)
        if await self.took(Prices(imports, exports, found.currency)) and self._refusals:
            await self.failed(next(iter(self._refusals.values())))

    def _beside(self, currency: str | None) -> Curve:
        """The export prices that came last, where they are in the currency of those of import."""
        sold = self._sold
        if sold is None or (sold.currency or currency) != (currency or sold.currency):
            return Curve()
        return sold.imports

    def _hear(self, name: str, message: Incoming) -> None:
        if not message.payload:
            return  # cleared: what is known stays valid to its end
        self._came[name] = message.payload
        self._arrival.set()


def _refusal(payload: bytes, given: MqttTariffSettings) -> str | None:
    try:
        curves(payload, zone=given.zone().key, unit=given.unit, form=given.read)
    except CurveError as error:
        return str(error)
    return None
