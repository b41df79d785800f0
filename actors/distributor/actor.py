"""The shell of the distributor: MQTT in, the pure core decides, MQTT out. It decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

import anyio
import msgspec

from actors.distributor.announce import Announcer
from actors.distributor.core import Balance, Distributor
from actors.distributor.intake import Intake
from actors.distributor.outlet import Outlet
from actors.distributor.prices import TariffPrices
from actors.distributor.settings import DEFAULT_STRATEGY, Strategy
from actors.distributor.value.money import Storage
from actors.distributor.value.tuning import DEFAULT, Tuning
from bridge.actor import Actor
from bridge.config.types import Delay, Interval, TariffId
from bridge.errors import ExpressionError
from bridge.expression import compile_expression
from bridge.needs import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.config import SiteSettings
    from bridge.needs import Need

Price: TypeAlias = Annotated[float, msgspec.Meta(ge=-1_000, le=1_000)]
Power: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
_SAVE_EVERY = 60.0
_LOOK = 1.0
# Where nothing comes in, what only time can change is looked at this often, asked for or not.
_AT_LEAST = 1.5
_GATHER = 0.002


class StoredValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stored kWh is worth up to a state of charge, in %."""

    up_to_soc: Annotated[float, msgspec.Meta(gt=0, le=100)]
    per_kwh: Price


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner may set about the sharing. Times in s.

    reservation: W kept for the home battery, a number or an expression of SOC; interval: between
    two raises of one running consumer; request_ttl: a silent consumer is let go after it (0 =
    never); settle: how long meter and consumers may disagree after a change. strategy: `surplus`
    shares what is there, `es_ess` does so as es-ESS, once a minute, `value` (the default) decides
    by expected money: with the prices per kWh of `tariff`, else those given, and, where
    `stored_value` is given, the battery's (max_charge and max_discharge in W, min_soc in %).
    """

    reservation: str | float = 0
    interval: Interval = 5
    request_ttl: Delay = 180
    settle: Delay = 2
    strategy: Strategy = DEFAULT_STRATEGY
    tariff: TariffId | None = None
    import_price: Price = 0.30
    export_price: Price = 0.08
    stored_value: list[StoredValue] = []
    max_charge: Power = 5000
    max_discharge: Power = 5000
    min_soc: Annotated[float, msgspec.Meta(ge=0, le=100)] = 10

    @property
    def storage(self) -> Storage | None:
        """The battery as its owner prices it; None leaves it to the reservation alone."""
        if not self.stored_value:
            return None
        return Storage(
            max_charge=self.max_charge,
            max_discharge=self.max_discharge,
            soc_min=self.min_soc,
            tiers=[(tier.up_to_soc, tier.per_kwh) for tier in self.stored_value],
        )

    @property
    def tuning(self) -> Tuning:
        """What deciding by value goes by: the same in every house."""
        return DEFAULT

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse a reservation that cannot be computed."""
        if isinstance(self.reservation, str):
            try:
                compile_expression(self.reservation)
            except ExpressionError as error:
                yield "reservation", f"'reservation' cannot be used: {error}"
        socs = [tier.up_to_soc for tier in self.stored_value]
        if sorted(set(socs)) != socs:
            yield "stored_value", "'stored_value' must rise in 'up_to_soc'"


