"""The go-e actor: brings the ways to speak; when to charge is decided in bridge/charging."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from actors.chargers.go_e.client import Client
from actors.chargers.go_e.mqtt import SILENCE, Mqtt
from actors.chargers.go_e.settings import Settings
from bridge.charging.goe_device import GoeDevice
from bridge.charging.goe_keys import decode
from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.actor import Context
    from bridge.charging.goe_keys import Decoded
    from bridge.charging.model import ChargerReading, ChargerWish

_MAKER = "go-e"
_INTERVALS = 3
_THREE = 3
# What somebody may do at the charger or in its app, or the car by itself: told at once.
_AT_ONCE = ("car", "alw", "frc", "lmo", "psm", "fsp", "err", "modelStatus")


class _Ear:
    """Takes what the charger publishes, for as long as its actor lives."""

    def __init__(self, actor: GoE, mqtt: Mqtt) -> None:
        self._actor, self._mqtt = actor, mqtt

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._mqtt.listen()
        changes, before = 0, None
        while True:
            changes = await self._mqtt.news(changes)
            keys = self._mqtt.known
            now = [keys.get(name) for name in _AT_ONCE]
            if before is not None and now != before:
                await self._actor.pushed(self._actor.reading_from(decode(keys)))
            before = now

    async def safe(self) -> None:
        """Nothing is held."""


class GoE(GoeDevice):
    """A go-e charger over HTTP at `host`, or over our broker under its `serial`."""

    kind = "go_e"
    Settings = Settings
    called: ClassVar[str] = "a go-e charger"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self._way: Client | Mqtt
        if settings.api == "mqtt":
            self._way = heard = Mqtt(
                self.bus,
                self.clock,
                serial=settings.serial or "",
                topic=settings.topic,
                timeout=settings.timeout,
                silence=max(SILENCE, _INTERVALS * settings.interval),
            )
            self.companions.append(_Ear(self, heard))
        else:
            self._way = Client(
                settings.host or "",
                settings.port,
                api=settings.api,
                timeout=settings.timeout,
                notes=self.state,
                clock=self.clock,
            )

    # ---------------------------------------------------------------- its life

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        try:
            yield
        finally:
            await self.rest()

    async def safe(self) -> None:
        """Give it back and close the connection."""
        try:
            await super().safe()
        finally:
            await self.rest()

    async def rest(self) -> None:
        """Close the connection; the next reading opens it."""
        await self._way.close()

    # ---------------------------------------------------------------- its keys

    async def keys_now(self) -> Mapping[str, Any]:
        """All keys as they are now. Raises DeviceError."""
        return await self._way.keys()

    async def set_key(self, key: str, value: Any) -> None:
        """Set one key and read it back. Raises DeviceError."""
        await self._way.set(key, value)

    async def read_charger(self) -> ChargerReading:
        """One reading. Raises DeviceError."""
        found = await self.decoded()
        await self.info(_MAKER, found.model, found.serial, found.firmware)
        return self.reading_from(found)

    def reading_from(self, found: Decoded) -> ChargerReading:
        """As all of them; one without `psm` cannot change its phases."""
        reading = super().reading_from(found)
        if found.psm is not None:
            return reading
        return replace(reading, phases_possible=frozenset({reading.phases or _THREE}))

    async def obey(self, wish: ChargerWish) -> None:
        """Write what differs, and read it back. Raises DeviceError."""
        if wish.phases is not None:
            found = await self.decoded()
            if found.psm is None:
                held = self.reading_from(found).phases
                if held not in (None, wish.phases):
                    raise DeviceRefused(f"{self.id} cannot change its phases")
                wish = replace(wish, phases=None)
        await super().obey(wish)
