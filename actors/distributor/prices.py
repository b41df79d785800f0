"""What a kWh costs and brings now, by the tariff that the owner names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.curve.heard import value_at
from bridge.curve.listen import CurveInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.actor import Actor
    from bridge.ports import Input

_NAMES: Final = {"import": "ImportPrice", "export": "ExportPrice"}
# A tariff that starts together with us may have to ask its service first.
_GRACE: Final = 30.0


class TariffPrices:
    """The slot of the curve that lasts now, else the price as told live; else nothing.

    A curve carries its own times, so that a retained one counts as long as its slots last; a plain
    price that is retained has an unknown age and does not count.
    """

    def __init__(self, actor: Actor, tariff: str, news: Callable[[], None]) -> None:
        self._actor, self._tariff = actor, tariff
        self._curve = CurveInput(actor, f"the tariff {tariff}", *_NAMES, news=news)
        self._told: dict[str, Input] = {}
        self._since = actor.clock.now()

    async def start(self) -> None:
        """Listen."""
        await self._curve.start("Tariffs/{tariff}/Curve", tariff=self._tariff)
        for name, value in _NAMES.items():
            self._told[name] = await self._actor.input(
                "Tariffs/{tariff}/{Value}", tariff=self._tariff, Value=value
            )

    def now(self) -> tuple[float | None, float | None]:
        """(import, export) per kWh; None where the tariff does not tell it now."""
        return self._price("import"), self._price("export")

    def _price(self, name: str) -> float | None:
        rows = self._curve.rows(name)
        price = None if rows is None else value_at(rows, self._actor.clock.utc())
        if price is None and name in self._told:
            told = self._told[name].read()
            price = float(told.value) if told.fresh else None
        return price

    def sentences(self, imported: float, exported: float) -> tuple[str, str | None]:
        """(whose prices hold, what is wrong or None); the arguments are the settings' prices.

        A tariff that knows nothing of feeding in is as it should be.
        """
        bought, sold = self.now()
        who = f"the tariff {self._tariff}"
        if bought is not None:
            rest = "" if sold is not None else f", that for feeding in is {exported:g} as set"
            return f"the price per kWh is that of {who}{rest}", None
        instead = f"{imported:g} for import"
        if sold is None:
            instead += f" and {exported:g} for feeding in"
        why = self._curve.why or f"{who} does not tell a price for now"
        known = f"the price per kWh is {instead}, as set"
        if self._actor.clock.now() < self._since + _GRACE:
            return known, None
        return known, f"{why}; {known}"
