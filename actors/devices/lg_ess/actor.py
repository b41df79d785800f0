"""The LG ESS actor: reads the house's powers and steers the battery by its reserve.

It decides nothing.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anyio
import msgspec

from actors.devices.lg_ess import preferences, reserve
from actors.devices.lg_ess.about import LEAST_FIRMWARE, MANUFACTURER, System, system
from actors.devices.lg_ess.client import BATTERY, COMMON, HOME, OPERATION, SYSTEM, Client, name_of
from actors.devices.lg_ess.common import common
from actors.devices.lg_ess.decode import Home, Values, home
from actors.devices.lg_ess.settings import Settings
from bridge.config.secret import Secret
from bridge.device import Device
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused
from bridge.http.pin import Pin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.actor import Context
    from bridge.contract import Control

    Asked = float | str | bool | None

_SYSTEM_INTERVAL: Final = 900.0
_RETRY: Final = 60.0
_PATIENT_READS: Final = 3
_SETTLING: Final = 2.0
_GRID_AGE: Final = 8.0
_FLASH_WRITES: Final = 50
_LOST_NOTE: Final = (
    "what its backup was before a lease cannot be read any more, so it is off now: "
    "set BackupMode again if it was on"
)


class LgEss(Device):
    """A Home 5, 8, 10 or 15 at `host`. Signs: decode.py."""

    kind = "lg_ess"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "PvPower", "BatteryPower", "LoadPower", "BatterySoc", "BatteryState"),
        *("InverterState", "BatteryCapacity", "GridVoltageL{phase}", "GridFrequency"),
        *("PvString{n}Power", "PvString{n}Voltage", "PvString{n}Current"),
        *("PvEnergyToday", "LoadEnergyToday", "GridImportEnergyToday", "GridExportEnergyToday"),
        *("BatteryChargeEnergyToday", "BatteryDischargeEnergyToday", "SelfConsumptionToday"),
    )
    controls = ("Operation", "BatteryMode", *preferences.NAMES)
    # All of them are kept by the device for ever.
    daily_writes: ClassVar[Mapping[str, int]] = dict.fromkeys(
        ("BatteryMode", *preferences.NAMES), _FLASH_WRITES
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.pin = Pin(
            settings.host,
            settings.port,
            name=name_of(settings.host, settings.port),
            clock=self.clock,
            given=settings.fingerprint,
            state=self.state,
            place=f"{self.id}/certificate.json in the state folder",
            timeout=settings.timeout,
        )
        self.client = Client(
            settings.host,
            settings.port,
            password=Secret(settings.password).reveal(),
            pin=self.pin,
            clock=self.clock,
            timeout=settings.timeout,
            timesync=settings.timesync,
        )
        self.reserve = reserve.Reserve(
            self.client, self.state, self.clock, max_soc=settings.max_soc
        )
        self.system: System | None = None
        self._home: Home | None = None
        self._common: Values = {}
        self._battery: dict[str, Any] = {}
        self._read_at: dict[str, float] = {}
        self._home_was_read = anyio.Event()
        self._told: tuple[float, System | None] | None = None
        self._told_once: set[str] = set()
        self._stopping = False

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Poll the powers until stopped; the rest is asked for in the pauses between."""
        if self.reserve.owes:
            # Also a battery that only sleeps since the last stop, of which the desk knows nothing.
            await self.desk.offer("BatteryMode")
            self.desk.owe("BatteryMode")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read_the_rest)
            await self.poll(self._read, interval=self.settings.interval)

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        try:
            yield
        finally:
            await self.client.close()

    async def make_safe(self) -> None:
        """As every device; there is no time to wake a battery at a stop."""
        self._stopping = True
        await super().make_safe()

    async def safe(self) -> None:
        """Close the connection; what was lent out has been given back before."""
        await self.client.close()

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """None: they are offered as the device tells of them."""
        return {}

    # ---------------------------------------------------------------- reading

    async def read_once(self) -> Values:
        """One reading of everything. Raises DeviceError when the powers cannot be read."""
        await self._read_home()
        for page in (COMMON, BATTERY, SYSTEM):
            # What is not told now is unknown now; the powers do not wait for it.
            with contextlib.suppress(DeviceError):
                await self._read_page(page)
        return self._values()

    async def _read(self) -> Values:
        if self._read_at:
            await self._read_home()
        else:
            await self.read_once()
        await self._tell()
        self._home_was_read.set()
        return self._values()

    async def _read_home(self) -> None:
        self._still_alive()
        found = await self.client.read(HOME)
        try:
            self._home = home(found)
        except DeviceGarbled as error:
            raise DeviceGarbled(f"{self.client.name} {error}") from None
        self._read_at[HOME] = self.clock.now()

    async def _read_page(self, page: str) -> None:
        self._still_alive()
        found = await self.client.read(page)
        if page == COMMON:
            self._common = common(found)
        elif page == BATTERY:
            self._battery = found
        else:
            self.system = system(found)
        self._read_at[page] = self.clock.now()

    def _still_alive(self) -> None:
        """Several slow pages in one go are no reason to be taken for hung."""
        if self.beat_due is not None:
            patience = 3 * max(self.settings.interval, self.settings.timeout)
            self.beat_due = max(self.beat_due, self.clock.now() + patience)

    def _age(self, page: str) -> float:
        return self.clock.now() - self._read_at.get(page, -math.inf)

    def _values(self) -> Values:
        """The powers of now, and the rest as it was told last; what is too old is unknown."""
        rest: Values = dict(self._common)
        if self._age(COMMON) > 2 * self.settings.common_interval + self.settings.timeout:
            rest = dict.fromkeys(rest)
        if self.system is not None and self.system.capacity is not None:
            rest["BatteryCapacity"] = self.system.capacity
        now = self._home.values if self._home is not None else {}
        return now | {name: value for name, value in rest.items() if name not in now}

    async def _read_the_rest(self) -> None:
        """After each reading of the powers at most one other page, whichever is due the longest."""
        settings: Settings = self.settings
        due = {
            COMMON: settings.common_interval,
            BATTERY: settings.settings_interval,
            SYSTEM: _SYSTEM_INTERVAL,
        }
        failed: dict[str, float] = {}
        while True:
            self._home_was_read = anyio.Event()
            await self._home_was_read.wait()
            now = self.clock.now()
            # A reading comes a little late at times: without slack every other one would pass by.
            ready = {
                page: self._age(page) / interval
                for page, interval in due.items()
                if self._age(page) >= interval - settings.interval / 2
                and now - failed.get(page, -math.inf) >= min(interval, _RETRY)
            }
            if ready:
                page = max(ready, key=lambda each: ready[each])
                await self._read_aside(page, failed)

    async def _read_aside(self, page: str, failed: dict[str, float]) -> None:
        try:
            await self._read_page(page)
        except DeviceError as error:
            failed[page] = self.clock.now()
            await self.warn(page, str(error))
        else:
            failed.pop(page, None)
            await self.warn(page, None)
            await self._tell_controls()

    # ---------------------------------------------------------------- telling

    async def _tell(self) -> None:
        about, last = self.system, self._home
        if about is not None:
            await self.info(MANUFACTURER, about.model, about.serial, about.firmware)
        if last is not None:
            if last.running is not None:
                await self.control_state("Operation", last.running)
            word = last.fault
            await self.warn("fault", word and f"{self.client.name} reports the fault {word}")
        await self._tell_trust()
        await self._tell_controls()

    async def _tell_trust(self) -> None:
        """What the owner should know once of certificate and speed."""
        if self.pin.new and self._first_time(f"pin {self.pin.fingerprint}"):
            self.log.info(f"{self.client.name}: its certificate counts now: {self.pin.fingerprint}")
        if not self.pin.kept:
            await self.warn("pin", f"{self.client.name}: its certificate could not be kept")
        site = self.config.site
        slow = self.settings.interval > _GRID_AGE - _SETTLING
        if slow and site is not None and "grid" in site.roles(self.id):
            await self.warn(
                "grid",
                f"{self.id} is read each {self.settings.interval:g} s, but a grid meter counts for "
                f"{_GRID_AGE:g} s only: let a meter be the grid, or try interval: 5",
            )

    def _first_time(self, what: str) -> bool:
        known = what in self._told_once
        self._told_once.add(what)
        return not known

    async def _tell_controls(self) -> None:
        """Show what was read of the settings, once for each time that it was read."""
        at = self._read_at.get(BATTERY)
        if at is None or self._told == (at, self.system):
            return
        self._told = (at, self.system)
        found = preferences.read(self._battery)
        for name, value in found.items():
            await self.control_state(name, value)
        if self.system is None or not set(preferences.RESERVE_NAMES) <= set(found):
            return
        if self.system.reserve_is_followed:
            await self.control_state("BatteryMode", self.reserve.mode(self._battery))
        elif self._first_time("firmware"):
            firmware = self.system.firmware or "unknown"
            text = f"no BatteryMode: firmware {firmware} is not {LEAST_FIRMWARE} or newer"
            await self.message("Operational", text)

    # ---------------------------------------------------------------- control

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry, with the words that this device takes."""
        entry = super().control_entry(control, device)
        words = {
            "BatteryMode": reserve.MODES,
            "ChargeStrategy": preferences.strategies(self._battery),
            "BackupMode": entry.options,
        }
        if control not in words:
            return entry
        return msgspec.structs.replace(entry, options=words[control], open=False)

    async def write_control(self, control: str, value: Asked, *, device: str) -> Asked:
        """Write one control and read it back. Raises DeviceError."""
        if control == "BatteryMode":
            return await self._steer(value)
        if value is None or control not in self.controls:
            return await super().write_control(control, value, device=device)
        if control == "Operation":
            return await self._operate(run=bool(value))
        if self.reserve.lent and control in preferences.RESERVE_NAMES:
            raise DeviceRefused(f"{control} serves BatteryMode now: give that back first")
        before = await self._settings()
        try:
            body = preferences.body(control, value, before)
        except DeviceRefused as error:
            raise DeviceRefused(f"{self.client.name} {error}") from None
        await self.client.write(BATTERY, body)
        if control == "BackupMode":
            await self.warn("note", None)
        return preferences.read(await self._settings()).get(control)

    async def _settings(self) -> dict[str, Any]:
        await self._read_page(BATTERY)
        return self._battery

    async def _steer(self, value: Asked) -> str | None:
        if value is None:
            lost = self.reserve.lost
            await self.reserve.give_back(in_haste=self._stopping)
            if lost:
                await self.warn("note", f"{self.client.name}: {_LOST_NOTE}")
            self._read_at.pop(BATTERY, None)
            return None
        if self.system is not None and not self.system.reserve_is_followed:
            raise DeviceRefused(f"{self.client.name} needs firmware {LEAST_FIRMWARE} or newer")
        if self._age(HOME) > self.settings.interval + self.settings.timeout:
            await self._read_home()
        # What was read of the settings before says nothing any more.
        self._read_at.pop(BATTERY, None)
        return await self.reserve.lend(str(value), self._home.soc if self._home else None)

    async def _operate(self, *, run: bool) -> bool | None:
        """Start or stop the whole system; it takes some seconds to say so."""
        await self.client.write(OPERATION, {"operation": "start" if run else "stop"})
        for attempt in range(_PATIENT_READS):
            if attempt:
                await self.clock.sleep(_SETTLING)
            await self._read_home()
            if self._home is not None and self._home.running is run:
                break
        return None if self._home is None else self._home.running
