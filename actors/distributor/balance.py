"""What the house measures: the balance that comes in, and the site's figures that go out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from actors.distributor import reasons
from actors.distributor.allocate import MICRO, micro
from bridge.errors import ExpressionError
from bridge.expression import Expression, compile_expression
from bridge.known import known

if TYPE_CHECKING:
    from actors.distributor.reasons import Reason

_LOAD_NOISE: Final = -100.0
_MOST_SECONDS_AHEAD: Final = 1e15


class Balance(msgspec.Struct, frozen=True):
    """One coherent live measurement. W, sources positive: import, production, discharge; soc in %.

    None = unknown. `why` says what is missing where something is. `load` only where a meter
    measures it; else it is the sum of the others.
    """

    grid: float | None
    pv: float | None = None
    battery: float | None = None
    soc: float | None = None
    pv_metered: bool = False
    battery_present: bool = False
    why: str | None = None
    load: float | None = None


class SiteValues(msgspec.Struct, frozen=True):
    """The house as one power balance, W (soc in %); None = unknown."""

    grid: float | None = None
    pv: float | None = None
    battery: float | None = None
    soc: float | None = None
    load: float | None = None
    controlled: float | None = None
    surplus: float | None = None
    reservation: float | None = None
    available: float | None = None
    assigned: float | None = None
    remaining: float | None = None


class Meter:
    """The newest balance, how old it is, and the surplus that it means.

    A balance counts from the moment its measurement was received; from `max_age` s on it is silent.
    """

    __slots__ = ("_base", "_cap", "at", "max_age", "spoken", "values", "why")

    def __init__(self, max_age: float) -> None:
        self.max_age = max_age
        self.at = -math.inf
        self.spoken = False  # has there ever been a usable balance?
        self.values = SiteValues()
        self.why: str | None = None
        self._base = 0
        self._cap: int | None = None

    def take(self, balance: Balance, now: float) -> None:
        """A new balance, measured at `now`."""
        grid, pv = known(balance.grid), known(balance.pv)
        battery, soc = known(balance.battery), known(balance.soc)
        if not balance.battery_present and battery is None:
            battery = 0.0
        sane = abs(now) < _MOST_SECONDS_AHEAD
        self.why = None
        if grid is None or not sane:
            self.why = balance.why or "grid power is unknown"
        elif battery is None:
            self.why = balance.why or "battery power is unknown"
        elif balance.pv_metered and pv is None:
            self.why = balance.why or "PV power is unknown"
        else:
            self._base = -micro(grid) - micro(battery)
        self._cap = micro(pv) if balance.pv_metered and pv is not None else None
        self.at = now if sane else -math.inf
        self.spoken = self.spoken or self.why is None
        load = known(balance.load)
        if load is None and grid is not None and pv is not None and battery is not None:
            load = grid + pv + battery
        if load is not None and load < 0:
            load = 0.0 if load >= _LOAD_NOISE else None
        self.values = SiteValues(grid, pv, battery, soc, load)

    @property
    def base(self) -> int:
        """Microwatts that flow out of the house or into its battery; it falls when loads rise."""
        return self._base

    @property
    def metered_pv(self) -> bool:
        """Whether the sun's power is known."""
        return self._cap is not None

    @property
    def silent_at(self) -> float:
        """When the present balance will be too old."""
        return self.at + self.max_age

    def silent(self, now: float) -> bool:
        """Whether the newest balance is too old to decide anything."""
        return now >= self.silent_at

    def complaint(self, now: float) -> Reason | None:
        """Why nothing can be decided now, or None when the balance is good."""
        if self.why is not None:
            return reasons.plain("meter", self.why)
        if not self.silent(now):
            return None
        if math.isinf(self.at):
            return reasons.plain("meter", "waiting for the grid meter")
        return reasons.meter_silent(now - self.at)

    def surplus(self, counted: int) -> int:
        """Microwatts that could be used, when `counted` of the consumption is controlled by us."""
        surplus = self._base + counted
        return surplus if self._cap is None else min(surplus, self._cap)


class Reservation:
    """The power kept for the home battery: an expression of SOC, or a number of W."""

    __slots__ = ("_error", "_expression", "_last")

    def __init__(self, setting: str | float) -> None:
        self._error: str | None = None
        self._expression: Expression | None = None
        self._last: tuple[float | None, int] | None = None  # SoC changes seldom
        try:
            self._expression = compile_expression(str(setting))
        except ExpressionError as error:
            self._error = str(error)

    def compute(self, soc: float | None) -> tuple[int | None, str | None]:
        """(microwatts in whole watts, None), or (None, why it cannot be computed)."""
        if self._last is not None and self._last[0] == soc:
            return self._last[1], None
        if self._expression is None:
            return None, self._error
        try:
            value = self._expression.evaluate({} if soc is None else {"SOC": soc})
        except ExpressionError as error:
            return None, str(error)
        kept = max(0, round(value)) * MICRO
        self._last = (soc, kept)
        return kept, None


def site_values(
    known: SiteValues, controlled: int, surplus: int | None, reservation: int | None, assigned: int
) -> SiteValues:
    """The site's figures as they are told, out of what is measured (W) and shared (microwatts)."""
    available = None
    if surplus is not None and reservation is not None:
        available = max(0, surplus - reservation) / MICRO
    return SiteValues(
        known.grid,
        known.pv,
        known.battery,
        known.soc,
        known.load,
        controlled / MICRO,
        None if surplus is None else surplus / MICRO,
        None if reservation is None else reservation / MICRO,
        available,
        assigned / MICRO,
        None if surplus is None else (surplus - assigned) / MICRO,
    )
