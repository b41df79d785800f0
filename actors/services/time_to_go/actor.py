"""The shell: hears the battery, tells how long it lasts as a device of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from actors.services.time_to_go.core import Inputs, Plan, State, decide
from bridge.config.types import Delay, DeviceId, Interval, Watts
from bridge.device import Device
from bridge.errors import DeviceError
from bridge.needs import Figure, batteries_of
from bridge.steering import Balance, DeviceValue, Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.config import SiteSettings
    from bridge.device import Values
    from bridge.needs import Need

_NO_BATTERY = "there is no battery: name one as 'battery', here or in 'site'"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which battery, how large, and how calm.

    battery: a device (None: the site's); capacity: usable Wh (None: what the battery tells);
    min_soc: % down to which it is discharged (None: what the battery tells, else 0); smoothing: s;
    idle: W below which nothing flows; interval: s between two results.
    """

    battery: DeviceId | None = None
    capacity: Annotated[float, Meta(gt=0, le=10_000_000)] | None = None
    min_soc: Annotated[float, Meta(ge=0, lt=100)] | None = None
    smoothing: Delay = 60.0
    idle: Watts = 20.0
    interval: Interval = 5.0


class TimeToGo(Device):
    """Tells how long the home battery lasts, or takes to be full."""

    kind = "time_to_go"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = ("BatteryTimeToGo", "BatteryTimeToFull")
    reads_directly = False

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """What it computes from."""
        for each in batteries_of(settings.battery, site):
            yield Figure(each, "BatteryPower")
            yield Figure(each, "BatterySoc")
            if settings.capacity is None:
                yield Figure(each, "BatteryCapacity", "battery", "set 'capacity'")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.plan = Plan(smoothing=settings.smoothing, idle=settings.idle)
        self.core = State()
        site = self.config.site
        named = (settings.battery,) if settings.battery else tuple(site.battery) if site else ()
        self.batteries = named
        single = named[0] if len(named) == 1 else None
        self.power = DeviceValue(self, single, "BatteryPower") if single else None
        self.soc = DeviceValue(self, single, "BatterySoc") if single else None
        self.limit = DeviceValue(self, single, "ActiveMinSoc") if single else None
        self.balance = Balance(self) if len(named) > 1 else None
        known = settings.capacity is None
        self.capacities = [DeviceValue(self, each, "BatteryCapacity") for each in named if known]
        self._min_soc: float | None = None
        self.speaker = Speaker(self)

    async def run(self) -> None:
        """Compute each `interval` s until stopped."""
        for each in (self.power, self.soc, self.limit, self.balance, *self.capacities):
            if each is not None:
                await each.start()
        if len(self.batteries) == 1:
            device = self.batteries[0]
            pattern = "Devices/{device}/{Control}"
            await self.subscribe(pattern, self._on_min_soc, device=device, Control="MinSoc")
        async for _ in self.every(self.settings.interval):
            decision = decide(self.plan, self.core, self.inputs(), self.clock.now())
            found = {"BatteryTimeToGo": decision.to_go, "BatteryTimeToFull": decision.to_full}
            await self.reading(found)
            trouble = decision.sentence if decision.code == "unknown" else None
            await self.speaker.say(decision.sentence, decision.code, trouble)

    async def read_once(self) -> Values:
        """It has nothing to be asked."""
        raise DeviceError(f"{self.id} computes from what others tell: it needs a running bridge")

    def inputs(self) -> Inputs:
        """What is known and young enough."""
        settings: Settings = self.settings
        power, soc, why = self._battery()
        capacity = settings.capacity
        if capacity is None:
            told = [each.read() for each in self.capacities]
            missing = next((sentence for _, sentence in told if sentence), None)
            known = [value for value, _ in told if value is not None]
            capacity = sum(known) if known and missing is None else None
            if missing is not None:
                why = why or f"{missing}: set 'capacity'"
        return Inputs(power, soc, capacity or None, self._limit(), why)

    def _battery(self) -> tuple[float | None, float | None, str | None]:
        if self.power is not None and self.soc is not None:
            power, silent = self.power.read()
            soc, unknown = self.soc.read()
            return power, soc, silent or unknown
        if self.balance is None:
            return None, None, _NO_BATTERY
        found, why = self.balance.read("BatteryPower", "BatterySoc")
        return found.get("BatteryPower"), found.get("BatterySoc"), why

    def _limit(self) -> float:
        """What the owner says, what holds at the moment, what is set in the device; else empty."""
        if self.settings.min_soc is not None:
            return float(self.settings.min_soc)
        active = self.limit.read()[0] if self.limit is not None else None
        return next((each for each in (active, self._min_soc) if each is not None), 0.0)

    def _on_min_soc(self, message: Message) -> None:
        # A setting is told once and stands, so a retained one is as good as a live one.
        if message.error is None:
            value = message.value
            known = isinstance(value, (int, float)) and not isinstance(value, bool)
            self._min_soc = float(value) if known else None
