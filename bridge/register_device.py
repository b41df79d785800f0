"""RegisterDevice: an actor made from a table of registers.

A kind's folder holds the table; its class says which quantities and controls it may have. What is
read, decoded, published, written and given back is done here, the same for every maker.
"""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from bridge.device import Device
from bridge.errors import DeviceError, DeviceRefused
from bridge.modbus.link import LinkSpec, links, longest_request
from bridge.modbus.registers import Registers
from bridge.modbus.wire import READ_HOLDING, Refusal, Wire
from bridge.register_controls import RegisterControls
from bridge.register_journal import FlashBudget, Originals
from bridge.register_settings import RegisterSettings, Unit
from bridge.registers import Pacing, RegisterMap, check_folder, find_map, strictest_pacing
from bridge.registers.controls import Asked, Recipe, TableRecipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from bridge.actor import Context
    from bridge.contract import Contract, Control
    from bridge.modbus.link import Link
    from bridge.registers.model import Value

__all__ = ["Bound", "RegisterDevice", "RegisterSettings", "Unit", "folder_of"]

_FAILURES = 3
_LONGEST_PAUSE = 60.0
# What costs less than this share of the interval may be tried each time.
_CHEAP = 0.1


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One device that an actor publishes: its id, its table, and recipes beyond the table's.

    `controls`: those that are offered (None: every recipe); what a device lacks is not offered.
    """

    device: str
    table: RegisterMap
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    controls: tuple[str, ...] | None = None

    def all_recipes(self) -> dict[str, Recipe]:
        """Every recipe by control, offered or not."""
        found: dict[str, Recipe] = {
            name: TableRecipe(entry, self.table) for name, entry in self.table.controls.items()
        }
        return found | dict(self.recipes)

    def offers(self, control: str) -> bool:
        """True when the control can be set."""
        return self.controls is None or control in self.controls


class RegisterDevice(Device):
    """Reads and controls one endpoint through tables; decides nothing.

    texts: row -> what makes a text of its words, for people who ask what they mean.
    """

    texts: ClassVar[Mapping[str, Callable[[Sequence[int]], str]]] = {}
    compares = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: RegisterSettings = self.settings
        self.slowest_beat = max(self.slowest_beat, longest_request(settings.timeout))
        self.bound: tuple[Bound, ...] = ()
        self.registers: dict[str, Registers] = {}
        self._served: dict[str, RegisterControls] = {}
        self._originals = Originals(self.state)
        self._budget = FlashBudget(self.state, self.clock, settings.daily_writes)
        self._link: Link | None = None
        # Devices beside the actor's own that do not answer: failures so far, when to ask again.
        self._absent: dict[str, tuple[int, float]] = {}
        # Device -> quantities that it gives, and gave before it turned out to be something else.
        self._gives: dict[str, tuple[str, ...]] = {}
        self._gave: dict[str, dict[str, None]] = {}

    # ---------------------------------------------------------------- for a kind to say

    def devices(self) -> Sequence[Bound]:
        """What there is without asking; default: one device with the only table of the folder."""
        return (Bound(device=self.id, table=self.map()),)

    async def identify(self) -> Sequence[Bound]:
        """What there is, asked through `read_words`; called when the device (again) answers."""
        return self.devices()

    def refine(
        self,
        device: str,  # noqa: ARG002 - for kinds with several devices
        values: dict[str, Value | None],
        rows: Mapping[str, Value | None],  # noqa: ARG002 - for kinds that look at rows
    ) -> Mapping[str, Value | None]:
        """Quantities as they are published; `rows` are the values of the table's rows. Pure."""
        return values

    def spec(self) -> LinkSpec:
        """The endpoint; actors that name the same one share its connection."""
        settings: RegisterSettings = self.settings
        if settings.transport == "serial":
            return LinkSpec(transport="serial", tty=settings.tty or "", baudrate=settings.baudrate)
        return LinkSpec(transport=settings.transport, host=settings.host, port=settings.port)

    def pacing(self) -> Pacing:
        """The pauses that the device wants, whatever else it turns out to be."""
        return strictest_pacing(folder_of(type(self)))

    def wire(self) -> Wire:
        """The connection that the settings ask for."""
        from bridge.modbus.tcp import RtuOverTcpWire, SerialWire, TcpWire

        settings: RegisterSettings = self.settings
        if settings.transport == "serial":
            return SerialWire(settings.tty or "", settings.baudrate)
        if settings.transport == "rtu_over_tcp":
            return RtuOverTcpWire(settings.host, settings.port)
        return TcpWire(settings.host, settings.port)

    @classmethod
    def map(cls, name: str | None = None) -> RegisterMap:
        """A table of this kind's folder by name; without one, the only one."""
        return find_map(folder_of(cls), name)

    @classmethod
    def check_kind(cls, contract: Contract) -> None:
        """Raise TableError when a table of the folder cannot be used."""
        check_folder(folder_of(cls), contract)

    # ---------------------------------------------------------------- the device

    @property
    def link(self) -> Link:
        """The shared connection; held from the first use until `safe`. Raises DeviceError."""
        if self._link is None:
            self._link = links().acquire(self.spec(), self.wire, self.pacing(), clock=self.clock)
        return self._link

    async def read_words(
        self, address: int, count: int, *, unit: int | None = None, function: int = READ_HOLDING
    ) -> Sequence[int]:
        """Read words as they are. Raises DeviceError. For `identify`."""
        settings: RegisterSettings = self.settings
        chosen = unit if unit is not None else settings.unit
        self.beat()
        return await self.link.read(
            1 if chosen is None else chosen, function, address, count, timeout=settings.timeout
        )

    @property
    def refused(self) -> dict[str, str]:
        """Rows that the device refused -> how it said so."""
        return {name: why for each in self.registers.values() for name, why in each.refused.items()}

    async def run(self) -> None:
        """Poll until stopped."""
        await self.poll(self._reading, interval=self.settings.interval)

    async def safe(self) -> None:
        """Close the connection; what was lent out has been given back before."""
        await self._close()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        try:
            yield
        finally:
            await self._close()

    async def _close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await links().release(link, self.pacing())

    # ---------------------------------------------------------------- reading

    async def read_once(self) -> Mapping[str, Value | None]:
        """One reading of the actor's own device. Raises DeviceError."""
        return (await self.read_all())[self.id]

    async def read_all(self) -> Mapping[str, Mapping[str, Value | None]]:
        """One reading of every device that the actor publishes, by id. Raises DeviceError.

        A device beside the actor's own that does not answer is left out: it shows as offline, and
        is asked less and less often, so that it does not slow down the others.
        """
        if not self.bound or self.status_of() == "offline":
            self._bind(await self.identify())
            for each in self.registers.values():
                each.read_all_again()
        # The own device first: when it is gone, nobody waits for what lies behind it.
        await self.registers[self.id].poll()
        there = {self.id}
        for device, registers in self.registers.items():
            if device != self.id and await self._beside(device, registers):
                there.add(device)
        found: dict[str, Mapping[str, Value | None]] = {}
        for bound in self.bound:
            if bound.device not in there:
                continue
            registers = self.registers[bound.device]
            values = self.refine(bound.device, registers.quantities(), registers.values)
            self._gives[bound.device] = tuple(values)
            found[bound.device] = {**self._gave.get(bound.device, {}), **values}
        return found

    async def _beside(self, device: str, registers: Registers) -> bool:
        failures, until = self._absent.get(device, (0, 0.0))
        now = self.clock.now()
        if now < until:
            await self.mark_stale(device)
            return False
        try:
            # Who was not there is asked once, so that the others do not wait for him in vain.
            await registers.poll(retries=0 if failures else None)
        except DeviceError as error:
            if self.link.unreachable:
                raise  # nobody is there any more, so nobody else needs to be asked
            interval = self.settings.interval
            pause = min(_LONGEST_PAUSE, interval * 2 ** min(failures, 8))
            if self.clock.now() - now < interval * _CHEAP:
                pause = 0.0
            self._absent[device] = (failures + 1, self.clock.now() + pause)
            if failures + 1 >= _FAILURES or isinstance(error, DeviceRefused):
                await self.device_status("offline", str(error), device=device)
            else:
                await self.mark_stale(device)
            return False
        self._absent.pop(device, None)
        return True

    def remarks(
        self, found: Mapping[str, Mapping[str, Value | None]]
    ) -> Mapping[str, Sequence[str]]:
        """Which registers were refused, and why values are unknown."""
        from bridge.register_report import report

        return {
            device: tuple(report(registers, found.get(device, {})))
            for device, registers in self.registers.items()
        }

    async def _reading(self) -> Mapping[str, Value | None]:
        found = await self.read_all()
        for bound in self.bound:
            if bound.device in found:
                await self._tell(bound, found[bound.device])
        for device in self.known:
            if device not in self.registers:
                await self.device_status("offline", "it is not there any more", device=device)
        return found[self.id]

    async def _tell(self, bound: Bound, values: Mapping[str, Value | None]) -> None:
        device, registers = bound.device, self.registers[bound.device]
        if device != self.id:
            await self.reading(values, device=device)
        await self.info(**registers.info(), device=device)
        served = self._served[device]
        owed = [each for each in self._originals.controls(device) if each not in served.recipes]
        # What it cannot do any more is served as long as it has to be given back.
        known = [each for each in owed if served.knows(each)]
        await self.desk.offer(*served.recipes, *known, device=device)
        lost = [each for each in owed if each not in known]
        sentence = f"{', '.join(lost)} of {device} cannot be given back: it is another device now"
        await self.warn(f"lost {device}", sentence if lost else None)
        for control, recipe in served.recipes.items():
            if recipe.tells_state:
                await self.control_state(control, served.state(control), device=device)
        for control in served.readable():
            self.desk.there(control, device)

    def _bind(self, bound: Sequence[Bound]) -> None:
        if tuple(bound) == self.bound:
            return
        settings: RegisterSettings = self.settings
        for device, names in self._gives.items():
            self._gave[device] = self._gave.get(device, {}) | dict.fromkeys(names)
        self.bound = tuple(bound)
        self.registers = {
            each.device: Registers(
                each.table,
                self.link,
                unit=settings.unit,
                timeout=settings.timeout,
                retries=settings.retries,
                unconfirmed=settings.unconfirmed,
                clock=self.clock,
                progress=self.beat,
            )
            for each in self.bound
        }
        recipes = {each.device: each.all_recipes() for each in self.bound}
        self._served = {
            each.device: RegisterControls(
                each.device,
                self.registers[each.device],
                {name: r for name, r in recipes[each.device].items() if each.offers(name)},
                self._originals,
                self._budget,
                every=recipes[each.device],
            )
            for each in self.bound
        }
        every = [(name, r) for found in recipes.values() for name, r in found.items()]
        # Where several devices have it, the shortest watchdog counts: it comes last.
        every.sort(key=lambda each: -(each[1].watchdog or 0.0))
        self.watchdog = {name: r.watchdog for name, r in every if r.watchdog is not None}  # type: ignore[misc] # a device's own
        self.tolerance = {name: r.tolerance for name, r in every if r.tolerance is not None}  # type: ignore[misc] # as above

    # ---------------------------------------------------------------- controls

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """None: they are served once it has said what it is; until then commands are refused."""
        return {self.id: ()}

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry with the range and the words of this very device."""
        entry = super().control_entry(control, device)
        served = self._served.get(device)
        recipe = served.recipes.get(control) if served else None
        if served is None or recipe is None:
            return entry
        low, high = recipe.bounds(served.registers.values)
        narrowed: dict[str, Any] = {}
        if low is not None and (entry.min is None or low > entry.min):
            narrowed["min"] = low
        if high is not None and (entry.max is None or high < entry.max):
            narrowed["max"] = high
        if recipe.options and entry.options:
            auto = ("auto",) if "auto" in entry.options and "auto" not in recipe.options else ()
            narrowed |= {"options": (*auto, *recipe.options), "open": False}
        elif recipe.options and entry.open:
            narrowed |= {"options": recipe.options, "open": False}
        return msgspec.structs.replace(entry, **narrowed)

    def may_hold(self, control: str, device: str) -> bool:
        """False before what its rows hold was noted, which comes before the first write."""
        return bool(self._originals.of(device, control))

    async def write_control(
        self, control: str, value: Asked | None, *, device: str
    ) -> Asked | None:
        """Set a control by its recipe (None = give back) and return it as read back."""
        served = self._served.get(device)
        if served is None:
            raise DeviceError(f"{device} does not answer yet, so {control} cannot be set")
        if value is None:
            await served.back(control)
            return None
        leased = self.contract.control(control).lease
        try:
            return await served.set(control, value, leased=leased)
        except Refusal as error:
            raise Refusal(f"{control} was not taken: {error}", error.code) from None


def folder_of(kind: type[RegisterDevice]) -> Path:
    """The folder in which a kind lives."""
    return Path(inspect.getfile(kind)).parent
