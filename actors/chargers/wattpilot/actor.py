"""The Wattpilot actor: brings the protocol; when to charge is decided in bridge/charging."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from actors.chargers.wattpilot.client import Client
from actors.chargers.wattpilot.settings import Settings
from bridge.charging.goe_device import GoeDevice
from bridge.charging.goe_keys import decode, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.actor import Context
    from bridge.charging.goe_keys import Decoded

_MAKER = "Fronius"
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


class Wattpilot(GoeDevice):
    """A Fronius Wattpilot at `host`. In its eco mode the sun decides, in the others people do."""

    kind = "wattpilot"
    Settings = Settings
    called: ClassVar[str] = "a Wattpilot"

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
                await self.pushed(self.reading_from(decode(keys)))
            before = now

    async def _tell(self, found: Decoded) -> None:
        hello = self.client.hello
        await self.info(
            _MAKER,
            text(hello.get("devicetype")) or found.model,
            text(hello.get("serial")) or found.serial,
            text(hello.get("version")) or found.firmware,
        )

    # ---------------------------------------------------------------- its keys

    async def keys_now(self) -> Mapping[str, Any]:
        """All keys, from the status as it is now. Raises DeviceError."""
        return await self.client.status()

    async def set_key(self, key: str, value: Any) -> None:
        """Set one key and wait for the charger's word. Raises DeviceError."""
        await self.client.set(key, value)
