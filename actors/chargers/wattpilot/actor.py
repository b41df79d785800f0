"""The Wattpilot actor: brings the protocol; when to charge is decided in bridge/charging."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from actors.chargers.wattpilot.client import Client
from actors.chargers.wattpilot.settings import Settings
from actors.chargers.wattpilot.wear import Wear
from bridge.charging.device import ChargerDevice
from bridge.charging.goe_keys import EXTRAS, MODES, decode, text
from bridge.charging.goe_recipe import keep, put_back, reading_of, writes
from bridge.errors import DeviceError, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from bridge.actor import Context
    from bridge.charging.goe_keys import Decoded
    from bridge.charging.model import ChargerReading, ChargerWish

_BEFORE = "before"
_WORDS = {word: number for number, word in MODES.items()}
_MAKER = "Fronius"
_EEPROM = "amp"
# What somebody may do at the charger or in its app, or the car by itself: told at once.
_AT_ONCE = ("car", "alw", "frc", "lmo", "psm", "fsp", "err", "modelStatus")


class _Ear:
    """Takes what the charger sends by itself, for as long as its actor lives."""

    def __init__(self, actor: Wattpilot) -> None:
        self._actor = actor

    async def run(self) -> None:
        """Listen until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._actor.client.listen)
            await self._actor.watch()

    async def safe(self) -> None:
        """Nothing is held: the actor closes its connection."""


class Wattpilot(ChargerDevice):
    """A Fronius Wattpilot at `host`. In its eco mode the sun decides, in the others people do."""

    kind = "wattpilot"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (*ChargerDevice.quantities, *EXTRAS)
    manual_modes: ClassVar[frozenset[str]] = frozenset({"default", "next_trip", "other"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        secret = settings.password
        self.client = Client(
            settings.host,
            settings.port,
            password=secret.reveal() if secret is not None else None,
            timeout=settings.timeout,
            clock=self.clock,
        )
        self.wear = Wear(self.state, self.clock, settings.daily_writes)
        self._before: dict[str, Any] = self.state.load(_BEFORE) or {}
        self.companions.append(_Ear(self))

    # ---------------------------------------------------------------- its life

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        async with self.client:
            yield

    async def safe(self) -> None:
        """Close the connection."""
        try:
            await super().safe()
        finally:
            await self.client.close()

    async def rest(self) -> None:
        """No car is there: leave the charger alone for a while."""
        await self.client.close()

    async def watch(self) -> None:
        """Tell what the charger sends by itself, as soon as it matters, until cancelled."""
        changes, before = 0, None
        while True:
            changes = await self.client.news(changes)
            keys = self.client.keys
            await self._tell(decode(keys))
            now = [keys.get(name) for name in _AT_ONCE]
            if before is not None and now != before:
                await self.pushed(self._reading(decode(keys)))
            before = now

    async def _tell(self, found: Decoded) -> None:
        hello = self.client.hello
        await self.info(
            _MAKER,
            text(hello.get("devicetype")) or found.model,
            text(hello.get("serial")) or found.serial,
            text(hello.get("version")) or found.firmware,
        )

    # ---------------------------------------------------------------- reading

    async def read_charger(self) -> ChargerReading:
        """One reading, from the status as it is now. Raises DeviceError."""
        return self._reading(await self._decoded())

    async def _decoded(self) -> Decoded:
        return decode(await self.client.status())

    def _reading(self, found: Decoded) -> ChargerReading:
        reading = reading_of(found)
        if found.volatile or found.stored is None or not self.wear.spent:
            return reading
        # The EEPROM has been written often enough today: the current can only be lowered.
        most = found.stored if reading.max_current is None else reading.max_current
        return replace(reading, max_current=min(most, found.stored))

    # ---------------------------------------------------------------- control

    async def obey(self, wish: ChargerWish) -> None:
        """Write what differs, phases first, then current, then on. Raises DeviceError."""
        found = await self._decoded()
        todo = writes(wish, found, self._before)
        self._keep(found, {key for key, _ in todo})
        for key, value in todo:
            if key == _EEPROM and wish.current is not None:
                self._spend(found, value)
            await self.client.set(key, value)
        self._forget(put_back(wish))

    def _spend(self, found: Decoded, value: int) -> None:
        """Count a write to the EEPROM; what lowers the current is never refused."""
        if self.wear.spent and (found.stored is None or value > found.stored):
            limit = self.wear.limit
            raise DeviceError(f"the current was written {limit} times today, which is its limit")
        self.wear.count()

    async def set_mode(self, mode: str | None) -> str | None:
        """Set eco, default or next_trip; None puts back what was found. Raises DeviceError."""
        found = await self._decoded()
        number = self._before.get("lmo") if mode is None else _WORDS.get(mode)
        if mode is not None and number is None:
            raise DeviceRefused(f"a Wattpilot has no mode {mode}: it has {', '.join(_WORDS)}")
        if mode is not None:
            self._keep(found, {"lmo"})
        if number is not None and number != found.mode_number:
            await self.client.set("lmo", number)
        if mode is None:
            self._forget({"lmo"})
        return MODES.get(found.mode_number or 0) if number is None else MODES.get(number)

    def _keep(self, found: Decoded, keys: set[str]) -> None:
        """Note on the disk what is about to be changed, before it is."""
        kept = keep(found, self._before, keys)
        if kept != self._before:
            self._before = kept
            self.state.save(_BEFORE, kept)

    def _forget(self, keys: Collection[str]) -> None:
        """What was put back needs no note any more."""
        left = {key: value for key, value in self._before.items() if key not in keys}
        if left != self._before:
            self._before = left
            self.state.save(_BEFORE, left)
