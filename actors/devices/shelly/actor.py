"""The Shelly actor: reads a meter, plug or relay and switches its relay. It decides nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from actors.devices.shelly.client import Client
from actors.devices.shelly.counters import NetCounters
from actors.devices.shelly.decode import Role, Values, decode, quantities, select
from actors.devices.shelly.settings import Settings
from bridge.device import Device
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from actors.devices.shelly.decode import Measured
    from actors.devices.shelly.identity import Identity
    from actors.devices.shelly.reading import Reading
    from bridge.actor import Context

_MAIN = {"grid": "GridPower", "pv": "PvPower", "load": "LoadPower", "device": "Power"}
_COUNTERS = "net_meter"


class Shelly(Device):
    """A Shelly of any generation at `host`. Signs: see decode.py."""

    kind = "shelly"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridImportEnergy", "GridExportEnergy"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}", "PvEnergy"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy"),
        *("Power", "PowerL{phase}", "Energy", "ReturnedEnergy", "Frequency", "Temperature"),
        *("Voltage", "VoltageL{phase}", "Current", "CurrentL{phase}"),
    )
    controls = ("Switch",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        secret = settings.password
        self.client = Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=secret.reveal() if secret is not None else None,
            timeout=settings.patience,
            now=self.clock.now,
        )
        self.relay: bool | None = None
        self._output: int | None = None
        self._known: set[str] = set()
        self._net = NetCounters(
            lambda: self.state.load(_COUNTERS), lambda content: self.state.save(_COUNTERS, content)
        )

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Poll until stopped; then keep the counters."""
        try:
            await self.poll(self._read, interval=self.settings.interval)
        finally:
            self._net.save()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        async with self.client:
            yield

    async def safe(self) -> None:
        """Close the connection. A relay stays as it is: its owner switched it."""
        await self.client.close()

    async def _read(self) -> Values:
        values = await self.read_once()
        identity = self.client.identity
        if identity is not None:
            await self.info("Shelly", identity.model, identity.serial, identity.firmware)
        if self.relay is not None:
            await self.control_state("Switch", self.relay)
        return values

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """None: whether there is a relay is known after the first reading."""
        return {}

    # ---------------------------------------------------------------- reading

    async def read_once(self) -> Values:
        """One reading straight from the device."""
        identity, status = await self.client.status()
        reading = decode(identity, status)
        settings: Settings = self.settings
        try:
            measured = select(reading, settings.channel, settings.phase, invert=settings.invert)
        except DeviceRefused as error:
            raise DeviceRefused(f"{self.client.name} {error}") from None
        role = self.role(reading)
        self._output = self._choose_output(reading)
        self.relay = None if self._output is None else reading.outputs[self._output]
        return self._values(identity, reading, role, measured)

    def role(self, reading: Reading) -> Role:
        """Give the role: as set, else as the site section says, else by the kind of device."""
        settings: Settings = self.settings
        if settings.role is not None:
            return settings.role
        site = self.config.site
        of_site = site.roles(self.id) if site is not None else ()
        for role in ("grid", "pv", "load"):
            if role in of_site:
                return role
        return "grid" if reading.clamps else "device"

    def _choose_output(self, reading: Reading) -> int | None:
        """Take the relay of the set channel, else the first; None when there is none."""
        wished = self.settings.channel
        if isinstance(wished, int) and wished in reading.outputs:
            return wished
        return min(reading.outputs, default=None)

    def _values(
        self, identity: Identity, reading: Reading, role: Role, measured: Measured | None
    ) -> Values:
        if measured is None:
            if role != "device" or not reading.outputs:
                raise DeviceGarbled(f"{self.client.name} has no meter that could be read")
            found: Values = {}
        else:
            found = quantities(role, measured)
            if role == "grid" and self.settings.metering == "net":
                found |= self._netted(identity, measured)
        if role == "device":
            found["Temperature"] = reading.temperature
        # What a device never had is left out; what it once had is unknown when it is missing.
        self._known |= {name for name, value in found.items() if value is not None}
        if measured is not None:
            self._known.add(_MAIN[role])
        return {name: value for name, value in found.items() if name in self._known}

    def _netted(self, identity: Identity, measured: Measured) -> dict[str, float | None]:
        """Count net energy; a power that the contract would refuse is not counted either."""
        total = measured.total
        limits: Any = self.contract.quantity("GridPower")
        power = total.power
        if power is not None and not limits.min <= power <= limits.max:
            power = None
        line = type(total)(power=power, imported=total.imported, exported=total.exported)
        imported, exported = self._net.take(self.clock.now(), identity.serial, line)
        return {"GridImportEnergy": imported, "GridExportEnergy": exported}

    # ---------------------------------------------------------------- control

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Switch the relay and read it back. Raises DeviceError when it cannot be reached."""
        if control != "Switch" or not isinstance(value, bool):
            return await super().write_control(control, value, device=device)
        if self.status_of() == "offline":
            raise DeviceRefused(f"{self.client.name} is offline: nothing was switched")
        if self._output is None:
            await self.read_once()
        if self._output is None:
            raise DeviceRefused(f"{self.client.name} has no relay that could be switched")
        self.relay = await self.client.switch(self._output, on=value)
        return self.relay
