"""The Sessy actor: reads a battery or a meter, lends a battery out. It decides nothing."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from actors.devices.sessy import decode
from actors.devices.sessy.client import Client
from actors.devices.sessy.numbers import block
from actors.devices.sessy.settings import Settings
from actors.devices.sessy.steering import STATUS, Steering, setpoint
from actors.devices.sessy.words import API, LASTING, remark
from bridge.device import Device
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from actors.devices.sessy.client import Identity
    from actors.devices.sessy.decode import Role, Values
    from bridge.actor import Context
    from bridge.contract import Control

MOST_POWER: Final = 2200.0
_CONTROLS: Final = ("BatterySetpoint", "WorkMode")
_MODELS: Final = {
    "battery": "Sessy",
    "p1": "Sessy P1 meter",
    "ct": "Sessy CT meter",
    "modbus": "Sessy Modbus meter",
}
_ENERGY: Final = "/api/v1/energy/status"
_COUNTERS_EVERY, _STRATEGY_EVERY = 60.0, 15.0
# Follows something that is no set-point of ours: unlike any number.
_SOMETHING_ELSE: Final = math.nan


class Sessy(Device):
    """A Sessy battery, P1 meter, CT meter or Modbus meter. Signs: see decode.py."""

    kind = "sessy"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("BatteryPower", "BatterySoc", "BatteryVoltage", "BatteryState"),
        *("BatteryChargeEnergy", "BatteryDischargeEnergy"),
        *("InverterState", "InverterFrequency", "InverterCurrentL{phase}"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}"),
        *("PvEnergy", "PvEnergyL{phase}"),
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridImportEnergy", "GridExportEnergy"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy"),
    )
    controls: ClassVar[tuple[str, ...]] = _CONTROLS
    # Nobody knows whether the device would forget a set-point, so it is repeated.
    watchdog: ClassVar[Mapping[str, float]] = {"BatterySetpoint": 60.0}
    tolerance: ClassVar[Mapping[str, float]] = {"BatterySetpoint": 0.51}
    daily_writes: ClassVar[Mapping[str, int]] = {"WorkMode": 50}

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        secret = settings.password
        self.client = Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=secret.reveal() if secret is not None else None,
            timeout=settings.timeout,
            clock=self.clock,
        )
        self.steering = Steering(self.client, self.state, self.clock, settings.give_back)
        self.identity: Identity | None = None
        self._status: Any = None
        self._energy: Any = None
        self._energy_at = self._strategy_at = -math.inf
        self._pv: frozenset[int] = frozenset()
        self._known: set[str] = set()

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Poll until stopped."""
        await self.poll(self._read, interval=self.settings.interval)

    async def safe(self) -> None:
        """Close the connection; what was lent out has been given back before."""
        await self.client.close()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        try:
            yield
        finally:
            await self.client.close()

    # ---------------------------------------------------------------- reading

    async def read_once(self) -> Values:
        """One reading straight from the device. Raises DeviceError."""
        try:
            if self.identity is None:
                self.identity = await self.client.identify(self.settings.device)
            values = await self._values(self.identity)
        except DeviceError as error:
            # Perhaps another one has its address now, or it has another firmware.
            self.identity = None
            self._energy_at = -math.inf
            if isinstance(error, DeviceGarbled) and not str(error).startswith(self.client.name):
                raise DeviceGarbled(f"{self.client.name} {error}") from None
            raise
        # What it never had is left out; what it once had is unknown when it is missing.
        self._known |= {name for name, value in values.items() if value is not None}
        self._known |= {"BatteryPower"} & set(values) | {"GridPower"} & set(values)
        return {name: values.get(name) for name in sorted(self._known)}

    async def _values(self, identity: Identity) -> Values:
        settings: Settings = self.settings
        if identity.model == "battery":
            self._status = await self.client.get(STATUS)
            energy = await self._counters()
            self._pv |= decode.clamps(self._status, energy)
            return decode.battery(self._status, energy, identity.phase, self._pv)
        if identity.model == "p1":
            found = await self.client.perhaps("/api/v2/p1/details")
            if found is not None:
                return decode.p1(found)
            found = await self.client.get("/api/v1/p1/details")
            told = "state" in block({"page": found}, "page")
            status = None if told else await self.client.perhaps("/api/v1/p1/status")
            return decode.p1_legacy(found, status)
        if identity.model == "modbus":
            found = await self.client.get("/api/v1/modbus/details")
            return decode.modbus(found, self._role(), invert=settings.invert)
        found = await self.client.get("/api/v1/ct/details")
        return decode.ct(found, await self._counters(), self._role(), invert=settings.invert)

    async def _counters(self) -> Any:
        """Once a minute; None for a firmware without them, and while they cannot be read."""
        if self.clock.now() - self._energy_at >= _COUNTERS_EVERY:
            self._energy_at = self.clock.now()
            self._energy = None
            with contextlib.suppress(DeviceError):  # the powers do not wait for them
                self._energy = await self.client.perhaps(_ENERGY)
        return self._energy

    def _role(self) -> Role:
        """As set, else as the site section says, else the grid's meter."""
        settings: Settings = self.settings
        if settings.role is not None:
            return settings.role
        roles = self.config.site.roles(self.id) if self.config.site is not None else ()
        for role in ("grid", "pv", "load"):
            if role in roles:
                return role
        return "grid"

    async def _read(self) -> Values:
        values = await self.read_once()
        identity = self.identity
        if identity is not None:
            model = _MODELS[identity.model]
            await self.info("Sessy", model, identity.serial, identity.firmware)
            if identity.model == "battery":
                await self.warn("state", "; ".join(self._remarks()) or None)
                await self._tell_controls()
        return values

    def remarks(
        self, found: Mapping[str, Mapping[str, float | str | None]]
    ) -> Mapping[str, Sequence[str]]:
        """What a battery says of itself beside its numbers."""
        return {device: self._remarks() for device in found}

    def _remarks(self) -> list[str]:
        told = block(self._status, "sessy")
        text = remark(told.get("system_state"), told.get("system_state_details"))
        found = [f"{self.client.name} {text}"] if text else []
        if told.get("strategy_overridden") is True:
            found.append(f"{self.client.name} says that something overrides its strategy")
        return found

    # ---------------------------------------------------------------- control

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """What a killed run left is given back at once; else the first reading tells what it is."""
        owed = self.steering.lent or self.settings.device == "battery"
        return {self.id: _CONTROLS} if owed else {}

    async def _tell_controls(self) -> None:
        """Offer what can be set, and tell what the device has; a failure costs no reading."""
        await self.desk.offer(*_CONTROLS)
        leased = self.desk.lease("BatterySetpoint") is not None
        if not leased and self.clock.now() - self._strategy_at < _STRATEGY_EVERY:
            return
        try:
            strategy = await self.steering.strategy()
        except DeviceError as error:
            await self.warn("strategy", str(error))
            return
        self._strategy_at = self.clock.now()
        await self.warn("strategy", None)
        await self.control_state("WorkMode", self.steering.shown(strategy))
        followed = setpoint(self._status) if strategy == API else _SOMETHING_ELSE
        await self.control_state("BatterySetpoint", followed)

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry with the power and the strategies of this very device."""
        entry = super().control_entry(control, device)
        if control == "BatterySetpoint":
            most = (self.identity.most if self.identity else None) or MOST_POWER
            return msgspec.structs.replace(entry, min=-most, max=most)
        if control == "WorkMode":
            return msgspec.structs.replace(entry, options=LASTING, open=False)
        return entry

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Set a control and give it as read back (None = give back). Raises DeviceError."""
        if device != self.id or control not in _CONTROLS or isinstance(value, bool):
            return await super().write_control(control, value, device=device)
        if self.identity is not None and self.identity.model != "battery":
            raise DeviceRefused(f"{self.client.name} is a meter: there is nothing to set")
        if control == "WorkMode":
            return await self.steering.leave_to(str(value))
        if value is None:
            await self.steering.give_back()
            return None
        return await self.steering.lend(float(value))
