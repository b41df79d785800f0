"""The simulated house as an actor: its devices, its meter, and consumers that speak MQTT."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import anyio

from actors.sim.sim_home.consumers import Consumer, make_consumers
from actors.sim.sim_home.engine import Delayed, Engine, Reading
from actors.sim.sim_home.house import Battery, BatterySpec, House
from actors.sim.sim_home.loads import Load
from actors.sim.sim_home.meter import Meter
from actors.sim.sim_home.reporter import Reporter
from actors.sim.sim_home.settings import SimHomeSettings, open_source
from bridge.device import Device

if TYPE_CHECKING:
    from bridge.actor import Context
    from bridge.bus import Message

    Values = dict[str, float | str | None]

TICK = 0.25
"""Real seconds between two moves of the house."""
_READ_EVERY = 1.0
_FIELD = "Requests/{consumer}/{Field}"


class SimHome(Device):
    """A house that makes, stores and uses power `speed` times as fast as a real one.

    Its devices are `{id}-pv`, `{id}-battery` and `{id}` (the load). Its grid is only to be had by
    reading the Shelly at `meter_port`. Its consumers publish requests and obey allowances.
    """

    kind = "sim_home"
    Settings = SimHomeSettings
    quantities: ClassVar[tuple[str, ...]] = (
        "PvPower",
        "PvEnergy",
        "PvEnergyToday",
        "BatteryPower",
        "BatterySoc",
        "BatteryCapacity",
        "BatteryChargeEnergy",
        "BatteryDischargeEnergy",
        "LoadPower",
        "LoadEnergy",
    )
    writes: ClassVar[tuple[str, ...]] = (*Device.writes, _FIELD)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.settings: SimHomeSettings = context.settings
        self.consumers: dict[str, Consumer] = make_consumers(self.settings.chosen)
        self.loads = {device: Load() for device in self.settings.loads}
        self._reporters = {name: Reporter(each) for name, each in self.consumers.items()}
        self.engine: Engine | None = None
        self.meter_port: int | None = None
        self._hour: int | None = None
        self._read_at = -float("inf")

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Open the day, start the meter, and move the house on until its day is over."""
        settings = self.settings
        engine = self.engine = await self._open()
        await self._listen()
        meter = Meter(
            settings.meter_host,
            settings.meter_port,
            noise=settings.meter_noise,
            seed=settings.seed,
        )
        first = engine.read(self.clock.now())
        meter.show(first)
        async with meter:
            self.meter_port = meter.port
            self.log.info(f"the grid meter answers on {settings.meter_host}:{meter.port}")
            await self._tell_devices()
            await self._live(engine, meter, Delayed(settings.meter_lag, first))
        self.log.info("the simulated day is over, and loop is false: the house ends here")

    async def _open(self) -> Engine:
        """The house at its first moment. Raises ConfigError for a CSV file that is wrong."""
        settings = self.settings
        source, at = await anyio.to_thread.run_sync(open_source, settings)
        return Engine(
            house=House(_battery(settings)),
            source=source,
            consumers=self.consumers,
            at=at,
            speed=settings.speed,
            offset=settings.place.offset,
            loads=self.loads,
        )

    async def read_once(self) -> Values:
        """What the house shows at its first moment, with its consumers off."""
        engine = await self._open()
        parts = self._parts(engine.read(self.clock.now()))
        return {name: value for values in parts.values() for name, value in values.items()}

    async def _live(self, engine: Engine, meter: Meter, delayed: Delayed[Reading]) -> None:
        async for _ in self.every(TICK):
            now = self.clock.now()
            seen = delayed.put(now, engine.read(now))
            meter.show(seen)
            if now - self._read_at >= _READ_EVERY - TICK / 2:
                self._read_at = now
                for device, values in self._parts(seen).items():
                    await self.reading(values, device=device)
            await self._report(now)
            self._tell_hour(engine)
            if engine.over:
                return

    async def safe(self) -> None:
        """The house is gone: its devices are offline and its consumers want nothing."""
        for name in self.consumers:
            await self.publish(_FIELD, 0, consumer=name, Field="Request")
            await self.publish(_FIELD, 0, consumer=name, Field="Consumption")
        for device in self._devices():
            await self.publish("Devices/{device}/Status", "offline", device=device)

    async def on_connect(self) -> None:
        """A consumer that is new on the broker says everything again."""
        self._repeat_requests()

    # ---------------------------------------------------------------- what the consumers hear

    async def _listen(self) -> None:
        for name, consumer in self.consumers.items():

            def obey(message: Message, consumer: Consumer = consumer) -> None:
                # A retained allowance has no known age, and is no lease.
                if not message.retained and message.error is None and message.value is not None:
                    consumer.hear_allowance(float(message.value), message.at)

            await self.subscribe("Requests/{consumer}/Allowance", obey, consumer=name)
        for device, load in self.loads.items():

            def take(message: Message, load: Load = load) -> None:
                if not message.retained and message.error is None and message.value:
                    load.hear(message.value, message.at)

            await self.subscribe("Devices/{device}/State", take, device=device)
        await self.subscribe("Actors/{actor}/Status", self._on_distributor, actor="distributor")
        await self.subscribe("Bridge/Status", self._on_bridge)

    def _on_distributor(self, message: Message) -> None:
        if message.value not in {"online", "offline"}:
            return
        online = message.value == "online"
        for consumer in self.consumers.values():
            consumer.hear_distributor(online=online)
        if online:
            self._repeat_requests()

    def _on_bridge(self, message: Message) -> None:
        # While the bridge is offline, nothing below its base is to be believed.
        if message.value == "offline" and not message.retained:
            for consumer in self.consumers.values():
                consumer.forget()

    def _repeat_requests(self) -> None:
        for reporter in self._reporters.values():
            reporter.repeat()

    # ---------------------------------------------------------------- what the house says

    def _devices(self) -> tuple[str, ...]:
        devices = (f"{self.id}-pv", self.id)
        return devices if self.settings.battery is None else (*devices, f"{self.id}-battery")

    async def _tell_devices(self) -> None:
        words = {f"{self.id}-pv": "PV", self.id: "house", f"{self.id}-battery": "battery"}
        for device in self._devices():
            await self.info("Heliograph", f"simulated {words[device]}", device=device)

    def _parts(self, seen: Reading) -> dict[str, Values]:
        """The readings of each of the house's devices."""
        flow, counters = seen.flow, seen.counters
        parts: dict[str, Values] = {
            f"{self.id}-pv": {
                "PvPower": flow.pv,
                "PvEnergy": counters.pv,
                "PvEnergyToday": seen.pv_today,
            },
            self.id: {
                "LoadPower": flow.load + flow.consumers,
                "LoadEnergy": counters.load + counters.consumers,
            },
        }
        if self.settings.battery is not None:
            parts[f"{self.id}-battery"] = {
                "BatteryPower": flow.battery,
                "BatterySoc": flow.soc,
                "BatteryCapacity": self.settings.battery.capacity_kwh * 1000.0,
                "BatteryChargeEnergy": counters.charge,
                "BatteryDischargeEnergy": counters.discharge,
            }
        return parts

    async def _report(self, now: float) -> None:
        for name, reporter in self._reporters.items():
            for field, value in reporter.due(now).items():
                await self.publish(_FIELD, value, consumer=name, Field=field)

    def _tell_hour(self, engine: Engine) -> None:
        local = engine.local
        if local.hour == self._hour:
            return
        self._hour = local.hour
        flow = engine.flow
        drawn = ", ".join(f"{name} {watts:.0f} W" for name, watts in flow.draws.items() if watts)
        soc = "" if flow.soc is None else f", battery {flow.soc:.0f} % {flow.battery:+.0f} W"
        self.log.info(
            f"{local:%Y-%m-%d %H:%M} in the house: PV {flow.pv:.0f} W, load {flow.load:.0f} W"
            f"{soc}, grid {flow.grid:+.0f} W, consumers {drawn or 'off'}"
        )


def _battery(settings: SimHomeSettings) -> Battery | None:
    given = settings.battery
    if given is None:
        return None
    spec = BatterySpec(
        capacity=given.capacity_kwh * 1000.0,
        max_charge=given.max_charge,
        max_discharge=given.max_discharge,
        eta_charge=given.eta_charge,
        eta_discharge=given.eta_discharge,
        soc_min=given.soc_min,
        soc_max=given.soc_max,
    )
    return Battery(spec, given.soc)
