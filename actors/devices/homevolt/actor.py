"""The Homevolt actor: reads the house and its batteries, lends out set-points."""

from __future__ import annotations

import contextlib
import math
import re
from typing import TYPE_CHECKING, ClassVar, Final

import anyio
import msgspec

from actors.devices.homevolt.client import Client
from actors.devices.homevolt.decode import Health, decode, health
from actors.devices.homevolt.schedule import MODE_OF, MODES, MOST_POWER
from actors.devices.homevolt.settings import Settings
from actors.devices.homevolt.steering import Steering
from actors.devices.homevolt.values import number
from bridge.device import Device
from bridge.errors import DeviceError, DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from actors.devices.homevolt.decode import Reading, Unit, Values
    from actors.devices.homevolt.schedule import Schedule
    from bridge.actor import Context
    from bridge.contract import Control

_LEASED: Final = ("BatterySetpoint", "BatteryMode")
# Parameters that the device keeps over a restart, where its firmware has them.
_LIMITS: Final = {"MinSoc": "battery_min_soc", "MaxSoc": "battery_max_soc"}
_LOOK_AT_LIMITS: Final = 300.0
_STATUS: Final = "/status.json"
_LOOK_AT_STATUS: Final = 300.0
_PATIENCE: Final = 2.0
_HOLD: Final = "hold"
_LONGEST_ID: Final = 32
_CLOCKS_AGREE: Final = 2.0
# Follows something that no set-point can say: unlike any number.
_SOMETHING_ELSE: Final = math.nan


