"""The AlphaESS actor: asks one thing of one system after the other, and serves their settings."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, ClassVar, Final

from actors.devices.alphaess import decode, periods, served
from actors.devices.alphaess.agenda import Agenda, Job
from actors.devices.alphaess.client import NAME, Client, told
from actors.devices.alphaess.codes import Said, Sort
from actors.devices.alphaess.lending import Lending
from actors.devices.alphaess.naming import Names
from actors.devices.alphaess.rounds import ROUNDS, Rounds
from actors.devices.alphaess.settings import Settings
from actors.devices.alphaess.steering import Steering, with_groups
from actors.devices.alphaess.weekly import parse
from bridge.cloud.budget import BudgetSpent
from bridge.device import Device
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from actors.devices.alphaess.decode import System, Values
    from bridge.actor import Context

    Asked = float | str | bool | None

_MAKER: Final = "AlphaESS"
_ROLES: Final = {
    "grid": "GridPower",
    "battery": "BatteryPower",
    "pv": "PvPower",
    "load": "LoadPower",
}
_FAILURES: Final = 3
_SLOWEST: Final = 150.0
_MINUTES: Final = 30  # gaps: how long nothing is asked after what only the owner can change
_LONGEST_REST: Final = 60  # gaps
_WRITES: Final = 50


class AlphaEss(Device):
    """The systems of one account, and the chargers behind them. Signs: decode.py."""

    kind = "alphaess"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "PvPower", "PvString{n}Power"),
        *("BatteryPower", "BatterySoc", "BatteryCapacity", "LoadPower", "InverterPowerL{phase}"),
        *("PvEnergy", "PvEnergyToday", "LoadEnergyToday"),
        *("GridImportEnergyToday", "GridExportEnergyToday"),
        *("BatteryChargeEnergyToday", "BatteryDischargeEnergyToday"),
        *("SelfConsumptionToday", "SelfSufficiencyToday"),
        *("ChargerPower", "ChargingCurrent", "Power", "VehicleState"),
    )
    controls: ClassVar[tuple[str, ...]] = (*served.KEPT, served.CURRENT, served.ENABLE)
    tolerance: ClassVar[Mapping[str, float]] = {"ChargeCurrent": 0.51}
    daily_writes: ClassVar[Mapping[str, int]] = dict.fromkeys(served.KEPT, _WRITES)
    # Each write may wait a minute, and is three calls with a gap between two.
    slowest_write: ClassVar[float] = _SLOWEST
    compares: ClassVar[bool] = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.client = Client(settings, context.config.state, self.clock)
        rest = 6 * settings.gap
        self.steering = Steering(self.client, self.state, self.clock, rest=rest)
        self.lending = Lending(self.steering, self.state)
        self.names = Names(self.id, self.state.load("systems"), settings.serial)
        self.agenda = Agenda(settings.gap)
        self.rounds = Rounds(self)
        self.slowest_beat = _SLOWEST
        self._failed_in_a_row: dict[Job, int] = {}
        self._troubles: dict[Job, str] = {}

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Ask what is due, one thing at a time, until stopped."""
        settings: Settings = self.settings
        for serial in self.names.systems:
            await self.rounds.begin(serial)
        self.agenda.add(Job("systems"), ROUNDS["systems"])
        # With one call per tick, what is due the longest is always next.
        async for _ in self.every(settings.gap or min(0.1, settings.interval / 4)):
            job = self.agenda.next(self.clock.now())
            if job is not None:
                await self._do(job)

    async def safe(self) -> None:
        """Close the connections; what was lent out has been given back before."""
        await self.client.close()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connections for readings without a bridge."""
        try:
            yield
        finally:
            await self.client.close()

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """None: they are offered once it is known which systems there are."""
        return {}

    def _max_age(self, name: str) -> float:
        """As every device; of an account with many systems each has to wait longer."""
        live = [self.agenda.pace(job) for job in self.agenda.jobs() if job.what == "live"]
        settings: Settings = self.settings
        return max(super()._max_age(name), max(live, default=0.0) + settings.timeout)

    # ---------------------------------------------------------------- reading

    async def find(self) -> tuple[System, ...]:
        """The systems that this actor serves. Raises DeviceError."""
        settings: Settings = self.settings
        try:
            found = decode.systems(await self.client.systems())
        except DeviceGarbled as error:
            raise told(error) from None
        if settings.serial is not None:
            found = tuple(each for each in found if each.serial == settings.serial)
        if not found:
            which = settings.serial or "any system"
            sentence = f"does not have {which} in this account: see `heliograph alphaess list`"
            raise DeviceRefused(f"{NAME} {sentence}")
        if self.names.seen([each.serial for each in found]):
            self.state.save("systems", self.names.kept())
        return found

    async def read_once(self) -> Values:
        """One reading of the first system. Raises DeviceError."""
        return next(iter((await self.read_all()).values()))

    async def read_all(self) -> Mapping[str, Values]:
        """One reading of each system. Raises DeviceError when powers cannot be read."""
        found: dict[str, Values] = {}
        for system in await self.find():
            try:
                values = decode.live(await self.client.live(system.serial))
            except DeviceGarbled as error:
                raise told(error) from None
            summed = decode.nothing_summed()
            with contextlib.suppress(DeviceError):
                summed = decode.sums(await self.client.sums(system.serial))
            whole = {**values, **summed, "BatteryCapacity": system.capacity}
            found[self.names.device(system.serial)] = whole
        return found

    # ---------------------------------------------------------------- one call

    async def _do(self, job: Job) -> None:
        self.agenda.asked(job, self.clock.now())
        try:
            await self.rounds.ask(job)
        except DeviceError as error:
            await self._fault(job, told(error))
            return
        if self._failed_in_a_row.pop(job, 0):
            await self.warn(_key(job), None)
        self._troubles.pop(job, None)
        if job.what == "live":
            # What kept the list away is over, too.
            self._troubles.pop(Job("systems"), None)
        if job.what in {"systems", "live"}:
            await self.health(next(iter(self._troubles.values()), None))
        await self.warn("clock", self.client.clock_trouble())

    async def _fault(self, job: Job, error: DeviceError) -> None:
        sort = error.sort if isinstance(error, Said) else Sort.LATER
        vital = job.what == "live" or (job.what == "systems" and not self.names.systems)
        if sort is Sort.ABSENT and not vital:
            self.agenda.drop(job)
            await self.warn(_key(job), None)
            self.rounds.absent(job)
            return
        count = self._failed_in_a_row[job] = self._failed_in_a_row.get(job, 0) + 1
        self._rest(job, error, sort, count)
        if not vital:
            await self.warn(_key(job), str(error))
            return
        self._troubles[job] = str(error)
        await self.health(str(error))
        sure = sort in {Sort.ACCOUNT, Sort.CLOCK, Sort.SYSTEM}
        for device in self.rounds.devices(job.system) if job.system else (self.id,):
            if sure or count >= _FAILURES:
                said = str(error) if job.system in {"", *self.names.systems} else None
                await self.device_status("offline", said, device=device)
            else:
                await self.mark_stale(device)

    def _rest(self, job: Job, error: DeviceError, sort: Sort, count: int) -> None:
        """What is asked later, and how much later: longer where asking again is of no use."""
        now, gap = self.clock.now(), self.settings.gap
        if isinstance(error, BudgetSpent):
            self.agenda.rest(job, now + min(error.wait, _LONGEST_REST * gap))
        elif sort in {Sort.ACCOUNT, Sort.CLOCK}:
            self.agenda.rest_all(now + _MINUTES * gap)
        elif sort is Sort.SYSTEM:
            for each in self.agenda.jobs():
                if each.system == job.system:
                    self.agenda.rest(each, now + _MINUTES * gap)
        elif sort is not Sort.OFFLINE:
            first = _FAILURES if job.what in {"live", "systems"} else 1
            gaps = 3 * 2.0 ** max(0, min(count - first, 8))
            self.agenda.rest(job, now + min(gaps, _LONGEST_REST) * gap)
            if job.what == "systems" and not self.names.systems:
                self.agenda.soon(job)
                self.agenda.rest(job, now + min(gaps, _LONGEST_REST) * gap)

    # ---------------------------------------------------------------- control

    async def write_control(self, control: str, value: Asked, *, device: str) -> Asked:
        """Write one control and give it as read back. Raises DeviceError."""
        serial, charger = self.rounds.whose(device)
        if charger is not None and control == served.ENABLE:
            return await self.lending.enable(
                serial, charger, None if value is None else bool(value)
            )
        if control == served.CURRENT and serial and charger is None:
            return await self.lending.current(serial, None if value is None else float(value))
        if value is None or not serial or charger is not None or control not in served.KEPT:
            return await super().write_control(control, value, device=device)
        # Commands are served one after the other: none may keep the end of a lease waiting.
        self.steering.patient = not self.lending.out
        if control == served.SCHEDULE:
            return await self._set_schedule(serial, str(value))
        if control in served.SWITCHES and self.rounds.only_scheduled(serial):
            plan = await self.steering.change_plan(serial, served.changed_plan(control, value))
            await self.rounds.tell_plan(serial, plan)
            return value
        return await self._set_side(serial, control, value)

    async def _set_schedule(self, serial: str, text: str) -> Asked:
        groups, weekly = parse(text)
        found = await self.steering.change_plan(serial, with_groups(text))
        await self.rounds.tell_plan(serial, found)
        return text if found.same == (weekly, frozenset(groups)) else found.text

    async def _set_side(self, serial: str, control: str, value: float | str | bool) -> Asked:
        fields, change = served.SIDES[control], served.changed(control, value)
        # What makes no sense is refused before anybody is asked anything.
        tried = change(periods.NOTHING)
        found = await self.steering.change(serial, fields, change)
        await self.rounds.tell_side(serial, fields, found)
        same = periods.running(found.periods) == periods.running(tried.periods)
        if isinstance(value, str) and same:
            return value
        return served.of_side(found, fields)[control]

    # ---------------------------------------------------------------- telling

    async def tell_roles(self) -> None:
        """A cloud is too slow for what decides from second to second; the owner should know."""
        site = self.config.site
        for device in self.known:
            roles = site.roles(device) if site is not None else ()
            pace = self.agenda.pace(Job("live", self.rounds.whose(device)[0])) if roles else 0.0
            for role, quantity in _ROLES.items():
                counts = self.contract.quantity(quantity).max_age
                if role not in roles or counts is None or pace <= counts:
                    continue
                text = (
                    f"{device} is read each {math.ceil(pace)} s, but the power of a {role} counts"
                )
                text += f" for {counts:g} s only and every allowance is 0 in between:"
                await self.warn(f"{role} {device}", f"{text} let another device be the {role}")

    async def tell_info(self, system: System) -> None:
        """Who made a system."""
        device = self.names.device(system.serial)
        await self.info(_MAKER, system.model, system.serial, device=device)
        said = f"{device}: {NAME} calls its state {system.status}"
        await self.warn(f"state {device}", said if system.status is not None else None)


def _key(job: Job) -> str:
    return f"{job.what} {job.system} {job.charger}".strip()
