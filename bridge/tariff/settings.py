"""What every tariff takes: currency, time zone, and the owner's rules from raw price to bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from bridge.curve.clock_rules import Hours, WallClock
from bridge.curve.days import zone_of
from bridge.curve.rules import Rules
from bridge.errors import CurveError, ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

Currency = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}\Z",
        extra={"words": "the three capital letters of a currency, such as EUR"},
    ),
]
Price = Annotated[float, Meta(ge=-1000, le=1000)]
"""Currency/kWh."""
Percent = Annotated[float, Meta(ge=0, le=500)]
Words = Annotated[str, Meta(min_length=1, max_length=64)]


class Charge(Hours, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a kWh costs on top of its price at certain times of the local wall clock."""

    price: Price


class TariffSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every tariff takes; a kind adds its own and may change the defaults.

    currency: None takes that of the service (EUR where it names none); timezone: of days, charges
    and formulas, None is this computer's; charges (currency/kWh, or a list of them by time, where
    a later one wins) and tax (%): import = (price + charges) * (1 + tax/100); import_formula:
    instead of that, over price, charges, tax and the local hour, minute, weekday (1 = Monday),
    month; export (currency/kWh) or export_formula (over the same) for what is fed in.
    """

    currency: Currency | None = None
    timezone: Words | None = None
    charges: Price | tuple[Charge, ...] = 0.0
    tax: Percent = 0.0
    import_formula: str | None = None
    export: Price | None = None
    export_formula: str | None = None

    def zone(self) -> ZoneInfo:
        """The time zone of the tariff. Raises CurveError when it is not known."""
        return zone_of(self.timezone)

    def rules(self) -> Rules:
        """The rules ready for use. Raises ExpressionError or CurveError for what `check` tells."""
        charges: float | tuple[tuple[WallClock, float], ...]
        if isinstance(self.charges, tuple):
            charges = tuple((each.wall_clock(), each.price) for each in self.charges)
        else:
            charges = self.charges
        return Rules(
            self.zone(),
            charges=charges,
            tax=self.tax,
            import_formula=self.import_formula,
            export=self.export,
            export_formula=self.export_formula,
        )

    def check(self) -> Iterator[tuple[str, str]]:
        """What only the time zone's list and the parser of formulas can tell."""
        try:
            self.zone()
        except CurveError as error:
            yield "timezone", f"'timezone': {error}"
        for field in ("import_formula", "export_formula"):
            text = getattr(self, field)
            try:
                if text is not None:
                    Rules.formula(text)
            except ExpressionError as error:
                yield field, f"'{field}' cannot be used: {error}"
        if self.export is not None and self.export_formula is not None:
            yield "export", "'export' is a fixed price: leave it out beside 'export_formula'"
        if isinstance(self.charges, tuple):
            for number, each in enumerate(self.charges):
                for field, sentence in each.faults():
                    yield f"charges[{number}].{field}", sentence
