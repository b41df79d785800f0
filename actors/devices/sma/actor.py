"""The actor: which SMA inverter it is, and whether it does what it was told. It decides nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from actors.devices.sma import identify
from actors.devices.sma.recipes import WHY_NOT, Mode, Setpoint, at_night
from bridge.config.types import Timeout
from bridge.errors import DeviceError, DeviceRefused
from bridge.following import Following
from bridge.modbus.identity import identity
from bridge.modbus.wire import DEVICE_FAILURE, GATEWAY_PATH, GATEWAY_TARGET, Refusal
from bridge.register_device import Bound, RegisterDevice, RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bridge.actor import Context
    from bridge.registers.controls import Asked, Recipe
    from bridge.registers.model import Value

_NO_SUCH_UNIT = frozenset({DEVICE_FAILURE, GATEWAY_PATH, GATEWAY_TARGET})
_STRINGS = ("dc1_power", "dc2_power", "dc3_power")
# A phase or a string that not every model has.
_PART = re.compile(r"L[23]$|^PvString")
_RECIPES = {"BatterySetpoint": Setpoint, "BatteryMode": Mode}


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every device made of registers.

    map: which table to use; `auto` asks the inverter what it is.
    """

    timeout: Timeout = 5.0
    map: Literal["auto", "sunny_island", "sbs", "stp"] = "auto"

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        return identity(self, identify.FIRST_UNIT, self.port)


