"""The shell: hears the state of charge, and holds the limit of the battery's charging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from actors.services.charge_current.core import Inputs, Plan, decide, new_pace
from bridge.actor import Actor
from bridge.config.types import Delay, DeviceId, Watts
from bridge.control.lending import SET, Lent
from bridge.errors import ExpressionError
from bridge.expression import compile_expression
from bridge.needs import Figure, Handle, switch_of
from bridge.steering import DeviceValue, Owner, Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.config import SiteSettings
    from bridge.needs import Need

_TICK = 1.0
_STEP = {"MaxChargeCurrent": 1.0, "MaxChargePower": 100.0}
_MAX = {"MaxChargeCurrent": 200.0, "MaxChargePower": 10_000.0}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which battery, which limit, and how often it may be written.

    limit: A (W for MaxChargePower), or an expression of SOC; min, max, step: in the same unit;
    soc: the device whose BatterySoc counts; restore: what the limit is without this service.
    """

    battery: DeviceId
    limit: str | float
    control: Literal["MaxChargeCurrent", "MaxChargePower"] = "MaxChargeCurrent"
    min: Watts = 0.0
    max: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    step: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    interval: Delay = 300.0
    writes: Annotated[int, Meta(ge=0, le=100_000)] = 40
    restore: Watts | None = None
    soc: DeviceId | None = None
    switch: DeviceId | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse a limit that cannot be computed, or lies outside its bounds."""
        if isinstance(self.limit, str):
            try:
                compile_expression(self.limit)
            except ExpressionError as error:
                yield "limit", f"'limit' cannot be used: {error}"
        elif not self.min <= self.limit <= self.top:
            yield "limit", f"'limit' {self.limit:g} is not between {self.min:g} and {self.top:g}"
        if self.min >= self.top:
            yield "min", f"'min' must be less than 'max', which is {self.top:g}"

    @property
    def top(self) -> float:
        """The most that is ever set."""
        return _MAX[self.control] if self.max is None else self.max

    @property
    def plan(self) -> Plan:
        """As the core takes it."""
        limit = self.limit
        return Plan(
            limit=compile_expression(limit) if isinstance(limit, str) else float(limit),
            min=self.min,
            max=self.top,
            step=self.step or _STEP[self.control],
            interval=self.interval,
            writes=self.writes,
            unit="A" if self.control == "MaxChargeCurrent" else "W",
        )


class ChargeCurrent(Actor):
    """Limits the charging of a battery, by state of charge where the owner says so."""

    kind = "charge_current"
    Settings = Settings
    stops_first = True
    writes: ClassVar[tuple[str, ...]] = (SET,)

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Its battery, its state of charge, its switch."""
        yield Handle(settings.battery, settings.control, "battery")
        if isinstance(settings.limit, str):
            setting = "soc" if settings.soc else "battery"
            yield Figure(settings.soc or settings.battery, "BatterySoc", setting)
        yield from switch_of(settings.switch)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        self.plan = settings.plan
        self.pace = new_pace(self.plan)
        self.lent = Lent(self, settings.battery, settings.control, restore=settings.restore)
        self.soc = DeviceValue(self, settings.soc or settings.battery, "BatterySoc")
        self.owner = Owner(self, settings.switch)
        self.speaker = Speaker(self)

    async def run(self) -> None:
        """Decide once a second, until stopped."""
        await self.lent.start()
        await self.soc.start()
        await self.owner.start()
        async for _ in self.every(_TICK):
            soc, silent = self.soc.read()
            allowed, off = self.owner.read()
            inputs = Inputs(soc=soc, allowed=allowed, why=off or silent)
            decision = decide(self.plan, self.pace, inputs, self.clock.now())
            await self.lent.want(decision.value)
            if self.lent.refused:
                self.pace.undo()
            if decision.value is not None and self.lent.held is None and self.lent.why is None:
                continue  # it was asked for and not answered yet
            trouble = decision.sentence if decision.code in {"unknown", "budget"} else None
            await self.speaker.say(decision.sentence, decision.code, trouble, why=self.lent.why)

    async def safe(self) -> None:
        """Give the limit back."""
        await self.lent.release()
