"""The owner's rules: from the price of a market to what a kWh costs and earns at this house."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bridge.curve.clock_rules import WallClock, borders
from bridge.curve.slots import Curve, Slot
from bridge.errors import CurveError, ExpressionError
from bridge.expression import Expression, compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    Charges = float | Sequence[tuple[WallClock, float]]

NAMES: Final = ("price", "charges", "tax", "hour", "minute", "weekday", "month")
_MINUTE: Final = timedelta(minutes=1)
# All offsets from UTC are whole quarter hours today, so that local hours begin on one.
_QUARTER: Final = timedelta(minutes=15)
_CLOCK: Final = {"hour", "weekday", "month"}


class Rules:
    """Charges, tax and formulas of one tariff. Prices and charges in currency/kWh, `tax` in %.

    Import is `(price + charges) * (1 + tax/100)` or `import_formula`; export is the fixed `export`
    or `export_formula`, else what the service says, else unknown. Formulas know `NAMES`, with the
    clock of `zone`. Charges are a number or (when, number) pairs, of which the last one that holds
    counts; where none holds they are 0. Raises ExpressionError for a formula that cannot be read.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        *,
        charges: Charges = 0.0,
        tax: float = 0.0,
        import_formula: str | None = None,
        export: float | None = None,
        export_formula: str | None = None,
    ) -> None:
        self.zone = zone
        self._charges: tuple[tuple[WallClock, float], ...] = (
            ((WallClock(), float(charges)),) if isinstance(charges, int | float) else tuple(charges)
        )
        self._tax = tax
        self._import = None if import_formula is None else self.formula(import_formula)
        self._export = None if export_formula is None else self.formula(export_formula)
        self._fixed = export

    @staticmethod
    def formula(text: str) -> Expression:
        """A formula over `NAMES`. Raises ExpressionError."""
        return compile_expression(text, NAMES)

    def imports(self, prices: Curve) -> Curve:
        """What a kWh from the grid costs; where a formula gives no number it is unknown."""
        return self._applied(prices, self._import, self._total)

    def exports(self, prices: Curve, given: Curve | None = None) -> Curve | None:
        """What a kWh into the grid earns. `prices` are those of import before the rules.

        `given` is what the service says of export: a formula takes its price from there.
        """
        if self._fixed is not None:
            fixed = self._fixed
            return Curve(_unbroken(prices.map(lambda _slot: fixed).slots), prices.notes)
        base = given if given is not None else prices
        if self._export is not None:
            return self._applied(base, self._export, None)
        return given

    def _total(self, price: float, charges: float) -> float:
        return (price + charges) * (1 + self._tax / 100)

    def _applied(
        self,
        prices: Curve,
        formula: Expression | None,
        plain: Callable[[float, float], float] | None,
    ) -> Curve:
        found: list[Slot] = []
        notes = list(prices.notes)
        names = frozenset(("price", "charges")) if formula is None else formula.names
        for slot in prices.slots:
            pieces: list[Slot] = []
            for start, end in self._pieces(slot, names):
                try:
                    value = self._value(slot.value, start, formula, plain)
                except ExpressionError as error:
                    notes.append(f"a price is left out: {error}")
                    continue
                if pieces and pieces[-1].value == value and pieces[-1].end == start:
                    pieces[-1] = Slot(pieces[-1].start, end, value)
                else:
                    pieces.append(Slot(start, end, value))
            found += pieces
        if prices.slots and not found:
            raise CurveError(notes[-1])
        return Curve(tuple(found), tuple(dict.fromkeys(notes)))

    def _value(
        self,
        price: float,
        start: datetime,
        formula: Expression | None,
        plain: Callable[[float, float], float] | None,
    ) -> float:
        local = start.astimezone(self.zone)
        charges = 0.0
        for when, amount in self._charges:
            if when.holds(local):
                charges = amount
        if formula is None:
            value = price if plain is None else plain(price, charges)
        else:
            value = formula.evaluate(
                {
                    "price": price,
                    "charges": charges,
                    "tax": self._tax,
                    "hour": local.hour,
                    "minute": local.minute,
                    "weekday": local.isoweekday(),
                    "month": local.month,
                }
            )
        if not math.isfinite(value):
            raise ExpressionError("the price is too large")
        return value

    def _pieces(self, slot: Slot, names: frozenset[str]) -> Iterator[tuple[datetime, datetime]]:
        """The parts of a slot within which neither the charges nor the formula's clock change."""
        cuts: set[datetime] = set()
        if "charges" in names and any(when != WallClock() for when, _ in self._charges):
            rules = [when for when, _ in self._charges]
            cuts |= set(borders(rules, slot.start, slot.end, self.zone))
        if "minute" in names:
            cuts |= set(_steps(slot, _MINUTE))
        elif names & _CLOCK:
            cuts |= set(_steps(slot, _QUARTER))
        edges = [slot.start, *sorted(cuts), slot.end]
        yield from pairwise(edges)


def _steps(slot: Slot, step: timedelta) -> Iterator[datetime]:
    """The full multiples of `step` strictly inside."""
    moment = slot.start - (slot.start - datetime(1970, 1, 1, tzinfo=UTC)) % step + step
    while moment < slot.end:
        yield moment
        moment += step


def _unbroken(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Neighbours of one value as one slot."""
    found: list[Slot] = []
    for slot in slots:
        if found and found[-1].end == slot.start and found[-1].value == slot.value:
            found[-1] = Slot(found[-1].start, slot.end, slot.value)
        else:
            found.append(slot)
    return tuple(found)
