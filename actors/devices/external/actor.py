"""A device that an ESP, a flow or another bridge publishes under `Devices/{device}/…`.

Nothing is read here: what arrives is checked for range and age like our own readings, and brought
into one coherent `State`. Whoever publishes a `State` of its own is left to it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from bridge.device import Device
from bridge.errors import DeviceError
from bridge.log import Seldom
from bridge.needs import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.config import SiteSettings
    from bridge.needs import Need

_LOOK = 0.5
_OFFLINE_AFTER = 3.0
_MOST_REFUSALS = 100
_OWN_STATE_LASTS = 60.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing must be set: the topics tell everything."""

    manufacturer: str | None = None
    model: str | None = None


class External(Device):
    """Checks and completes what somebody else publishes."""

    kind = "external"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = ()
    reads_directly = False

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Somebody who publishes it."""
        yield Word(f"Devices/{id}/+", ours=True)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._values: dict[str, tuple[float | str, float]] = {}
        self._refused: dict[str, str] = {}
        self._seldom = Seldom(self.log, self.clock.now)
        self._own_state_at = -math.inf
        self._changed = False

    async def run(self) -> None:
        """Answer every value; notice when none comes."""
        if self.settings.manufacturer or self.settings.model:
            await self.info(self.settings.manufacturer, self.settings.model)
        await self.subscribe("Devices/{device}/{Quantity}", self._on_value, device=self.id)
        async for _ in self.every(_LOOK):
            await self._look()

    async def read_once(self) -> dict[str, float | str | None]:
        """Only the broker knows; `doctor` and `read` say so."""
        sentence = f"{self.id} is published by somebody else: look at Devices/{self.id}/# instead"
        raise DeviceError(sentence)

    async def _look(self) -> None:
        await self._state()
        await self.mark_stale()
        if self.status_of() == "stale" and self.age_of() > _OFFLINE_AFTER * self._patience():
            await self.device_status("offline", f"nothing came for {self.age_of():.0f} s")
            await self.health(f"nothing has been published under Devices/{self.id} for a while")

    def _patience(self) -> float:
        ages = [self.contract.quantity(name).max_age or 60.0 for name in self._values]
        return min(ages, default=60.0)

    async def _on_value(self, message: Message) -> None:
        name = message.params["Quantity"]
        if name == "State":
            await self._on_state(message)
        elif name == "Status":
            await self._on_status(message)
        elif name == "Info":
            pass
        elif message.channel is None:
            await self._refuse(name, f"{name[:40]} is not a quantity that topics.yaml knows")
        elif message.channel.topic.key != "quantity":
            pass  # the state of a control is the device's own business
        elif message.error is not None:
            await self._refuse(name, message.error)
        elif not message.retained:
            await self._accept(name, message)
        # What arrived together is one reading: half of it could look like a cloud.
        if not self.bus.waiting:
            await self._state()

    async def _accept(self, name: str, message: Message) -> None:
        await self._right_again(name)
        if message.value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = (message.value, message.at)
        self._changed = message.at - self._own_state_at > _OWN_STATE_LASTS

    async def _state(self) -> None:
        """Publish one reading of all values, if one of them has come since the last."""
        if not self._changed:
            return
        self._changed = False
        now = self.clock.now()
        values: dict[str, float | str | None] = {}
        for name, (value, at) in self._values.items():
            limit = self.contract.quantity(name).max_age
            values[name] = value if limit is None or now - at <= limit else None
        await self.reading(values, plain=False)
        await self.health(None)

    async def _on_state(self, message: Message) -> None:
        """Our own echo, or the device's own word; the latter wins for a minute."""
        if message.retained or not message.payload or message.payload in self.sent_states:
            return
        if message.error is not None:
            await self._refuse("State", message.error)
            return
        await self._right_again("State")
        self._own_state_at, self._changed = message.at, False
        await self.seen(message.value)
        await self.health(None)

    async def _on_status(self, message: Message) -> None:
        if message.value == "offline" and not message.retained and self.status_of() == "online":
            await self.device_status("offline", "it said so itself")

    async def _refuse(self, name: str, sentence: str) -> None:
        if name not in self._refused and len(self._refused) >= _MOST_REFUSALS:
            return  # a flood of invented names needs no sentence each
        if self._refused.get(name) != sentence:
            self._refused[name] = sentence
            self._seldom.warning("refused", f"refused: {sentence}")
            await self.warn(name, sentence)

    async def _right_again(self, name: str) -> None:
        if self._refused.pop(name, None) is not None:
            await self.warn(name, None)
