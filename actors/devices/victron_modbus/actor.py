"""The actor: finds the services of a GX, reads them through their tables, and serves its controls.

What the zeros of a GX mean is in readings.py, what its controls do in controls.py and recipes.py,
which unit id holds what in units.py.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from actors.devices.victron_modbus.controls import (
    EXTERNAL,
    MODE,
    NOMINAL,
    AcInputSetpoint,
    BatterySetpoint,
    Ended,
    Flag,
    GridSetpoint,
    Objection,
    Relay,
    battery_prefix,
    narrow_limits,
    narrow_powers,
    relay_table,
)
from actors.devices.victron_modbus.readings import PHASE_COUNT, Meter, measured_phases, refined
from actors.devices.victron_modbus.units import ALL, SERVICES, USUAL, Units, in_words
from bridge.config.types import VALID_ID
from bridge.errors import DeviceTimeout
from bridge.modbus.identity import identity
from bridge.modbus.stream import split_host
from bridge.modbus.wire import ILLEGAL_ADDRESS, Refusal
from bridge.register_device import Bound, RegisterDevice, RegisterSettings, Unit
from bridge.registers import RegisterMap
from bridge.victron import relay_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bridge.actor import Context
    from bridge.registers.controls import Asked, Recipe
    from bridge.registers.model import Poll, Value

Service = Literal["vebus", "battery", "grid", "solarcharger", "pvinverter", "evcharger"]
UnitIds = Annotated[tuple[Unit, ...], Meta(extra={"single": True})]
Relays = Annotated[tuple[Annotated[int, Meta(ge=1, le=2)], ...], Meta(extra={"single": True})]

_HELD: Final = ("BatterySetpoint", "AcInputSetpointL1", "AcInputSetpointL2", "AcInputSetpointL3")
_WIDE_SETPOINTS: Final = tuple(f"vebus_hub4_l{n}_ac_power_setpoint_32" for n in (1, 2, 3))
_SETPOINTS: Final = tuple(f"vebus_hub4_l{n}_ac_power_setpoint" for n in (1, 2, 3))
# How many unit ids are asked beside one reading: right after a connection, and later.
_AT_ONCE, _BESIDE = 24, 2
_WAIT_AFTER_SILENCE: Final = 3600.0
_UNIT: Final = 100
_PORT: Final = 502
_NAMES: Final = {
    "system": "GX system",
    "vebus": "MultiPlus or Quattro",
    "battery": "battery monitor or BMS",
    "grid": "grid meter",
    "solarcharger": "MPPT solar charger",
    "pvinverter": "PV inverter on a GX",
    "evcharger": "EV Charging Station",
}


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every device made of registers.

    services: `auto` looks for them on the usual unit ids, `none` takes only what `units` names;
    units: service -> its unit id or ids, which are then not looked for; relays: those that are
    read; manual_relays: those that may be switched too, because their function on the GX is Manual.
    """

    services: Literal["auto", "none"] = "auto"
    units: dict[Service, UnitIds] = msgspec.field(default_factory=dict)
    relays: Relays = ()
    manual_relays: Relays = ()

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        return identity(self, _UNIT, self.port)

    def box(self) -> str | None:
        """The machine that it is, whatever it is spoken to by. See bridge/config/twins.py."""
        host, port = split_host(self.host, self.port)
        return f"the GX at {host.casefold()}" if port == _PORT else None


