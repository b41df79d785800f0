"""The shell: hears prices, forecast, house and battery, and holds one control of the battery."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import anyio.to_thread
import msgspec
from msgspec import Meta

from actors.services.grid_charge.core import Inputs, State, decide, due, make_plan
from actors.services.grid_charge.planning import Plan
from actors.services.grid_charge.profile import Profile
from bridge.actor import Actor
from bridge.config.types import Delay, DeviceId, ForecastId, TariffId, Watts
from bridge.control.lending import SET, Lent
from bridge.curve.listen import CurveInput
from bridge.needs import Figure, Handle, Word, switch_of
from bridge.pace import Pace
from bridge.steering import Balance, DeviceValue, Owner, Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.services.grid_charge.core import Decision
    from bridge.actor import Context
    from bridge.config import SiteSettings
    from bridge.control.lease import Value
    from bridge.needs import Need

_TICK = 1.0
_Percent = Annotated[float, Meta(ge=0, le=100)]
_Price = Annotated[float, Meta(ge=-1000, le=1000)]
_Positive = Annotated[float, Meta(gt=0, le=1_000_000)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which battery, which tariff, and the owner's limits; prices in the tariff's currency per kWh.

    power: W to charge with; capacity: usable Wh; load: W the house needs until it is learnt;
    efficiency: of the way in and out; step, interval, writes: as battery_guard.
    """

    battery: DeviceId
    tariff: TariffId
    power: _Positive
    capacity: _Positive
    forecast: ForecastId | None = None
    control: Literal["BatterySetpoint", "BatteryMode", "GridSetpoint"] = "BatterySetpoint"
    load: Watts = 400.0
    efficiency: Annotated[float, Meta(gt=0, le=1)] = 0.85
    wear: _Price = 0.05
    min_gain: Annotated[float, Meta(ge=0, le=1000)] = 0.02
    max_price: _Price | None = None
    soc_min: _Percent = 10.0
    soc_max: _Percent = 90.0
    max_import: _Positive | None = None
    step: Annotated[float, Meta(gt=0, le=10_000)] = 200.0
    interval: Delay = 300.0
    writes: Annotated[int, Meta(ge=0, le=100_000)] = 40
    soc: DeviceId | None = None
    switch: DeviceId | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse limits that leave nothing to do."""
        if self.soc_min >= self.soc_max:
            yield "soc_min", "'soc_min' must be less than 'soc_max'"
        if self.wear < 0:
            yield "wear", "'wear' is what a kWh costs the battery: it cannot be negative"
        if self.max_import is not None and self.max_import < self.step:
            yield "max_import", "'max_import' must be at least 'step'"

    @property
    def plan(self) -> Plan:
        """As the core takes it."""
        return Plan(
            power=self.power,
            capacity=self.capacity,
            efficiency=self.efficiency,
            wear=self.wear,
            min_gain=self.min_gain,
            max_price=math.inf if self.max_price is None else self.max_price,
            soc_min=self.soc_min,
            soc_max=self.soc_max,
            max_import=math.inf if self.max_import is None else self.max_import,
            interval=self.interval,
            at_meter=self.control == "GridSetpoint",
        )


class GridCharge(Actor):
    """Charges the battery in the cheapest hours, as much as the house will need in dearer ones."""

    kind = "grid_charge"
    Settings = Settings
    stops_first = True
    needs_site = True
    writes: ClassVar[tuple[str, ...]] = (SET,)

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Its battery, prices and forecast, its switch."""
        yield Handle(settings.battery, settings.control, "battery")
        setting = "soc" if settings.soc else "battery"
        yield Figure(settings.soc or settings.battery, "BatterySoc", setting)
        yield Word(_curve("Tariffs", settings.tariff), ours=True, by=settings.tariff, kept=True)
        if settings.forecast is not None:
            topic = _curve("Forecasts", settings.forecast)
            yield Word(topic, ours=True, by=settings.forecast, kept=True)
        yield from switch_of(settings.switch)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.plan = settings.plan
        self.core = State()
        self.profile = Profile(settings.load)
        self.pace = Pace(settings.step, settings.interval, settings.writes, "down")
        self.lent = Lent(self, settings.battery, settings.control)
        self.balance = Balance(self)
        self.soc = DeviceValue(self, settings.soc or settings.battery, "BatterySoc")
        self.owner = Owner(self, settings.switch)
        self.speaker = Speaker(self)
        self.prices = CurveInput(self, f"the tariff {settings.tariff}", "import", "export")
        self.sun = CurveInput(self, f"the forecast {settings.forecast}", "power")
        self._learnt_at = self.clock.now()

    async def run(self) -> None:
        """Decide once a second, until stopped."""
        await self._listen()
        self.profile.restore(self.state.load("profile"))
        async for _ in self.every(_TICK):
            inputs = self.inputs()
            utc, now = self.clock.utc(), self.clock.now()
            if due(self.core, inputs, utc, now):
                # A second or more on a small machine: the others go on meanwhile.
                work = partial(make_plan, self.plan, self.core, inputs, self.profile, utc, now)
                await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
            decision = decide(self.plan, self.core, inputs, utc, self.clock.now())
            await self.lent.want(self.value(decision))
            trouble = decision.sentence if decision.code == "unknown" else None
            if self.pace.exhausted and decision.action == "charge":
                trouble = f"{self.lent.control} was changed too often today and is left alone"
            await self.speaker.say(decision.sentence, decision.code, trouble or self.lent.why)

    def value(self, decision: Decision) -> Value | None:
        """What the control shall be for a decision."""
        settings: Settings = self.settings
        action, now = decision.action, self.clock.now()
        if settings.control == "BatteryMode":
            return {"charge": "charge", "keep": "hold", "leave": None}[action]
        if action == "leave" or (action == "keep" and settings.control == "GridSetpoint"):
            self.pace.follow(None, now)
            return None
        power = self.pace.follow(decision.power, now)
        if power is None:
            return None
        return power if settings.control == "GridSetpoint" else -power or 0.0

    def inputs(self) -> Inputs:
        """What is known and young enough."""
        settings: Settings = self.settings
        flows, why = self.balance.read("GridPower", "BatteryPower", "LoadPower")
        grid, battery = flows.get("GridPower"), flows.get("BatteryPower")
        soc, silent = self.soc.read()
        allowed, off = self.owner.read()
        demand = None if grid is None or battery is None else grid + battery
        self._learn(flows.get("LoadPower"))
        prices, sun = self.prices.rows("import"), self.sun.rows("power")
        missing = self.prices.why or self.sun.why
        if missing is None and prices is None:
            missing = f"the tariff {settings.tariff} has told no prices yet"
        if missing is None and settings.forecast and sun is None:
            missing = f"the forecast {settings.forecast} has told nothing yet"
        return Inputs(
            soc=soc,
            demand=demand,
            prices=prices,
            exports=self.prices.rows("export") or (),
            sun=sun,
            no_sun=settings.forecast is None,
            allowed=allowed,
            why=off or silent or (why if demand is None else None) or missing,
        )

    async def safe(self) -> None:
        """Give the battery back."""
        self.state.save("profile", self.profile.export())
        await self.lent.release()

    # ---------------------------------------------------------------- what comes in

    async def _listen(self) -> None:
        settings: Settings = self.settings
        await self.lent.start()
        await self.balance.start()
        await self.soc.start()
        await self.owner.start()
        self.controlled = await self.input("Site/{Value}", Value="ControlledPower")
        await self.prices.start("Tariffs/{tariff}/Curve", tariff=settings.tariff)
        if settings.forecast is not None:
            await self.sun.start("Forecasts/{forecast}/Curve", forecast=settings.forecast)

    def _learn(self, load: float | None) -> None:
        """The house's own need: what runs on surplus would not run otherwise."""
        now = self.clock.now()
        seconds, self._learnt_at = now - self._learnt_at, now
        if load is None:
            return
        running = self.controlled.read()
        own = load - (float(running.value) if running.fresh else 0.0)
        if self.profile.see(own, seconds, self.clock.utc()):
            self.state.save("profile", self.profile.export())


def _curve(root: str, name: str) -> str:
    return f"{root}/{name}/Curve"
