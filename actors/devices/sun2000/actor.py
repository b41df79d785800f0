"""A Huawei SUN2000 inverter with its meter and LUNA2000 battery, by Modbus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from actors.devices.sun2000 import tou
from actors.devices.sun2000.house import BATTERY_ROWS, has_battery, refine
from actors.devices.sun2000.recipes import ExportLimit
from bridge.config.types import Delay, Timeout
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from bridge.modbus.identity import identity
from bridge.modbus.wire import (
    GATEWAY_PATH,
    GATEWAY_TARGET,
    ILLEGAL_ADDRESS,
    PERMISSION_DENIED,
    Refusal,
)
from bridge.register_device import Bound, RegisterDevice, RegisterSettings
from bridge.registers.codec import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.registers import Pacing
    from bridge.registers.controls import Asked
    from bridge.registers.model import Value

_UNITS: Final = (1, 0)
_NO_SUCH_UNIT: Final = frozenset({GATEWAY_PATH, GATEWAY_TARGET})
_HOUSE: Final = ("ExportLimit",)
_BATTERY: Final = (
    "BatterySetpoint",
    "BatteryMode",
    "MaxChargePower",
    "MaxDischargePower",
    "MinSoc",
    "MaxSoc",
)
_LOGIN: Final = (
    "the inverter wants an installer's login for that, which is not supported: change it in the "
    "maker's app, or connect over RS485, where no login is needed"
)


class Settings(RegisterSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every device of registers; the dongle is slow, and wants a pause after a connection.

    connect_delay: s between a connection and the first question.
    """

    timeout: Timeout = 10.0
    connect_delay: Delay = 1.5

    def identity(self) -> str:
        """Where it is, and which unit; equal for one device. See bridge/config/twins.py."""
        return identity(self, _UNITS[0], self.port)


class Sun2000(RegisterDevice):
    """Huawei SUN2000 inverter; what its house lacks (meter, battery) is unknown and not offered."""

    kind = "sun2000"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("InverterPower", "InverterVoltageL{phase}", "InverterCurrentL{phase}"),
        *("InverterTemperature", "InverterState"),
        *("PvPower", "PvEnergy", "PvString{n}Power", "PvString{n}Voltage", "PvString{n}Current"),
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridPowerFactor", "GridImportEnergy", "GridExportEnergy"),
        *("BatteryPower", "BatterySoc", "BatteryVoltage", "BatteryCurrent", "BatteryCapacity"),
        *("BatteryTemperature", "BatteryChargeEnergy", "BatteryDischargeEnergy"),
        *("BatteryChargeEnergyToday", "BatteryDischargeEnergyToday", "LoadPower"),
    )
    controls: ClassVar[tuple[str, ...]] = (*_BATTERY, *_HOUSE)
    texts: ClassVar[Mapping[str, Callable[[Sequence[int]], str]]] = {
        "storage_lg_resu_time_of_use_charging_and_discharging_periods": tou.text
    }

    # What was found out about this inverter, kept while it is away for a moment.
    _unit: int | None = None
    _rated: float | None = None
    _battery = False

    def pacing(self) -> Pacing:
        """As the table says, with the owner's pause after a connection."""
        settings: Settings = self.settings
        return replace(super().pacing(), after_connect=settings.connect_delay)

    async def identify(self) -> Sequence[Bound]:
        """Find the unit that answers, the inverter's rating, and whether there is a battery."""
        rating = await self._rating()
        self._rated = rating or self._rated
        self._battery = self._battery or has_battery(await self._battery_rows())
        assert self._unit is not None  # noqa: S101 - `_rating` has found it
        names = (*(_BATTERY if self._battery else ()), *(_HOUSE if self._rated else ()))
        recipes = {"ExportLimit": ExportLimit(self._rated)} if self._rated else {}
        table = self.map().on(self._unit)
        return (Bound(device=self.id, table=table, recipes=recipes, controls=names),)

    async def read_all(self) -> Mapping[str, Mapping[str, Value | None]]:
        """As every device of registers; what turns up later is offered from the next reading on."""
        found = await super().read_all()
        rows = self.registers[self.id].values
        new_battery = not self._battery and has_battery(rows)
        if new_battery or (self._rated is None and rows.get("rated_power") is not None):
            self.bound = ()
        return found

    def refine(
        self,
        device: str,  # noqa: ARG002 - there is one
        values: dict[str, Value | None],
        rows: Mapping[str, Value | None],
    ) -> Mapping[str, Value | None]:
        """See `house.refine`."""
        return refine(values, rows, battery=self._battery or has_battery(rows))

    async def write_control(
        self, control: str, value: Asked | None, *, device: str
    ) -> Asked | None:
        """As every device of registers; says what to do where a login would be needed."""
        try:
            return await super().write_control(control, value, device=device)
        except Refusal as error:
            if error.code != PERMISSION_DENIED:
                raise
            raise DeviceRefused(f"{control} was not changed: {_LOGIN}") from None

    # ---------------------------------------------------------------- finding out

    def _candidates(self) -> Sequence[int]:
        settings: Settings = self.settings
        if settings.unit is not None:
            return (settings.unit,)
        if self._unit is not None:
            return (self._unit,)
        # On a serial line unit 0 speaks to everybody, and nobody answers.
        return _UNITS if settings.transport == "modbus" else _UNITS[:1]

    async def _rating(self) -> float | None:
        """The rated power (W), asked of the units that may be the inverter; notes which one is."""
        row = self.map()["rated_power"]
        first: DeviceError | None = None
        for unit in self._candidates():
            unreachable = self.link.stats.unreachable
            try:
                words = await self.read_words(row.address, row.words, unit=unit)
            except (DeviceTimeout, Refusal) as error:
                silent = isinstance(error, DeviceTimeout) or error.code in _NO_SUCH_UNIT
                if not silent or self.link.stats.unreachable != unreachable:
                    raise
                first = first or error
            else:
                self._unit = unit
                value = decode(row, dict(zip(row.places, words, strict=True)))
                return value if isinstance(value, float | int) and value > 0 else None
        assert first is not None  # noqa: S101 - there is at least one candidate
        raise first

    async def _battery_rows(self) -> Mapping[str, Value | None]:
        """The rows that tell whether there is a battery; none when the inverter refuses them."""
        rows = [self.map()[name] for name in BATTERY_ROWS]
        start = min(row.address for row in rows)
        count = max(max(row.places) for row in rows) + 1 - start
        try:
            words = await self.read_words(start, count, unit=self._unit)
        except Refusal as error:
            if error.code != ILLEGAL_ADDRESS:
                raise
            return {}
        places = dict(enumerate(words, start=start))
        return {row.name: decode(row, places) for row in rows}
