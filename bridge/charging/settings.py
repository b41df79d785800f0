"""The owner's choices that every charger takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bridge.charging.model import Plan
from bridge.config.settings import DeviceSettings
from bridge.config.types import Delay, Id, Name, TariffId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.simulate.look import Look

Amps = Annotated[float, Meta(ge=6, le=80)]
"""A per phase; below 6 A no car charges (IEC 61851)."""
Rank = Annotated[float, Meta(ge=0, le=1_000_000)]
Volts = Annotated[float, Meta(ge=90, le=300)]
Price = Annotated[float, Meta(ge=-1000, le=1000)]


class ChargerSettings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host, port, interval and timeout as every device, and how the car is to be charged.

    mode: `auto` charges on surplus, `manual` leaves all to people and the controls; consumer: the
    id of the request (None: the actor's); name: what people read; priority, priority_shift,
    ignore_reservation: as in any request; min_current, max_current: A per phase; phases: 1, 3 or
    auto; voltage: V of a phase, until the charger tells; min_on, min_off, start_delay, stop_delay:
    s; phase_pause: least s between two switches of phases; phase_delay: s that the sun must carry
    three phases before they are switched on; low_price: charge from the grid while the price is
    not above the limit; price_limit: currency/kWh (None: the charger's own limit); tariff: id of
    the tariff with the price (None: the charger's own price); low_price_current: A per phase then
    (None: max_current); hibernate: do not keep up the connection while no car is there.
    """

    mode: Literal["auto", "manual"] = "auto"
    consumer: Id | None = None
    name: Name | None = None
    priority: Rank = 35.0
    priority_shift: Rank = 1.0
    ignore_reservation: bool = False
    min_current: Amps = 6.0
    max_current: Amps = 16.0
    phases: Literal[1, 3, "auto"] = "auto"
    voltage: Volts = 230.0
    min_on: Delay = 600.0
    min_off: Delay = 300.0
    start_delay: Delay = 60.0
    stop_delay: Delay = 240.0
    phase_pause: Delay = 300.0
    phase_delay: Delay = 180.0
    low_price: bool = False
    price_limit: Price | None = None
    tariff: TariffId | None = None
    low_price_current: Amps | None = None
    hibernate: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        """What a type alone cannot tell."""
        if self.max_current < self.min_current:
            yield "max_current", "'max_current' must not be below 'min_current'"
        given = self.low_price_current
        if given is not None and not self.min_current <= given <= self.max_current:
            yield (
                "low_price_current",
                "'low_price_current' must lie between 'min_current' and 'max_current'",
            )
        if self.tariff is not None and self.price_limit is None:
            yield "tariff", "'tariff' needs a 'price_limit' to compare its price with"

    def simulated(self, actor: str) -> Look:
        """How it looks in a simulated house: with a car that takes what the charger offers."""
        from bridge.simulate.look import Look, asks

        if self.mode == "manual":
            return Look(None, ("`mode: manual`: it does not ask for the sun",))
        wires = 3 if self.phases == 3 else 1  # noqa: PLR2004 - a house has three phases
        either = self.phases == "auto"
        look = asks(
            self.consumer or actor,
            self,
            least=self.min_current * self.voltage * wires,
            most=self.max_current * self.voltage * (3 if either else wires),
            step=self.voltage * wires,
            ignore_reservation=self.ignore_reservation,
            phases=[1, 3] if either else [],
            phase_interval_s=self.phase_pause,
            phase_up_delay_s=self.phase_delay,
            response_lag_s=5,
            report_period_s=5,
        )
        if not self.low_price:
            return look
        return Look(look.spec, ("charging at low prices is not simulated: it waits for the sun",))

    def plan(self, manual_modes: frozenset[str] = frozenset()) -> Plan:
        """The same for the core."""
        return Plan(
            automatic=self.mode == "auto",
            priority=self.priority,
            priority_shift=self.priority_shift,
            ignore_reservation=self.ignore_reservation,
            min_current=self.min_current,
            max_current=self.max_current,
            phases=None if self.phases == "auto" else self.phases,
            voltage=self.voltage,
            min_on=self.min_on,
            min_off=self.min_off,
            start_delay=self.start_delay,
            stop_delay=self.stop_delay,
            phase_pause=self.phase_pause,
            phase_delay=self.phase_delay,
            low_price=self.low_price,
            low_price_current=self.low_price_current,
            hibernate=self.hibernate,
            manual_modes=manual_modes,
        )
