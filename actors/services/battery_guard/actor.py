"""The shell: hears the house and the chargers, and holds one control of the battery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from actors.services.battery_guard.core import (
    Control,
    Inputs,
    Mode,
    Plan,
    decide,
    new_state,
    undo,
)
from bridge.actor import Actor
from bridge.config.settings import DeviceIds
from bridge.config.types import Delay, DeviceId, Watts
from bridge.control.lending import SET, Lent
from bridge.needs import Figure, Handle, switch_of
from bridge.steering import Balance, Car, Owner, Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.config import SiteSettings
    from bridge.needs import Need

_TICK = 1.0
_TTL = 30.0
_POWER = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]
_USUAL_STEP = {"MaxDischargeCurrent": 1.0, "GridSetpoint": 250.0, "MaxDischargePower": 250.0}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which battery, which chargers, by which control, and how often it may be written.

    base: W at the grid meter without a car; min_power: W below which no car charges; max: most
    that is ever set (W, or A); settle: s until all show what was set; writes: changes in 24 h, 0
    for any number; voltage: of the battery.
    """

    battery: DeviceId
    chargers: DeviceIds
    control: Control = "GridSetpoint"
    mode: Mode = "cover"
    base: _POWER = 0.0
    max: Watts = 11000.0
    min_power: Watts = 200.0
    step: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    interval: Delay = 60.0
    settle: Delay = 8.0
    writes: Annotated[int, Meta(ge=0, le=100_000)] = 40
    voltage: Annotated[float, Meta(gt=0, le=2000)] | None = None
    restore: Watts | None = None
    switch: DeviceId | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse what does not fit together."""
        if not self.chargers:
            yield "chargers", "'chargers' must name at least one charger"
        if self.control == "BatteryMode" and self.mode != "hold":
            yield "control", "'control: BatteryMode' can only hold: set 'mode: hold'"
        if self.control == "MaxDischargeCurrent" and self.voltage is None:
            yield "voltage", "'control: MaxDischargeCurrent' needs the battery's 'voltage'"
        if self.base and self.control != "GridSetpoint":
            yield "base", "'base' belongs to 'control: GridSetpoint'"
        if self.control == "BatteryMode" and self.restore is not None:
            yield "restore", "'restore' belongs to a limit that the device does not tell"
        if self.max <= self.base:
            yield "max", "'max' must be more than 'base'"

    @property
    def plan(self) -> Plan:
        """As the core takes it, with the usual step of the control."""
        return Plan(
            control=self.control,
            mode=self.mode,
            base=self.base,
            max=self.max,
            min_power=self.min_power,
            step=self.step or _USUAL_STEP.get(self.control, 50.0),
            interval=self.interval,
            settle=self.settle,
            writes=self.writes,
            voltage=self.voltage,
        )


class BatteryGuard(Actor):
    """Keeps the home battery out of the car, by whatever control the battery has for it."""

    kind = "battery_guard"
    Settings = Settings
    stops_first = True
    needs_site = True
    writes: ClassVar[tuple[str, ...]] = (SET,)

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Its battery, its chargers, its switch."""
        yield Handle(settings.battery, settings.control, "battery")
        for each in settings.chargers:
            yield Figure(each, "Power", "chargers")
        yield from switch_of(settings.switch)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.plan = settings.plan
        self.core = new_state(self.plan)
        self.lent = Lent(self, settings.battery, settings.control, _TTL, restore=settings.restore)
        self.balance = Balance(self)
        self.cars = [Car(self, charger) for charger in settings.chargers]
        self.owner = Owner(self, settings.switch)
        self.speaker = Speaker(self)

    async def run(self) -> None:
        """Decide once a second, until stopped."""
        await self.lent.start()
        await self.balance.start()
        await self.owner.start()
        for car in self.cars:
            await car.start()
        async for _ in self.every(_TICK):
            decision = decide(self.plan, self.core, self.inputs(), self.clock.now())
            await self.lent.want(decision.value)
            if self.lent.refused:
                undo(self.core)
            if decision.value is not None and self.lent.held is None and self.lent.why is None:
                continue  # it was asked for and not answered yet
            trouble = decision.sentence if decision.code in {"unknown", "budget"} else None
            await self.speaker.say(decision.sentence, decision.code, trouble, why=self.lent.why)

    def inputs(self) -> Inputs:
        """What is known and young enough."""
        flows, why = self.balance.read("GridPower", "BatteryPower")
        powers = [car.read() for car in self.cars]
        unknown = [sentence for _, sentence in powers if sentence is not None]
        known = [value for value, _ in powers if value is not None]
        car = None if unknown else sum(max(each, 0.0) for each in known)
        allowed, off = self.owner.read()
        return Inputs(
            grid=flows.get("GridPower"),
            battery=flows.get("BatteryPower"),
            car=car,
            allowed=allowed,
            age=self.balance.age,
            why=next((each for each in (*unknown, why, off) if each), None),
        )

    async def safe(self) -> None:
        """Give the battery back."""
        await self.lent.release()
