"""The actor: asks the inverter's Solar API for one meter; it decides nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from actors.devices.fronius_meter.decode import (
    LOAD_PLACE,
    decode,
    quantities,
    role_of,
    unconfirmed,
)
from bridge.config.settings import DeviceSettings
from bridge.config.types import Interval
from bridge.device import Device
from bridge.errors import DeviceGarbled, DeviceRefused
from bridge.http.client import HttpClient, HttpRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actors.devices.fronius_meter.decode import Reading, Role
    from bridge.actor import Context
    from bridge.device import Values

PATH = "/solar_api/v1/GetMeterRealtimeData.cgi"
_NOT_FOUND = 404


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host (of the inverter or data manager), port, interval and timeout as every device.

    unit: number of the meter there; role: what it measures, else as the `site` section says, else
    as it was set up in the inverter; invert: it is mounted the other way round. Where nobody knows
    which way it counts, a warning stands until `invert` says it (None: not said, as it counts).
    """

    interval: Interval = 1.0
    unit: Annotated[int, Meta(ge=0, le=255)] = 0
    role: Literal["grid", "load", "pv", "device"] | None = None
    invert: bool | None = None

    def identity(self) -> str:
        """Where it is; equal for one meter. See bridge/config/twins.py."""
        return f"fronius {self.host.casefold()}:{self.port} {self.unit}"


class FroniusMeter(Device):
    """A Fronius Smart Meter behind an inverter with the Solar API."""

    kind = "fronius_meter"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridImportEnergy", "GridExportEnergy"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}", "PvEnergy"),
        *("Power", "PowerL{phase}", "VoltageL{phase}", "CurrentL{phase}", "Frequency"),
        *("Energy", "ReturnedEnergy"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.name = f"the inverter at {settings.host}:{settings.port}"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.client = HttpClient(
            f"http://{host}:{settings.port}",
            name=self.name,
            timeout=settings.timeout,
            clock=self.clock,
        )
        self._last: Reading | None = None

    async def run(self) -> None:
        """Poll until stopped."""
        await self.poll(self._read, interval=self.settings.interval)

    async def safe(self) -> None:
        """Close the connection."""
        await self.client.close()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        async with self.client:
            yield

    async def read_once(self) -> Values:
        """One reading straight from the inverter. Raises DeviceError."""
        settings: Settings = self.settings
        query = {"Scope": "Device", "DeviceId": str(settings.unit)}
        # What data managers of 2012 wanted besides; later ones do not mind.
        query["DataCollection"] = "MeterRealtimeData"
        try:
            answer = await self.client.get(PATH, query=query)
            found = decode(answer, settings.unit)
        except HttpRefused as error:
            if error.status != _NOT_FOUND:
                raise
            text = "has no Solar API: switch it on in the inverter's web page, under Communication"
            raise DeviceRefused(f"{self.name} {text}") from None
        except DeviceGarbled as error:
            raise DeviceGarbled(_named(self.name, error)) from None
        except DeviceRefused as error:
            raise DeviceRefused(_named(self.name, error)) from None
        self._last = found
        return quantities(found, self.role(found), invert=bool(settings.invert))

    def role(self, found: Reading) -> Role:
        """As set, else as the site says, else by its place. Raises DeviceRefused."""
        settings: Settings = self.settings
        if settings.role is not None:
            return settings.role
        site = self.config.site
        of_site = site.roles(self.id) if site is not None else ()
        if "grid" in of_site and found.place == LOAD_PLACE:
            raise DeviceRefused(
                f"{self.name} has its meter in the consumption path, so that it cannot be the grid "
                "meter: make it 'load' in the site section"
            )
        for role in ("grid", "pv", "load"):
            if role in of_site:
                return role
        return role_of(found)

    async def _read(self) -> Values:
        values = await self.read_once()
        last = self._last
        if last is not None:
            await self.info(last.manufacturer or "Fronius", last.model, last.serial)
            doubt = unconfirmed(last, self.role(last)) if self.settings.invert is None else None
            await self.warn("sign", None if doubt is None else f"{self.name} {doubt}")
        return values


def _named(name: str, error: Exception) -> str:
    """Put the device's name in front of a sentence that has none."""
    text = str(error)
    return text if text.startswith(name) else f"{name} {text}"
