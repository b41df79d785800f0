"""The actor: reads the device, writes its control, decides nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar

import msgspec

from actors._template.client import Client
from actors._template.decode import decode
from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings
from bridge.config.types import Watts
from bridge.device import Device
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from actors._template.decode import Reading
    from bridge.actor import Context
    from bridge.contract import Control


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host, port, interval and timeout as every device.

    password: when the device asks for one; rated_power: W, the most that it can produce.
    """

    password: Secret | None = None
    rated_power: Watts = 10_000.0


class Template(Device):
    """An imaginary inverter with a JSON interface: its power, its counter, and a limit."""

    kind = "_template"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = ("PvPower", "PvEnergy")
    controls: ClassVar[tuple[str, ...]] = ("PvLimit",)
    # The device forgets a limit after 60 s without a word; the bridge repeats it at half of that.
    watchdog: ClassVar[Mapping[str, float]] = {"PvLimit": 60.0}
    tolerance: ClassVar[Mapping[str, float]] = {"PvLimit": 1.0}

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        secret = settings.password
        self.client = Client(
            settings.host,
            settings.port,
            password=secret.reveal() if secret else None,
            timeout=settings.timeout,
        )
        self._last: Reading | None = None

    async def run(self) -> None:
        """Poll until stopped."""
        await self.poll(self._read, interval=self.settings.interval)

    async def safe(self) -> None:
        """Close the connection; a limit that was lent out has been given back before."""
        await self.client.close()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        try:
            yield
        finally:
            await self.client.close()

    async def read_once(self) -> Mapping[str, float | str | None]:
        """One reading straight from the device. Raises DeviceError."""
        found = await self.client.get("/status")
        try:
            self._last = decode(found)
        except DeviceGarbled as error:
            raise DeviceGarbled(f"{self.client.name} {error}") from None
        return self._last.values

    async def _read(self) -> Mapping[str, float | str | None]:
        values = await self.read_once()
        last = self._last
        if last is not None:
            await self.info("Imaginary", last.model, last.serial, last.firmware)
            await self.control_state("PvLimit", last.limit)
        return values

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry with the range of this very device."""
        entry = super().control_entry(control, device)
        return msgspec.structs.replace(entry, max=self.settings.rated_power)

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Set the limit in W (None lifts it) and read it back from the device."""
        if control != "PvLimit" or isinstance(value, (str, bool)):
            return await super().write_control(control, value, device=device)
        await self.client.post("/limit", {"watts": value})
        await self.read_once()
        return self._last.limit if self._last else None
