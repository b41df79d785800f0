"""The Shelly actor: reads a meter, plug or relay and switches its relays. It decides nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anyio

from actors.devices.shelly.client import Client
from actors.devices.shelly.consumer import make_consumer
from actors.devices.shelly.counters import NetCounters
from actors.devices.shelly.decode import Measured, Role, Values, decode, quantities, select
from actors.devices.shelly.feeds import make_feed
from actors.devices.shelly.push import Pushed
from actors.devices.shelly.settings import Settings
from bridge.device import Device
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused
from bridge.switching.model import Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from actors.devices.shelly.identity import Identity
    from actors.devices.shelly.reading import Reading
    from bridge.actor import Context

_MAIN = {"grid": "GridPower", "pv": "PvPower", "load": "LoadPower", "device": "Power"}
_COUNTERS = "net_meter"
# What is pushed together comes as several messages: they are waited for before they are told.
_BURST: Final = 0.05
_PATIENCE: Final = 20.0


class Shelly(Device):
    """A Shelly of any generation at `host`. Signs: see decode.py."""

    kind = "shelly"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("GridPower", "GridPowerL{phase}", "GridVoltageL{phase}", "GridCurrentL{phase}"),
        *("GridFrequency", "GridImportEnergy", "GridExportEnergy"),
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}", "PvEnergy"),
        *("LoadPower", "LoadPowerL{phase}", "LoadEnergy"),
        *("Power", "PowerL{phase}", "Energy", "ReturnedEnergy", "Frequency", "Temperature"),
        *("Voltage", "VoltageL{phase}", "Current", "CurrentL{phase}"),
    )
    controls = ("Switch",)
    writes: ClassVar[tuple[str, ...]] = (*Device.writes, "Requests/{consumer}")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        secret = settings.password
        self.client = Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=secret.reveal() if secret is not None else None,
            timeout=settings.patience,
            now=self.clock.now,
        )
        self.relay: bool | None = None
        self.relays: dict[str, bool | None] = {}
        self.drawn: float | None = None
        self._outputs: dict[str, int] = {}
        self._known: dict[str, set[str]] = {}
        self._identity: Identity | None = None
        self.pushed = Pushed(settings.interval)
        self._news = anyio.Event()
        self.feed = make_feed(self, self.pushed, self._wake)
        self.consumer = make_consumer(self)
        if self.consumer is not None:
            self.companions.append(self.consumer)
        self._net = NetCounters(
            lambda: self.state.load(_COUNTERS), lambda content: self.state.save(_COUNTERS, content)
        )

    @property
    def serial(self) -> str | None:
        """The device's MAC, once it was asked."""
        return self._identity.serial if self._identity is not None else None

    # ---------------------------------------------------------------- its life

    async def run(self) -> None:
        """Hear what is pushed, ask for the rest, until stopped; then keep the counters."""
        try:
            if self.feed is None:
                await self.poll(self._read, interval=self.settings.interval)
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.feed.run)
                tasks.start_soon(self._follow)
                await self.poll(self._read_when_due, interval=self.settings.interval)
        finally:
            self._net.save()

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold the connection for readings without a bridge."""
        async with self.client:
            yield

    async def safe(self) -> None:
        """Close the connection. A relay that its owner switched stays as it is."""
        await self.client.close()

    async def _read(self) -> Values:
        return await self._tell(await self.read_all())

    async def _tell(self, readings: Mapping[str, Values]) -> Values:
        """Publish all but the own reading, which is handed back."""
        identity = self._identity
        if self.consumer is not None:
            missing = f"`request` is set, but {self.client.name} has no relay to switch"
            await self.warn("consumer", None if self.id in self._outputs else missing)
        for device, values in readings.items():
            if device != self.id:
                await self.reading(values, device=device)
            if identity is not None:
                about = (identity.model, identity.serial, identity.firmware)
                await self.info("Shelly", *about, device=device)
            state = self.relays.get(device)
            if state is not None:
                await self.control_state("Switch", state, device=device)
        return readings[self.id]

    # ---------------------------------------------------------------- what is pushed

    def _wake(self) -> None:
        self._news.set()

    async def _follow(self) -> None:
        """Publish each change as soon as it is heard; what makes no sense is left to asking."""
        while True:
            await self._news.wait()
            await self.clock.sleep(_BURST)
            self._news = anyio.Event()
            identity, status = self._identity, self.pushed.status
            if identity is None or status is None:
                continue
            try:
                readings = self._decoded(identity, status)
            except DeviceError as error:
                await self.warn("push", str(error))
                continue
            await self.reading(await self._tell(readings))
            await self.warn("push", None)

    async def _read_when_due(self) -> Values:
        """Ask the device, but only when it has been silent, or was not asked for a minute."""
        while (wait := self.pushed.due(self.clock.now())) > 0:
            self.beat_due = self.clock.now() + _PATIENCE
            await self.clock.sleep(min(wait, 1.0))
        try:
            values = await self._read()
        except DeviceError as error:
            now, status = self.clock.now(), self.pushed.status
            if self._identity is None or status is None or not self.pushed.fresh(now):
                raise
            # It still talks by itself: that counts, and it is asked again in a minute.
            self.pushed.put_off(now)
            await self.warn("check", str(error))
            return self._decoded(self._identity, status)[self.id]
        await self.warn("check", None)
        return values

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """None: whether there is a relay is known after the first reading."""
        return {}

    # ---------------------------------------------------------------- reading

    async def read_once(self) -> Values:
        """One reading of the actor's own device, straight from it. Raises DeviceError."""
        return (await self.read_all())[self.id]

    async def read_all(self) -> Mapping[str, Values]:
        """One reading; the further channels of a plug or relay are devices of their own."""
        identity, status = await self.client.status()
        self._identity = identity
        self.pushed.asked(status, self.clock.now())
        return self._decoded(identity, status)

    def _decoded(self, identity: Identity, status: dict[str, Any]) -> dict[str, Values]:
        """What a status means, by device. Raises DeviceError."""
        reading = decode(identity, status)
        settings: Settings = self.settings
        try:
            measured = select(reading, settings.channel, settings.phase, invert=settings.invert)
        except DeviceRefused as error:
            raise DeviceRefused(f"{self.client.name} {error}") from None
        role = self.role(reading)
        found = {self.id: self._values(identity, reading, role, measured)}
        own = self._choose_output(reading)
        self._outputs = {} if own is None else {self.id: own}
        for number in self._further(reading):
            device = f"{self.id}-{number}"
            found[device] = self._channel(device, reading, number)
            if number in reading.outputs:
                self._outputs[device] = number
        self.relays = {device: reading.outputs[each] for device, each in self._outputs.items()}
        self.relay = self.relays.get(self.id)
        # The clamps of a meter measure the house, not what its relay switches.
        power = found[self.id].get("Power") if role == "device" and not reading.clamps else None
        self.drawn = power if isinstance(power, float | int) else None
        if self.consumer is not None:
            self.consumer.take(self.seen_now())
        return found

    def _further(self, reading: Reading) -> list[int]:
        """The channels beyond the first of a plug or relay with several, where none is chosen."""
        if self.settings.channel is not None or reading.clamps:
            return []
        return sorted(set(reading.channels) | set(reading.outputs))[1:]

    def _channel(self, device: str, reading: Reading, number: int) -> Values:
        """One further channel: a consumer with its relay."""
        line = reading.channels.get(number)
        found: Values = {}
        if line is not None:
            found = quantities("device", Measured(line, {}))
        found["Temperature"] = reading.temperature
        return self._kept(device, found, "Power" if line is not None else None)

    def role(self, reading: Reading) -> Role:
        """Give the role: as set, else as the site section says, else by the kind of device."""
        settings: Settings = self.settings
        if settings.role is not None:
            return settings.role
        site = self.config.site
        of_site = site.roles(self.id) if site is not None else ()
        for role in ("grid", "pv", "load"):
            if role in of_site:
                return role
        return "grid" if reading.clamps else "device"

    def _choose_output(self, reading: Reading) -> int | None:
        """Take the relay of the set channel, else the first; None when there is none."""
        wished = self.settings.channel
        if isinstance(wished, int) and wished in reading.outputs:
            return wished
        return min(reading.outputs, default=None)

    def _values(
        self, identity: Identity, reading: Reading, role: Role, measured: Measured | None
    ) -> Values:
        if measured is None:
            if role != "device" or not reading.outputs:
                raise DeviceGarbled(f"{self.client.name} has no meter that could be read")
            found: Values = {}
        else:
            found = quantities(role, measured)
            if role == "grid" and self.settings.metering == "net":
                found |= self._netted(identity, measured)
        if role == "device":
            found["Temperature"] = reading.temperature
        return self._kept(self.id, found, None if measured is None else _MAIN[role])

    def _kept(self, device: str, found: Values, main: str | None) -> Values:
        """Without what a device never had; what it once had is unknown when it is missing."""
        known = self._known.setdefault(device, set())
        known |= {name for name, value in found.items() if value is not None}
        if main is not None:
            known.add(main)
        return {name: value for name, value in found.items() if name in known}

    def _netted(self, identity: Identity, measured: Measured) -> dict[str, float | None]:
        """Count net energy; a power that the contract would refuse is not counted either."""
        total = measured.total
        limits: Any = self.contract.quantity("GridPower")
        power = total.power
        if power is not None and not limits.min <= power <= limits.max:
            power = None
        line = type(total)(power=power, imported=total.imported, exported=total.exported)
        imported, exported = self._net.take(self.clock.now(), identity.serial, line)
        return {"GridImportEnergy": imported, "GridExportEnergy": exported}

    # ---------------------------------------------------------------- control

    def seen_now(self) -> Seen:
        """The own relay and what it draws, as just read."""
        return Seen(self.relay, self.drawn, self.clock.now())

    def may_return(self, control: str, device: str) -> bool:
        """The relay of a consumer can be given back to the sun."""
        return self.consumer is not None and control == "Switch" and device == self.id

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Switch a relay and read it back. Raises DeviceError when it cannot be reached."""
        returns = self.may_return(control, device)
        if control != "Switch" or not (isinstance(value, bool) or (value is None and returns)):
            return await super().write_control(control, value, device=device)
        if value is not None and self.status_of(device) == "offline":
            raise DeviceRefused(f"{self.client.name} is offline: nothing was switched")
        if self.consumer is not None and returns:
            return await self.consumer.by_control(value)
        return await self.switch(device, on=value is True)

    async def switch(self, device: str, *, on: bool, timer: float | None = None) -> bool:
        """Switch a relay, with `timer` for so many seconds, and read it back."""
        if device not in self._outputs:
            await self.read_all()
        if device not in self._outputs:
            raise DeviceRefused(f"{self.client.name} has no relay that could be switched")
        state = await self.client.switch(self._outputs[device], on=on, timer=timer)
        self.relays[device] = state
        if device == self.id:
            self.relay = state
        return state
