"""The shell: hears the topics of a PV inverter, and tells the topic of its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import anyio
import msgspec

from actors.devices.mqtt_pv.core import Inputs, State, decide, percent
from actors.devices.mqtt_pv.decode import Counters, reading
from actors.devices.mqtt_pv.settings import Settings
from bridge.control.lending import SET, Lent
from bridge.device import Device
from bridge.errors import DeviceTimeout
from bridge.steering import Balance, Speaker
from bridge.topic_device import TopicDevice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.mqtt_pv.core import Plan
    from bridge.actor import Context
    from bridge.contract import Control
    from bridge.device import Values
    from bridge.payload_value import Source

_LIMIT = "PvLimit"
_TICK = 1.0
_REPEAT = 60.0


class MqttPv(TopicDevice):
    """A PV inverter that its gateway publishes on topics of its own."""

    kind = "mqtt_pv"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = (
        *("PvPower", "PvPowerL{phase}", "PvVoltageL{phase}", "PvCurrentL{phase}", "PvEnergy"),
    )
    controls: ClassVar[tuple[str, ...]] = (_LIMIT,)
    # Gateways forget a limit when they start anew, so it is repeated while it is lent.
    watchdog: ClassVar[Mapping[str, float]] = {_LIMIT: _REPEAT}
    writes: ClassVar[tuple[str, ...]] = (*Device.writes, SET)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.counters = Counters({})
        self.plan = settings.plan
        self.core = State()
        self.balance = Balance(self)
        self.lent = Lent(self, self.id, _LIMIT)
        self.speaker = Speaker(self)
        self._trouble: str | None = None

    def sources(self) -> Mapping[str, Source]:
        """As set."""
        settings: Settings = self.settings
        return settings.sources()

    def values(self, found: Mapping[str, float | None]) -> Values:
        """What was heard."""
        return reading(found, self.counters)

    async def run(self) -> None:
        """Tell what is heard, and throttle where that is wanted, until stopped."""
        plan = self.plan
        if plan is None:
            await super().run()
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._throttle, plan)
            await super().run()

    # ---------------------------------------------------------------- the limit

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """The limit, where it has a topic."""
        return {self.id: self.controls} if self.settings.limit is not None else {}

    def control_entry(self, control: str, device: str) -> Control:
        """The contract's entry with the range of this inverter."""
        entry = super().control_entry(control, device)
        rated = self.settings.rated_power
        return entry if rated is None else msgspec.structs.replace(entry, max=rated)

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Tell the limit in % of the rated power (None: all of it); nothing can be read back."""
        settings: Settings = self.settings
        limit, rated = settings.limit, settings.rated_power
        if control != _LIMIT or limit is None or rated is None or isinstance(value, (str, bool)):
            return await super().write_control(control, value, device=device)
        told = f"{percent(value, rated):g}".encode()
        if not self.bus.connection.send(limit, told, qos=1, retain=False):
            raise DeviceTimeout("the broker cannot be reached, so nobody was told the limit")
        return value

    async def _throttle(self, plan: Plan) -> None:
        """Decide once a second; the desk above gives back on every stop and crash."""
        await self.balance.start()
        await self.lent.start()
        while True:
            decision = decide(plan, self.core, self._inputs(), self.clock.now())
            await self.lent.want(decision.limit)
            said = decision.code if decision.code != "unknown" else None
            if said is None or self.lent.why is not None:
                self._trouble = self.lent.why or f"it is not throttled: {decision.sentence}"
            else:
                self._trouble = None
            await self.speaker.say(decision.sentence, decision.code, None)
            await self.warn("zero feed-in", self._trouble)
            await self.clock.sleep(_TICK)

    def _inputs(self) -> Inputs:
        battery = bool(self.config.site and self.config.site.battery)
        names = ("GridPower", "PvPower", *(("BatteryPower", "BatterySoc") if battery else ()))
        found, why = self.balance.read(*names)
        heard = reading(self.heard.read(self.stale), Counters({}))["PvPower"]
        own = float(heard) if isinstance(heard, (int, float)) else None
        if own is None and why is None:
            why = f"{self.id} does not tell its power"
        return Inputs(
            grid=found.get("GridPower"),
            battery=found.get("BatteryPower") if battery else 0.0,
            pv=found.get("PvPower"),
            own=own,
            soc=found.get("BatterySoc") if battery else 100.0,
            why=why,
        )
