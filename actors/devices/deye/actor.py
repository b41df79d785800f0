"""The actor: which table fits, how it is reached, and what the generator port carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from actors.devices.deye import schedule
from actors.devices.deye.recipes import Mode, Schedule, Setpoint, why_less
from bridge.config.types import Timeout
from bridge.errors import DeviceError, DeviceRefused
from bridge.following import Following
from bridge.modbus.identity import identity
from bridge.modbus.link import LinkSpec
from bridge.modbus.wire import ILLEGAL_ADDRESS, Refusal, Wire
from bridge.register_device import Bound, RegisterDevice, RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.actor import Context
    from bridge.registers.controls import Asked
    from bridge.registers.model import Value

_PORTS: Final = {"solarman": 8899}
_USUAL_PORT: Final = 502
_UNIT: Final = 1
_SERIALS: Final = range(1_000_000_000, 1 << 32)
_FITTING: Final = {3: "sg0xlp1", 0x0300: "sg0xlp1", 5: "sg04lp3", 0x0500: "sg04lp3"}
_OTHERS: Final = {
    **dict.fromkeys((6, 7, 8, 0x0600, 0x0601), "a model with a high-voltage battery"),
    **dict.fromkeys((2, 0x0200), "a string inverter without a battery"),
    **dict.fromkeys((4, 0x0400), "a micro inverter"),
}
_OF_A_BATTERY: Final = frozenset(
    {
        *("BatterySetpoint", "BatteryMode", "MinSoc", "MaxChargeCurrent", "MaxDischargeCurrent"),
        *("GridCharge", "GridChargeCurrent", "TimeOfUse", "Schedule"),
    }
)
_PORT_CARRIES: Final = {"generator": "GeneratorPower", "micro_inverter": "PvPower"}


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every device made of registers takes, and the Solarman stick.

    transport: also `solarman`; serial: the number on the stick, not the inverter's; port: 502, and
    8899 of a stick; map: which registers it has (`auto` asks); setpoint_step: W by which a battery
    setpoint must move to be written.
    """

    port: Annotated[int, Meta(ge=1, le=65535)] = 0
    timeout: Timeout = 5.0
    transport: Literal["modbus", "rtu_over_tcp", "serial", "solarman"] = "modbus"  # type: ignore[assignment] # one more
    serial: int | None = None
    map: Literal["auto", "sg04lp3", "sg0xlp1"] = "auto"
    setpoint_step: Annotated[float, Meta(ge=0, le=5000)] = 100.0

    def __post_init__(self) -> None:
        """The usual port of the transport, where none is given."""
        if self.port == 0:
            port = _PORTS.get(self.transport, _USUAL_PORT)
            msgspec.structs.force_setattr(self, "port", port)

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, sentence)."""
        yield from super().check()
        if self.transport != "solarman":
            if self.serial is not None:
                yield "serial", "'serial' is the number of a stick: it needs 'transport: solarman'"
        elif self.serial is None:
            yield "serial", "'transport: solarman' needs 'serial', the number on the stick"
        elif self.serial not in _SERIALS:
            yield "serial", "'serial' is the number on the stick, ten digits such as 2712345678"

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        return identity(self, _UNIT, self.port)


class Deye(RegisterDevice):
    """A Deye or Sunsynk hybrid with a low-voltage battery, three-phase or single-phase."""

    kind = "deye"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridImportEnergy", "GridExportEnergy"),
        *("GridImportEnergyToday", "GridExportEnergyToday"),
        *("PvPower", "PvString{n}Power", "PvString{n}Voltage", "PvString{n}Current"),
        *("PvEnergy", "PvEnergyToday"),
        *("BatteryPower", "BatterySoc", "BatteryVoltage", "BatteryCurrent", "BatteryTemperature"),
        *("BatteryChargeEnergy", "BatteryDischargeEnergy"),
        *("BatteryChargeEnergyToday", "BatteryDischargeEnergyToday"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy", "LoadEnergyToday", "GeneratorPower"),
        *("InverterPower", "InverterPowerL{phase}", "InverterVoltageL{phase}"),
        *("InverterCurrentL{phase}", "InverterFrequency", "InverterTemperature", "InverterState"),
    )
    controls: ClassVar[tuple[str, ...]] = (
        *("BatterySetpoint", "BatteryMode", "MinSoc", "MaxChargeCurrent", "MaxDischargeCurrent"),
        *("GridCharge", "GridChargeCurrent", "ExportLimit", "ZeroExportPower"),
        *("WorkMode", "TimeOfUse", "Schedule"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._following = Following()

    async def identify(self) -> Sequence[Bound]:
        """Ask register 0 which table fits. Raises DeviceRefused for what none fits."""
        table = self.map(self._named(await self._word(0)))
        recipes = {
            "BatterySetpoint": Setpoint(table, self.settings.setpoint_step),
            "BatteryMode": Mode(table),
            "Schedule": Schedule(table),
        }
        controls = self.controls
        if "battery_mode" in table:
            mode = table["battery_mode"]
            if mode.enum.get(await self._word(mode.address) or 0) == "none":
                controls = tuple(name for name in controls if name not in _OF_A_BATTERY)
        if self.bound and (self.bound[0].table, self.bound[0].controls) == (table, controls):
            return self.bound
        return (Bound(device=self.id, table=table, recipes=recipes, controls=controls),)

    async def _word(self, address: int) -> int | None:
        """One word; None where there is no such register."""
        try:
            (word,) = await self.read_words(address, 1)
        except Refusal as error:
            if error.code != ILLEGAL_ADDRESS:
                raise
            return None
        return word

    def _named(self, device_type: int | None) -> str:
        """The name of the table; the owner's word holds, but for what is known to differ."""
        chosen: str = self.settings.map
        if device_type in _OTHERS:
            sentence = f"{self.id} says that it is {_OTHERS[device_type]} (type {device_type})"
            raise DeviceRefused(f"{sentence}: its registers are different and not known here")
        if chosen != "auto":
            told = _FITTING.get(device_type, chosen) if device_type is not None else chosen
            if told != chosen:
                sentence = f"{self.id} says that it has the registers of {told}"
                raise DeviceRefused(
                    f"{sentence} (type {device_type}), not those of 'map: {chosen}': correct 'map'"
                )
            return chosen
        if device_type not in _FITTING:
            said = "does not say what it is" if device_type is None else f"is of type {device_type}"
            hint = "where the model is known, set 'map: sg04lp3' or 'map: sg0xlp1'"
            raise DeviceRefused(f"{self.id} {said}, which is not known here: {hint}")
        return _FITTING[device_type]

    def refine(
        self,
        device: str,  # noqa: ARG002 - it is the only one
        values: dict[str, Value | None],
        rows: Mapping[str, Value | None],
    ) -> Mapping[str, Value | None]:
        """The generator port of three-phase models: panels behind micro inverters, or a generator.

        Both feed the house, so both count for LoadPower.
        """
        port = _PORT_CARRIES.get(str(rows.get("gen_port_mode")))
        power = rows.get("gen_total_power")
        if port is None or not isinstance(power, (int, float)):
            return values
        found = {"GeneratorPower": 0.0, **values} if port == "GeneratorPower" else dict(values)
        for name in (port, "LoadPower"):
            before = found.get(name)
            found[name] = before + power if isinstance(before, (int, float)) else None
        return found

    async def reading(
        self, values: Mapping[str, Value | None], *, device: str | None = None, plain: bool = True
    ) -> None:
        """Publish one reading, and say when the battery does not follow what it was told."""
        await super().reading(values, device=device, plain=plain)
        lease = self.desk.lease("BatterySetpoint")
        asked, found = lease.value if lease else None, values.get("BatteryPower")
        mode = str(self.registers[self.id].values.get("work_mode"))
        more = isinstance(asked, (int, float)) and asked > 0
        why = why_less(mode) if more else "it may be full, empty or limited"
        sentence = self._following.look(self.clock.now(), asked, found, why)
        await self.warn("following", sentence and f"{self.id}: {sentence}")

    def spec(self) -> LinkSpec:
        """The endpoint; the number of the stick belongs to it."""
        settings: Settings = self.settings
        if settings.transport != "solarman":
            return super().spec()
        return LinkSpec(
            transport="solarman", host=settings.host, port=settings.port, logger=settings.serial
        )

    def wire(self) -> Wire:
        """The connection that the settings ask for."""
        settings: Settings = self.settings
        if settings.transport != "solarman":
            return super().wire()
        from bridge.modbus.solarman import SolarmanWire

        if settings.serial is None:
            raise DeviceError(f"{self.id} needs 'serial', the number on the stick")
        return SolarmanWire(settings.host, settings.port, serial=settings.serial)

    async def write_control(
        self, control: str, value: Asked | None, *, device: str
    ) -> Asked | None:
        """As every control; a schedule may be written in other words for the same slots."""
        found = await super().write_control(control, value, device=device)
        if control == "Schedule" and isinstance(value, str) and isinstance(found, str):
            return value if schedule.show(schedule.parse(value)) == found else found
        return found