class Sma(RegisterDevice):
    """A Sunny Island, Sunny Boy Storage, Sunny Tripower or Sunny Boy. Signs: see registers/."""

    kind = "sma"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridVoltageL{phase}", "GridFrequency"),
        *("GridImportEnergy", "GridExportEnergy", "LoadPower"),
        *("PvPower", "PvPowerL{phase}", "PvCurrentL{phase}", "PvEnergy"),
        *("PvString{n}Power", "PvString{n}Voltage", "PvString{n}Current"),
        *("BatteryPower", "BatterySoc", "BatteryVoltage", "BatteryTemperature", "BatteryCapacity"),
        *("BatteryChargeEnergy", "BatteryDischargeEnergy", "BatteryState"),
        *("InverterPower", "InverterPowerL{phase}", "InverterCurrentL{phase}"),
        *("InverterTemperature", "InverterState"),
    )
    controls: ClassVar[tuple[str, ...]] = ("BatterySetpoint", "BatteryMode")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._following = Following()
        self._known: set[str] = set()

    # ---------------------------------------------------------------- which one it is

    def devices(self) -> Sequence[Bound]:
        """The one that the settings name; none while the inverter has to be asked."""
        settings: Settings = self.settings
        return () if settings.map == "auto" else (self._bound(settings.map, settings.unit),)

    async def identify(self) -> Sequence[Bound]:
        """Ask for class and type, on its unit id. Raises DeviceError, also when it is unclear."""
        settings: Settings = self.settings
        unit, words = await self._nameplate()
        name: str = settings.map
        device_class, device_type = identify.code(words[:2]), identify.code(words[2:])
        if name == "auto":
            name = await self._family(unit, device_class, device_type)
        else:
            self._agree(name, device_class, device_type)
        return (self._bound(name, unit if settings.unit is None else settings.unit),)

    async def _nameplate(self) -> tuple[int, Sequence[int]]:
        """The unit id that answers, and the words of class and type."""
        settings: Settings = self.settings
        unit = identify.FIRST_UNIT if settings.unit is None else settings.unit
        try:
            return unit, await self.read_words(identify.CLASS, 4, unit=unit)
        except Refusal as error:
            if error.code not in _NO_SUCH_UNIT:
                raise
            told = await self._told_unit()
            if told is None or settings.unit is not None:
                raise self._other_unit(unit, told) from None
        return told, await self.read_words(identify.CLASS, 4, unit=told)

    async def _told_unit(self) -> int | None:
        try:
            return identify.unit_of(await self.read_words(identify.UNIT_TABLE, 4, unit=1))
        except Refusal:
            return None

    def _other_unit(self, unit: int, told: int | None) -> DeviceRefused:
        hint = f"it says that it has {told}" if told is not None else "SMA's own default is 3"
        return DeviceRefused(
            f"{self.link.name} does not answer as unit {unit}: check `unit`, {hint}"
        )

    def _agree(self, name: str, device_class: int | None, device_type: int | None) -> None:
        """Raise DeviceRefused when the inverter says that it is none of the owner's `map`."""
        maps = {each: self.map(each) for each in identify.FAMILIES}
        fitting = identify.told(device_class, device_type, maps)
        if fitting is None or name in fitting:
            return
        hint = f"set `map` to {' or '.join(fitting)}" if fitting else "try `kind: sunspec`"
        raise DeviceRefused(
            f"{self.link.name} says that it is no {name} (class {device_class}, "
            f"type {device_type}): {hint}"
        )

    async def _family(self, unit: int, device_class: int | None, device_type: int | None) -> str:
        maps = {name: self.map(name) for name in identify.FAMILIES}
        found = identify.by_code(device_class, device_type, maps)
        if found is not None:
            return found
        if identify.hybrid(device_class):
            raise DeviceRefused(
                f"{self.link.name} is a hybrid inverter (type {device_type}), which none of the "
                "tables here fits: try `kind: sunspec`"
            )
        families = identify.candidates(device_class)
        has = await self._values_at(unit, identify.probed(families) if families else ())
        found = identify.by_probe(families, has.__contains__)
        if found is None:
            raise DeviceRefused(
                f"{self.link.name} does not tell which SMA inverter it is (class {device_class}, "
                f"type {device_type}): set `map` to {', '.join(identify.FAMILIES)}"
            )
        self.log.info(f"taken as {found} by the registers it has: type {device_type} is not known")
        return found

    async def _values_at(self, unit: int, addresses: Iterable[int]) -> set[int]:
        """Those of the addresses that hold a value."""
        found: set[int] = set()
        for address in addresses:
            try:
                words = await self.read_words(address, 2, unit=unit)
            except Refusal:
                continue
            if identify.has_value(words):
                found.add(address)
        return found

    def _bound(self, name: str, unit: int | None) -> Bound:
        # What is bound already stays bound, so that nothing that was learnt is forgotten.
        for known in self.bound:
            if known.table.name == name and known.table.unit == (unit or known.table.unit):
                return known
        table = self.map(name)
        if unit is not None and unit != table.unit:
            table = replace(table.on(unit), unit=unit)
        recipes: dict[str, Recipe] = {
            control: _RECIPES[control](entry, table) for control, entry in table.controls.items()
        }
        return Bound(device=self.id, table=table, recipes=recipes)

    # ---------------------------------------------------------------- reading

    async def read_all(self) -> Mapping[str, Mapping[str, Value | None]]:
        """As every device made of registers; a unit that is gone is said in words."""
        try:
            return await super().read_all()
        except Refusal as error:
            if error.code not in _NO_SUCH_UNIT or not self.bound:
                raise
            sentence = f"{error}: check `unit`, SMA's own default is 3"
            raise DeviceRefused(sentence) from None

    def refine(
        self, device: str, values: dict[str, Value | None], rows: Mapping[str, Value | None]
    ) -> Mapping[str, Value | None]:
        """Tell a PV inverter's night from a power that is unknown; leave out what it never had."""
        registers, found = self.registers[device], values
        if "dc1_power" in registers.table and registers.raw("active_power") is not None:
            strings = [rows.get(name) for name in _STRINGS]
            found = at_night(values, rows.get("active_power"), strings)
        self._known |= {name for name, value in found.items() if value is not None}
        return {
            name: value
            for name, value in found.items()
            if name in self._known or not _PART.search(name)
        }

    async def reading(
        self, values: Mapping[str, Value | None], *, device: str | None = None, plain: bool = True
    ) -> None:
        """Publish one reading, and say when the battery does not follow what it was told."""
        await super().reading(values, device=device, plain=plain)
        lease = self.desk.lease("BatterySetpoint")
        asked, found = lease.value if lease else None, values.get("BatteryPower")
        sentence = self._following.look(self.clock.now(), asked, found, WHY_NOT)
        await self.warn("following", sentence and f"{self.id}: {sentence}")

    async def info(
        self,
        manufacturer: str | None = None,
        model: str | None = None,
        serial: str | None = None,
        firmware: str | None = None,
        *,
        device: str | None = None,
    ) -> None:
        """Publish who made it; how the firmware is packed is more than the table can say."""
        registers = self.registers.get(device or self.id)
        package = registers.values.get("software_package") if registers else None
        firmware = firmware or identify.firmware(package)
        await super().info(manufacturer, model, serial, firmware, device=device)

    # ---------------------------------------------------------------- controls

    async def write_control(
        self, control: str, value: Asked | None, *, device: str
    ) -> Asked | None:
        """As every device made of registers, but one way of steering the battery at a time."""
        for other in self.controls:
            if value is not None and other != control and self.desk.owed(other, device):
                sentence = f"{control} cannot be set while {other} is held: give that back first"
                raise DeviceError(sentence)
        return await super().write_control(control, value, device=device)