class VictronModbus(RegisterDevice):
    """A Victron GX over Modbus TCP: the system and every service on it."""

    kind = "victron_modbus"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridPowerFactor", "GridPowerFactorL{phase}"),
        *("GridImportEnergy", "GridExportEnergy"),
        *("GridImportEnergyL{phase}", "GridExportEnergyL{phase}", "GeneratorPower"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}"),
        *("PvEnergy", "PvEnergyL{phase}", "PvEnergyToday"),
        *("PvString{n}Power", "PvString{n}Voltage"),
        *("BatteryPower", "BatterySoc", "BatterySoh", "BatteryVoltage", "BatteryCurrent"),
        *("BatteryTemperature", "BatteryState", "BatteryTimeToGo"),
        *("BatteryChargeEnergy", "BatteryDischargeEnergy"),
        *("LoadPower", "LoadPowerL{phase}"),
        *("InverterPower", "InverterPowerL{phase}", "InverterVoltageL{phase}"),
        *("InverterCurrentL{phase}", "InverterFrequency", "InverterState"),
        *("Power", "PowerL{phase}", "Voltage", "VoltageL{phase}", "Current", "CurrentL{phase}"),
        *("Frequency", "Temperature"),
        *("VehicleState", "ChargingCurrent", "SessionEnergy"),
    )
    controls: ClassVar[tuple[str, ...]] = (
        *("BatterySetpoint", "GridSetpoint", "EssMode", "MinSoc"),
        *("MaxChargeCurrent", "MaxDischargePower", "ExportLimit"),
        *("AcInputSetpointL1", "AcInputSetpointL2", "AcInputSetpointL3"),
        *("ChargeEnable", "ChargeCurrent", "ChargeMode", "Switch"),
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self._unit = self.map("system").unit if settings.unit is None else settings.unit
        self._units = Units(
            {str(k): ids for k, ids in settings.units.items()}, self.state.load("units")
        )
        self._looks = settings.services == "auto"
        # What older firmware lacks is read from its older registers.
        self._wide_powers = self._wide_limits = self._wide_setpoints = True
        self._phases = 1
        self._services: dict[str, str] = {}
        self._made: tuple[object, tuple[Bound, ...]] | None = None
        self._questions: list[tuple[str, int]] = []
        self._hurry = False
        self._connections = 0
        self._silent_until = 0.0
        # Phases that the grid meter saw in the reading that is being taken; None: not heard.
        self._measured: int | None = None

    # ---------------------------------------------------------------- what there is

    async def identify(self) -> Sequence[Bound]:
        """Ask what this GX has; the services that were found before are taken as they were."""
        self._wide_powers = await self._has("system", "system_ac_grid_l1_power_32", self._unit)
        self._wide_limits = await self._has(
            "system", "settings_settings_cgwacs_max_discharge_power_32", self._unit
        )
        self._connections = self.link.stats.connections
        if self._looks and not any(self._units.known()):
            if self.clock.now() >= self._silent_until:
                await self._look(self._units.open_questions(USUAL))
        else:
            self._ask_soon()
        for unit in self._units.of("vebus")[:1]:
            # An inverter/charger that is away for now may come back.
            with contextlib.suppress(Refusal):
                self._wide_setpoints = await self._has("vebus", _WIDE_SETPOINTS[0], unit)
        return self.devices()

    def devices(self) -> Sequence[Bound]:
        """The devices of the services that are known; the system comes last and sees them all."""
        known = tuple(self._units.known())
        wide = (self._wide_powers, self._wide_limits, self._wide_setpoints)
        key = (known, wide, self._phases)
        if self._made is None or self._made[0] != key:
            self._made = (key, tuple(self._bounds(known)))
        return self._made[1]

    def _bounds(self, known: Iterable[tuple[str, int, str]]) -> Iterable[Bound]:
        self._services = {self.id: "system"}
        for service, unit, name in known:
            device = f"{self.id}-{name}"
            if not VALID_ID.match(device):
                self.log.warning(f"{device} is too long for an id: give {self.id} a shorter one")
                continue
            table = self.map(service).on(unit)
            self._services[device] = service
            flags = {
                name: Flag(entry, table)
                for name, entry in table.controls.items()
                if name == "ChargeEnable"
            }
            yield Bound(device=device, table=table, recipes=flags)
        yield from self._relays()
        table = self._system()
        yield Bound(device=self.id, table=table, recipes=self._recipes(table))

    def _relays(self) -> Iterable[Bound]:
        """A device for each relay that the owner has named: the GX does not tell which it has."""
        settings: Settings = self.settings
        for number in sorted({*settings.relays, *settings.manual_relays}):
            device = relay_device(self.id, number)
            if not VALID_ID.match(device):
                self.log.warning(f"{device} is too long for an id: give {self.id} a shorter one")
                continue
            self._services[device] = f"relay {number}"
            table = relay_table(self.map("system").on(self._unit), number)
            recipe = Relay(table, number, manual=number in settings.manual_relays)
            yield Bound(device=device, table=table, recipes={"Switch": recipe})

    def _system(self) -> RegisterMap:
        """The system with what its controls need of the inverter/charger and the batteries."""
        system = self.map("system").on(self._unit)
        if not self._wide_powers:
            system = narrow_powers(system)
        if not self._wide_limits:
            system = narrow_limits(system)
        parts = [system]
        shown: dict[str, Poll] = {PHASE_COUNT: "slow"}
        if self._wide_setpoints:
            shown[NOMINAL] = "once"  # as new as those
        parts += [_bare(self.map("vebus").on(unit), shown) for unit in self._units.of("vebus")[:1]]
        for number, unit in enumerate(self._units.of("battery"), 1):
            parts.append(_bare(self.map("battery").on(unit)).named(battery_prefix(number)))
        return RegisterMap.join("system", parts)

    def _recipes(self, table: RegisterMap) -> dict[str, Recipe]:
        recipes: dict[str, Recipe] = {"GridSetpoint": GridSetpoint(table)}
        if not self._units.of("vebus"):
            return recipes
        rows = (_WIDE_SETPOINTS if self._wide_setpoints else _SETPOINTS)[: self._phases]
        batteries = len(self._units.of("battery"))
        recipes["BatterySetpoint"] = BatterySetpoint(rows, batteries)
        for phase in range(1, len(rows) + 1):
            recipes[f"AcInputSetpointL{phase}"] = AcInputSetpoint(phase, rows, batteries)
        return recipes

    # ---------------------------------------------------------------- looking for services

    async def _has(self, table: str, name: str, unit: int) -> bool:
        """True when the GX has a row. Raises DeviceError when it has no such unit."""
        row = self.map(table)[name]
        try:
            await self.read_words(row.address, row.words, unit=unit)
        except Refusal as error:
            if error.code != ILLEGAL_ADDRESS:
                raise
            return False
        return True

    async def _look(self, questions: Sequence[tuple[str, int]]) -> bool:
        """Ask units for services; true when one was found. A unit that is silent ends it."""
        before = len(tuple(self._units.known()))
        for service, unit in questions:
            try:
                found = await self._has(service, SERVICES[service][1], unit)
            except Refusal:
                continue
            except DeviceTimeout as error:
                self._questions.clear()
                self._silent_until = self.clock.now() + _WAIT_AFTER_SILENCE
                self.log.warning(f"no services are looked for now: unit {unit}: {error}")
                break
            if found:
                self._units.add(service, unit)
        known = tuple(self._units.known())
        if len(known) == before:
            return False
        self.state.save("units", self._units.remember())
        self.log.info(f"the GX has {in_words(known)}")
        return True

    async def _look_on(self) -> None:
        """A few questions beside each reading: a charger may be added, a meter come back."""
        if self._connections != self.link.stats.connections:
            self._connections = self.link.stats.connections
            self._ask_soon()
        if self.clock.now() < self._silent_until:
            return
        if not self._questions:
            self._questions, self._hurry = self._units.open_questions(ALL)[::-1], False
        count = min(_AT_ONCE if self._hurry else _BESIDE, len(self._questions))
        if await self._look([self._questions.pop() for _ in range(count)]):
            self._bind(await self.identify())

    def _ask_soon(self) -> None:
        self._questions, self._hurry = self._units.open_questions(USUAL)[::-1], True

    # ---------------------------------------------------------------- reading

    async def read_all(self) -> Mapping[str, Mapping[str, Value | None]]:
        """See RegisterDevice; now and then it asks for services beside it."""
        found = await super().read_all()
        phases = self.registers[self.id].values.get(PHASE_COUNT)
        if isinstance(phases, (int, float)) and int(phases) != self._phases:
            self._phases = int(phases)
            self._bind(self.devices())
            found = await super().read_all()
        if self._looks and self.bus.connection.is_connected:
            await self._look_on()
        return {self.id: found[self.id]} | dict(found)  # the whole before its parts

    def refine(
        self, device: str, values: dict[str, Value | None], rows: Mapping[str, Value | None]
    ) -> Mapping[str, Value | None]:
        """Tell the zeros that are no value. The system comes after its meter."""
        service = self._services[device]
        if service != "system":
            found = refined(service, values, rows)
            if device == f"{self.id}-grid":
                self._measured = measured_phases(found)
            return found
        measured, self._measured = self._measured, None
        known = f"{self.id}-grid" in self.registers
        meter = Meter(known=known, lost=known and measured is None, phases=measured or 0)
        return refined(service, values, rows, meter)

    async def info(
        self,
        manufacturer: str | None = None,
        model: str | None = None,
        serial: str | None = None,
        firmware: str | None = None,
        *,
        device: str | None = None,
    ) -> None:
        """As read, with the maker's name and what sort of service it is."""
        service = self._services.get(device or self.id, "system")
        # A meter, a PV inverter or a battery on a GX may be anybody's.
        relay = service.startswith("relay")
        own = relay or service in {"system", "vebus", "solarcharger", "evcharger"}
        maker = manufacturer or ("Victron Energy" if own else None)
        name = f"{service.capitalize()} of a GX" if relay else _NAMES[service]
        await super().info(maker, model or name, serial, firmware, device=device)

    # ---------------------------------------------------------------- controls

    async def write_control(
        self, control: str, value: Asked | None, *, device: str
    ) -> Asked | None:
        """As every control; what holds mode 3 ends at once when something speaks against it."""
        held = control in _HELD and value is not None and self._originals.of(device, control)
        if held and control == "BatterySetpoint":
            seen = await self.registers[device].fresh({MODE})
            if seen.get(MODE) not in {None, EXTERNAL}:
                raise Ended("the ESS mode was changed on the GX, which regulates again")
        try:
            return await super().write_control(control, value, device=device)
        except Objection as error:
            if held:
                raise Ended(str(error)) from None
            raise


def _bare(table: RegisterMap, shown: Mapping[str, Poll] | None = None) -> RegisterMap:
    """The rows alone, read only when a control needs them, but for those that are `shown`."""
    rows = tuple(
        replace(row, quantity=None, info=None, poll=(shown or {}).get(row.name, "demand"))
        for row in table.registers
    )
    return replace(table, registers=rows, quantities={}, controls={})


__all__ = ["Settings", "VictronModbus"]
