"""Units as services write them: `EUR / MWh`, `p/kWh`, `gCO2eq/kWh`, `%`. Pure."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from bridge.errors import CurveError

_FORM: Final = re.compile(r"([A-Za-zö0-9₂]+)\s*/\s*([kMG]Wh)\Z")
_ENERGY: Final = {"kwh": 1.0, "mwh": 1e-3, "gwh": 1e-6}
# Of a currency's hundredths only those that say which currency.
_HUNDREDTHS: Final = {"p": "GBP", "öre": "SEK"}
_GRAMS: Final = {"g": 1.0, "kg": 1e3, "t": 1e6}
_CARBON: Final = re.compile(r"(kg|g|t)(co2(eq?)?|co₂(eq?)?)?\Z", re.IGNORECASE)


class Unit(msgspec.Struct, frozen=True):
    """`factor` leads to currency/kWh, g/kWh or %; `currency` is None where it is none."""

    factor: float = 1.0
    currency: str | None = None


def read_unit(text: str) -> Unit:
    """What a unit means. Raises CurveError for one that is not known."""
    if text.strip() == "%":
        return Unit()
    match = _FORM.match(text.strip())
    if match:
        what, energy = match[1], _ENERGY[match[2].lower()]
        if mass := _CARBON.match(what):
            return Unit(_GRAMS[mass[1].lower()] * energy)
        if what.lower() in _HUNDREDTHS:
            return Unit(0.01 * energy, _HUNDREDTHS[what.lower()])
        if len(what) == 3 and what.isalpha():  # noqa: PLR2004 - letters of a currency
            return Unit(energy, what.upper())
    raise CurveError(f"{text[:40]!r} is not a unit such as EUR/MWh, p/kWh or gCO2eq/kWh")
