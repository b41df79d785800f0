"""The actor: GoodWe inverters by their registers, over GoodWe's UDP or over Modbus."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Literal

from actors.devices.goodwe.recipes import (
    TWO_BATTERIES,
    ExportLimit,
    as_asked_for,
    with_two_batteries,
)
from bridge.config.types import Port, Timeout
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from bridge.modbus.identity import identity
from bridge.modbus.link import LinkSpec
from bridge.modbus.wire import Refusal
from bridge.register_device import Bound, RegisterDevice, RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.modbus.wire import Wire
    from bridge.registers import RegisterMap

PORTS: Final = {"udp": 8899, "modbus": 502, "rtu_over_tcp": 502, "serial": 0}
_UNITS: Final = {"auto": 247, "et": 247, "dt": 127}
_PROBES: Final = {"et": (35001, 10), "dt": (30004, 8)}
"""Rated power, output type and serial number; of the DT family the serial number alone."""


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every device made of registers takes, and GoodWe's own.

    transport: `udp` is GoodWe's own way, the others as everywhere; port: None for 8899 with udp,
    502 otherwise; family: `et` with a battery, `dt` without one, `auto` asks the inverter.
    """

    port: Port | None = None  # type: ignore[assignment]  # it follows the transport
    timeout: Timeout = 1.0
    retries: int = 3
    transport: Literal["udp", "modbus", "rtu_over_tcp", "serial"] = "udp"  # type: ignore[assignment]  # one more
    family: Literal["auto", "et", "dt"] = "auto"

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        port = PORTS[self.transport] if self.port is None else self.port
        return identity(self, _UNITS[self.family], port)


class GoodWe(RegisterDevice):
    """One GoodWe inverter with what is connected to it: strings, battery, meter."""

    kind = "goodwe"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridImportEnergy", "GridExportEnergy"),
        *("PvPower", "PvString{n}Power", "PvString{n}Voltage", "PvString{n}Current"),
        *("PvEnergy", "PvEnergyToday", "LoadPower", "LoadEnergy", "LoadEnergyToday"),
        *("BatteryPower", "BatterySoc", "BatterySoh", "BatteryVoltage", "BatteryCurrent"),
        *("BatteryTemperature", "BatteryState", "BatteryChargeEnergy", "BatteryDischargeEnergy"),
        *("BatteryChargeEnergyToday", "BatteryDischargeEnergyToday"),
        *("InverterPower", "InverterPowerL{phase}", "InverterCurrentL{phase}"),
        *("InverterTemperature", "InverterState"),
    )
    controls: ClassVar[tuple[str, ...]] = (
        *("BatterySetpoint", "BatteryMode", "WorkMode", "MinSoc", "ExportLimit"),
    )

    _family: str | None = None

    def devices(self) -> Sequence[Bound]:
        """What the settings alone tell."""
        settings: Settings = self.settings
        return (self._bound(self._table("dt" if settings.family == "dt" else "et")),)

    async def identify(self) -> Sequence[Bound]:
        """Ask which family it is and, of an ET, how many batteries it takes."""
        settings: Settings = self.settings
        family, words = await self._found()
        if family == "dt":
            if settings.family == "auto" and not settings.unconfirmed:
                raise DeviceRefused(
                    f"{self.spec().name} is an inverter of the DT family, whose registers only one "
                    "source describes: set 'family: dt' to read it all the same"
                )
            return (self._bound(self._table("dt")),)
        table = self._table("et")
        return (self._bound(with_two_batteries(table) if words[0] >= TWO_BATTERIES else table),)

    async def _found(self) -> tuple[str, Sequence[int]]:
        """The family and what it answered; UDP loses datagrams, so each is asked several times."""
        settings: Settings = self.settings
        wanted = self._family or settings.family
        families = tuple(_PROBES) if wanted == "auto" else (wanted,)
        failed: DeviceError | None = None
        for _ in range(settings.retries + 1):
            for family in families:
                address, count = _PROBES[family]
                unit = self.map(family).unit if settings.unit is None else settings.unit
                try:
                    words = await self.read_words(address, count, unit=unit)
                except DeviceError as error:
                    # The other family's silence says less than what this one answered.
                    if failed is None or isinstance(failed, DeviceTimeout):
                        failed = error
                else:
                    self._family = family
                    return family, words
        if len(families) > 1 and isinstance(failed, Refusal) and failed.lasting:
            raise DeviceRefused(
                f"{self.spec().name} has the registers of neither the ET nor the DT family: "
                "GoodWe's ES, EM and BP inverters are not supported"
            )
        raise self._asked_for(failed or DeviceTimeout(f"{self.spec().name} does not answer"))

    def _asked_for(self, error: DeviceError) -> DeviceError:
        """An error that names `family`, where it is the owner's word."""
        settings: Settings = self.settings
        if settings.family == "auto" or not isinstance(error, (Refusal, DeviceTimeout)):
            return error
        hint = f"{error}; is 'family: {settings.family}' right? 'family: auto' asks the inverter"
        return Refusal(hint, error.code) if isinstance(error, Refusal) else DeviceTimeout(hint)

    def _table(self, family: str) -> RegisterMap:
        settings: Settings = self.settings
        table = self.map(family)
        return as_asked_for(table) if settings.family == family == "dt" else table

    def _bound(self, table: RegisterMap) -> Bound:
        entry = table.controls.get("ExportLimit")
        recipes = {} if entry is None else {"ExportLimit": ExportLimit(entry, table)}
        return Bound(device=self.id, table=table, recipes=recipes)

    def spec(self) -> LinkSpec:
        """The endpoint; without a `port` the usual one of the transport."""
        settings: Settings = self.settings
        if settings.transport == "serial":
            return super().spec()
        port = PORTS[settings.transport] if settings.port is None else settings.port
        return LinkSpec(transport=settings.transport, host=settings.host, port=port)

    def wire(self) -> Wire:
        """GoodWe's UDP, or what every device has."""
        from bridge.modbus.goodwe_udp import GoodweUdp
        from bridge.modbus.tcp import wire_for

        spec = self.spec()
        return GoodweUdp(spec.host, spec.port) if spec.transport == "udp" else wire_for(spec)