class Homevolt(Device):
    """One or several Homevolt batteries behind one local interface. Signs: see decode.py."""

    kind = "homevolt"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridImportEnergy", "GridExportEnergy"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}", "PvEnergy"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy"),
        *("BatteryPower", "BatterySoc", "BatterySoh", "BatteryCapacity", "BatteryEnergy"),
        *("BatteryChargeEnergy", "BatteryDischargeEnergy", "BatteryTemperature"),
        *("BatteryCycles", "BatteryState"),
        *("InverterTemperature", "InverterVoltageL{phase}", "InverterFrequency"),
        "SignalStrength",
    )
    controls: ClassVar[tuple[str, ...]] = (*_LEASED, *_LIMITS)
    tolerance: ClassVar[Mapping[str, float]] = {"BatterySetpoint": 0.51}
    daily_writes: ClassVar[Mapping[str, int]] = dict.fromkeys(_LIMITS, 50)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        secret = settings.password
        self.client = Client(
            settings.host,
            settings.port,
            password=secret.reveal() if secret else None,
            timeout=settings.timeout,
            clock=self.clock,
        )
        self.steering = Steering(self.client, self.state, self.clock, settings.zone)
        # An entry ends by itself after this; it is renewed at half of it.
        self.watchdog = dict.fromkeys(_LEASED, float(settings.end_after))  # type: ignore[misc] # its own
        self.last: Reading | None = None
        self._sensors: set[str] = set()
        self._known: dict[str, set[str]] = {}
        self._ahead = 0.0
        self._limits_at = self._health_at = -math.inf
        self._health = Health()

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
        """One reading of the house and all batteries. Raises DeviceError."""
        return (await self.read_all())[self.id]

    async def read_all(self) -> Mapping[str, Values]:
        """One reading; with several units also one of each. Raises DeviceError."""
        settings: Settings = self.settings
        found = await self.client.ems()
        try:
            self.last = decode(found, swap_energy=settings.swap_energy, expected=self._sensors)
        except DeviceGarbled as error:
            raise DeviceGarbled(f"{self.client.name} {error}") from None
        self._sensors |= self.last.available
        if self.last.device_time is not None:
            ahead = self.last.device_time - self.clock.utc().timestamp()
            self._ahead = ahead if abs(ahead) > _CLOCKS_AGREE else 0.0
        await self._look_at_itself()
        readings = {self.id: self.last.values | {"SignalStrength": self._health.signal}}
        if len(self.last.units) > 1:
            readings |= {self._device(unit): unit.values for unit in self.last.units}
        return {device: self._kept(device, values) for device, values in readings.items()}

    async def _look_at_itself(self) -> None:
        """Now and then; the reading does not wait for a device that does not tell it."""
        if self.clock.now() - self._health_at < _LOOK_AT_STATUS:
            return
        self._health_at, self._health = self.clock.now(), Health()
        with contextlib.suppress(DeviceError), anyio.move_on_after(_PATIENCE):
            self._health = health(await self.client.page(_STATUS))

    def _firmware(self, unit: Unit) -> str | None:
        """Of the battery, and of the controller that answers for all of them."""
        return ", ".join(each for each in (unit.firmware, self._health.firmware) if each) or None

    def _device(self, unit: Unit) -> str:
        """`{actor}-{ecu}`; of a long one its end, which is what differs."""
        ecu = re.sub(r"[^A-Za-z0-9_-]", "", unit.serial) or "unit"
        return f"{self.id}-{ecu[-max(1, _LONGEST_ID - len(self.id) - 1) :]}"

    def _kept(self, device: str, values: Values) -> Values:
        """Without what the device never had; what it once had is unknown when it is missing."""
        known = self._known.setdefault(device, set())
        known |= {name for name, value in values.items() if value is not None}
        known |= {"BatteryPower", "BatterySoc"}
        return {name: values.get(name) for name in sorted(known)}

    async def _read(self) -> Values:
        readings = await self.read_all()
        last = self.last
        units = last.units if last is not None else ()
        for unit in units:
            device = self._device(unit) if len(units) > 1 else self.id
            if device != self.id:
                await self.reading(readings[device], device=device)
            firmware = self._firmware(unit) if device == self.id else unit.firmware
            await self.info("Homevolt", unit.model, unit.serial, firmware, device=device)
            await self.warn(f"unit {device}", _told(device, unit.troubles))
        if len(units) > 1:
            named = f"{len(units)} units"
            await self.info("Homevolt", named, units[0].serial, self._firmware(units[0]))
        await self._tell_controls()
        return readings[self.id]

    async def _tell_controls(self) -> None:
        """Offer what can be set, and tell what the device has; a failure costs no reading."""
        try:
            schedule = await self.steering.read()
            await self.desk.offer(*_LEASED)
            for control in _LEASED:
                await self.control_state(control, self._observed(control, schedule))
            if self.clock.now() - self._limits_at >= _LOOK_AT_LIMITS:
                await self._tell_limits()
        except DeviceError as error:
            await self.warn("schedule", str(error))
        else:
            await self.warn("schedule", None)

    async def _tell_limits(self) -> None:
        self._limits_at = self.clock.now()
        for each in await self.client.parameters():
            for control, name in _LIMITS.items():
                value = each.get("value")
                if each.get("name") == name and isinstance(value, list) and value:
                    await self.control_state(control, number(value[0]))

    def _observed(self, control: str, schedule: Schedule) -> float | str | None:
        """What a leased control has according to the schedule; differs when another one holds."""
        entry = schedule.current(self.clock.utc().timestamp() + self._ahead)
        ours = schedule.local is True and schedule.manual
        if control == "BatterySetpoint":
            watts = entry.setpoint if entry is not None and ours else None
            return _SOMETHING_ELSE if watts is None else watts
        lease = self.desk.lease(control)
        name = entry.name if entry is not None and ours else "auto"
        if lease is not None and lease.value == _HOLD and name == MODES[0]:
            return _HOLD
        return name

    # ---------------------------------------------------------------- control

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """None: their range is known after the first reading."""
        return {}

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry with the power and the modes of this very device."""
        entry = super().control_entry(control, device)
        if control == "BatterySetpoint":
            return msgspec.structs.replace(entry, min=-self._most, max=self._most)
        if control == "BatteryMode":
            options = ("auto", _HOLD, *MODES.values())
            return msgspec.structs.replace(entry, options=options, open=False)
        return entry

    @property
    def _most(self) -> float:
        rated = self.last.rated_power if self.last is not None else None
        return float(min(rated or MOST_POWER, MOST_POWER))

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Set a control and give it as read back (None = give back). Raises DeviceError."""
        if device == self.id and control in _LIMITS and isinstance(value, (int, float)):
            name = _LIMITS[control]
            return number(await self.steering.set_parameter(name, f"{round(value)}", store=True))
        if device != self.id or control not in _LEASED:
            return await super().write_control(control, value, device=device)
        now = self.clock.utc().timestamp() + self._ahead
        if value is None:
            await self.warn("former schedule", await self.steering.give_back(control, now))
            await self.warn("end", None)
            return None
        mode, params = self._asked(control, value)
        end = math.ceil(now) + self.settings.end_after
        found = await self.steering.lend(control, mode, params, end)
        await self.warn("end", self._endless(found))
        return value if control == "BatteryMode" else found.entries[0].setpoint

    def _asked(self, control: str, value: float | str | bool) -> tuple[int, dict[str, int]]:
        """The mode and its parameters for what was asked."""
        if control == "BatterySetpoint":
            watts = round(float(value))
            if watts == 0:
                return MODE_OF["idle"], {}
            return MODE_OF["discharge" if watts > 0 else "charge"], {"setpoint": abs(watts)}
        mode = MODE_OF["idle"] if value == _HOLD else MODE_OF[str(value)]
        most = round(self._most)
        params: dict[str, dict[str, int]] = {
            "charge": {"setpoint": most},
            "discharge": {"setpoint": most},
            "grid_charge": {"setpoint": most},
            "grid_discharge": {"setpoint": most},
            "grid_charge_discharge": {"setpoint": 0, "max_charge": most, "max_discharge": most},
            "solar_charge_discharge": {"setpoint": 0, "max_charge": most, "max_discharge": most},
        }
        return mode, params.get(MODES[mode], {})

    def _endless(self, found: Schedule) -> str | None:
        if found.entries[0].end is not None:
            return None
        return (
            f"{self.client.name} does not keep the end of what it was told: should this bridge "
            f"die, it goes on until the bridge is back"
        )


def _told(device: str, troubles: tuple[str, ...]) -> str | None:
    return f"{device} reports {', '.join(troubles)}" if troubles else None
