"""The actor of a switch behind URLs: reads it, measures it, switches it. It decides nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from actors.consumers.http_switch.client import Client
from actors.consumers.http_switch.settings import Settings
from bridge.device import Device
from bridge.errors import DeviceError, DeviceRefused
from bridge.switching.companion import switching
from bridge.switching.model import Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from bridge.actor import Context
    from bridge.config import SiteSettings
    from bridge.needs import Need


class HttpSwitch(Device):
    """Anything that is switched by one URL, switched off by another and tells its state at a third.

    Power is what it draws, W, + = consumption.
    """

    kind = "http_switch"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = ("Power",)
    controls = ("Switch",)
    writes: ClassVar[tuple[str, ...]] = (*Device.writes, "Requests/{consumer}")

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Somebody who shares the surplus."""
        yield from settings.shares(id)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.client = Client(settings, self.clock)
        self.on: bool | None = None
        self.drawn: float | None = None
        self._power_error: str | None = None
        self.consumer = switching(self, OwnSwitch(self), settings, interval=settings.interval)
        if self.consumer is not None:
            self.companions.append(self.consumer)

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Read it for ever."""
        await self.poll(self._read, interval=self.settings.interval)

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connections for readings without a bridge."""
        try:
            yield
        finally:
            await self.client.close()

    async def safe(self) -> None:
        """Close the connections. A switch that its owner switched stays as it is."""
        await self.client.close()

    async def _read(self) -> Mapping[str, float | str | None]:
        values = await self.read_once()
        await self._tell()
        return values

    async def _tell(self) -> None:
        await self.control_state("Switch", self.on)
        await self.warn("power", self._power_error)

    async def read_once(self) -> dict[str, float | str | None]:
        """One reading straight from it. Raises DeviceError; a power that is not told is unknown."""
        self.on, status = await self.client.state()
        try:
            self.drawn = await self.client.power(status)
            self._power_error = None
        except DeviceError as error:
            self.drawn, self._power_error = None, str(error)
        if self.consumer is not None:
            self.consumer.take(self.seen_now())
        return {"Power": self.drawn} if self.settings.power_url is not None else {}

    def seen_now(self) -> Seen:
        """As just read."""
        return Seen(self.on, self.drawn, self.clock.now())

    # ---------------------------------------------------------------- control

    def may_return(self, control: str, device: str) -> bool:
        """The switch of a consumer can be given back to the sun."""
        return self.consumer is not None and control == "Switch" and device == self.id

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Switch it and read it back. Raises DeviceError when it cannot be reached."""
        returns = self.may_return(control, device)
        if control != "Switch" or not (isinstance(value, bool) or (value is None and returns)):
            return await super().write_control(control, value, device=device)
        if value is not None and self.status_of(device) == "offline":
            raise DeviceRefused(f"{self.client.name} is offline: nothing was switched")
        if self.consumer is not None:
            return await self.consumer.by_control(value)
        return await self.switch(on=value is True)

    async def switch(self, *, on: bool) -> bool:
        """Switch it, read it back, and show it."""
        self.on = await self.client.switch(on=on)
        return self.on


class OwnSwitch:
    """What the core of on/off consumers reads and switches."""

    def __init__(self, actor: HttpSwitch) -> None:
        self._actor = actor

    @property
    def timer(self) -> float | None:
        """Its own switch-off timer, where its owner says that it has one."""
        found: float | None = self._actor.settings.auto_off
        return found

    async def read(self) -> Seen:
        """Ask it now. Raises DeviceError."""
        await self._actor.read_once()
        return self._actor.seen_now()

    async def switch(self, *, on: bool, timer: float | None) -> bool:  # noqa: ARG002 - in its url
        """Switch it, read it back, and show it. Raises DeviceError."""
        state = await self._actor.switch(on=on)
        await self._actor.control_state("Switch", state)
        return state