class DistributorActor(Actor):
    """Hears `Requests/+/…` and the site's balance, publishes what everyone may draw, and why."""

    kind = "distributor"
    Settings = Settings
    stops_first = True
    writes: ClassVar[tuple[str, ...]] = (
        "Requests/{consumer}/Allowance",
        "Requests/{consumer}/Grant",
        "Requests/{consumer}/Reason",
        "Requests/{consumer}/Energy",
        "Requests/{consumer}/Error",
        "Site/{Value}",
        "Site/State",
        "Site/Pause",
    )

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """Somebody who tells the prices."""
        if settings.tariff is not None:
            yield Word(f"Tariffs/{settings.tariff}/Curve", ours=True, by=settings.tariff, kept=True)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.core = Distributor(self.settings, owner=self.config.consumers)
        self._changed = anyio.Event()
        self._due = self.clock.now()
        self.intake = Intake(self, self.core, self.wake)
        self.outlet = Outlet(self)
        self.announcer = Announcer(self, self.intake, self.core)
        tariff = self.settings.tariff if self.settings.strategy == "value" else None
        self.tariff = None if tariff is None else TariffPrices(self, tariff, self.wake)
        self._whose: str | None = None
        self._saved = self.clock.now()

    def wake(self) -> None:
        """Something came in that may change a decision."""
        self._changed.set()

    async def run(self) -> None:
        """Decide on every event and at every moment that the core asked to be woken."""
        self._restore()
        await self.intake.start()
        await self.subscribe("Site/Balance", self._on_balance)
        if self.tariff is not None:
            await self.tariff.start()
        async for _ in self.every(_LOOK):
            until = self.clock.now() + _LOOK
            while (left := until - self.clock.now()) > 0:
                if self._changed.is_set() or self.clock.now() >= self._due:
                    await self._decide()
                if await self.clock.wait(self._changed, min(left, self._due - self.clock.now())):
                    # What arrives together is decided together.
                    await anyio.sleep(_GATHER if self.bus.waiting else 0)
            await self._tell_prices()
            for consumer in self.announcer.long_gone():
                await self._remove(consumer)
            self._save_now_and_then()

    async def _decide(self) -> None:
        self._changed = anyio.Event()
        now = self.clock.now()
        while self.intake.left:
            consumer = self.intake.left.pop()
            self.core.expect(consumer, self.announcer.silence(consumer), now)
        if self.tariff is not None:
            self.core.prices(*self.tariff.now())
        decision = self.core.decide(now)
        await self.outlet.publish(decision, self.core.energies())
        self.announcer.show(decision.allowances)
        for consumer in decision.gone:
            await self._remove(consumer)
        self._due = now + _AT_LEAST
        if decision.wake is not None:
            self._due = min(self._due, decision.wake)

    async def _tell_prices(self) -> None:
        """Whose prices hold, when that has changed."""
        if self.tariff is None:
            return
        settings: Settings = self.settings
        whose, trouble = self.tariff.sentences(settings.import_price, settings.export_price)
        if whose != self._whose:
            self._whose = whose
            await self.message("Operational", whose)
        await self.intake.warn("tariff", trouble)
        await self.health(trouble)

    async def _remove(self, consumer: str) -> None:
        self.core.forget(consumer)
        self.intake.forget(consumer)
        self.announcer.remove(consumer)
        await self.outlet.remove(consumer)

    def _on_balance(self, message: Message) -> None:
        if message.retained or message.error is not None or message.value is None:
            return
        site = self.config.site
        value: dict[str, Any] = message.value
        age = value.get("age") or 0.0
        self.core.balance(
            Balance(
                grid=value.get("GridPower"),
                pv=value.get("PvPower"),
                battery=value.get("BatteryPower"),
                soc=value.get("BatterySoc"),
                pv_metered=bool(site and site.pv),
                battery_present=bool(site and site.battery),
                why=value.get("why"),
            ),
            message.at - age,
        )
        self.wake()

    async def on_connect(self) -> None:
        """Everything that consumers and owners rely on, again, as it stands now."""
        self.outlet.forget_shown()
        self.wake()

    async def safe(self) -> None:
        """Nobody may draw anything any more, and is told why."""
        self.core.stop()
        await self.outlet.stop("the distributor is stopping")
        self._save()

    # ---------------------------------------------------------------- what survives a restart

    def _restore(self) -> None:
        found = self.state.load("distributor") or {}
        core, seen = found.get("core"), found.get("seen")
        if isinstance(core, dict):
            self.core.restore(core, self.clock.now())
        if isinstance(seen, dict):
            self.announcer.restore(seen)

    def _save_now_and_then(self) -> None:
        if self.clock.now() - self._saved >= _SAVE_EVERY or self.intake.unsaved:
            self._save()

    def _save(self) -> None:
        self._saved = self.clock.now()
        self.intake.unsaved = False
        self.state.save(
            "distributor", {"core": self.core.export(), "seen": self.announcer.export()}
        )
