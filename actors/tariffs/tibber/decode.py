"""From the items of a home to a curve of prices, and Tibber's word for each slot. Pure.

Prices are per kWh; `total` = `energy` + `tax`. An item has no end: it lasts until the next begins.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.curve import Curve, moment, number
from bridge.curve.holes import told
from bridge.errors import CurveError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from actors.tariffs.tibber.answer import Home

_WORD: Final = re.compile(r"[a-z0-9_]{1,32}\Z")


class Level(msgspec.Struct, frozen=True):
    """Tibber's word, such as `very_cheap`, for the price of one slot."""

    start: datetime
    end: datetime
    word: str


class Reading(msgspec.Struct, frozen=True):
    """currency/kWh; `currency` None: none is named."""

    curve: Curve
    currency: str | None
    levels: tuple[Level, ...]


def read_prices(home: Home, part: str, zone: ZoneInfo) -> Reading:
    """The prices of a home: `part` is `total` or `energy`; `zone` is for sentences.

    Without any price the curve is empty and says so. Raises CurveError for what cannot be read,
    and for prices in several currencies.
    """
    raw: list[tuple[datetime, None, float | None]] = []
    words: dict[datetime, str] = {}
    currencies: set[str] = set()
    for item in home.items:
        if not isinstance(item, dict):
            raise CurveError("Tibber answers with a price that is no object")
        try:
            start = moment(item.get("startsAt"), form="iso")
            raw.append((start, None, number(item.get(part))))
        except CurveError as error:
            raise CurveError(f"Tibber's prices cannot be used: {error}") from None
        if isinstance(currency := item.get("currency"), str) and currency:
            currencies.add(currency)
        if (word := _word(item.get("level"))) is not None:
            words[start] = word
    if len(currencies) > 1:
        names = " and ".join(sorted(currencies))
        raise CurveError(f"Tibber's prices are partly in {names}, and are not used")
    curve = Curve.of(raw)
    notes = (*curve.notes, *told(curve, zone))
    if not len(curve):
        notes = (*notes, "Tibber has no prices for this home at present")
    levels = tuple(
        Level(slot.start, slot.end, words[slot.start]) for slot in curve if slot.start in words
    )
    return Reading(Curve(curve.slots, notes), next(iter(currencies), None), levels)


def _word(raw: Any) -> str | None:
    found = raw.lower() if isinstance(raw, str) else ""
    return found if _WORD.match(found) else None
