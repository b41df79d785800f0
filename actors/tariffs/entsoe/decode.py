"""From a document of ENTSO-E to series of prices, as they are written there. Pure.

A period is an interval with a resolution and points, each with a position counted from 1. With
curve type A03 a position that is left out repeats the one before it, up to the interval's end;
with A01 it is unknown. The interval alone says how many positions there are.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.curve import moment, number
from bridge.errors import CurveError, DeviceGarbled, DeviceRefused, one_line

if TYPE_CHECKING:
    from actors.tariffs.entsoe.document import Node

RESOLUTIONS: Final = {
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(hours=1),
    "PT1H": timedelta(hours=1),
}
DAY_AHEAD: Final = "A01"
_REPEATS: Final = {"A01": False, "A03": True}
_SEQUENCE: Final = "classificationSequence_AttributeInstanceComponent.position"
_MOST_SLOTS: Final = 4 * 25 * 40
_NO_DATA: Final = "no matching data"
_ACKNOWLEDGED, _PUBLISHED = "Acknowledgement_MarketDocument", "Publication_MarketDocument"
_LONGEST: Final = 200
_POSITION: Final = re.compile(r"\d{1,6}\Z", re.ASCII)


class Period(msgspec.Struct, frozen=True):
    """The prices of one interval. values: one for each step; None is unknown."""

    start: datetime
    end: datetime
    step: timedelta
    values: tuple[float | None, ...]


class Series(msgspec.Struct, frozen=True):
    """Periods of one auction. position: 1 is the coupled market, others are further auctions;
    currency, unit: as written (EUR, MWH); zone: EIC code; faults: what was left out, in sentences.
    """  # noqa: D205 - one sentence

    position: int
    currency: str | None
    unit: str | None
    zone: str | None
    periods: tuple[Period, ...]
    faults: tuple[str, ...] = ()


def read_series(root: Node, secret: str = "") -> list[Series]:
    """All series of day-ahead prices; none when there are no data yet.

    Raises DeviceRefused with the service's own reason, without `secret`, and DeviceGarbled.
    """
    if root.name == _ACKNOWLEDGED:
        if (sentence := refusal(root, secret)) is not None:
            raise DeviceRefused(sentence)
        return []
    if root.name != _PUBLISHED:
        raise DeviceGarbled("ENTSO-E answers with another document than one of prices")
    found = [_series(node) for node in root.all("TimeSeries")]
    return [each for each in found if each is not None]


def refusal(root: Node, secret: str = "") -> str | None:
    """The sentence for a refusal; None when it only says that there are no data."""
    reasons = [
        (each.value("code") or "", one_line(each.value("text") or ""))
        for each in root.all("Reason")
    ]
    if not reasons:
        return "ENTSO-E refuses the question and gives no reason"
    code, text = reasons[0]
    if code == "999" and (not text or _NO_DATA in text.casefold()):
        return None
    if secret:
        text = text.replace(secret, "***")
    said = text[:_LONGEST].rstrip(". ") or f"reason {code}"
    return f"ENTSO-E refuses the question: {said}"


def _series(node: Node) -> Series | None:
    """None for prices that are not of the day-ahead market."""
    if (node.value("contract_MarketAgreement.type") or DAY_AHEAD) != DAY_AHEAD:
        return None
    position = node.value(_SEQUENCE) or "1"
    if not _POSITION.match(position):
        raise CurveError("ENTSO-E answers with an auction that has no number")
    curve = node.value("curveType") or "A01"
    periods: list[Period] = []
    faults: list[str] = []
    for each in node.all("Period"):
        try:
            periods.append(_period(each, curve))
        except CurveError as error:
            faults.append(f"a period is left out: {error}")
    return Series(
        position=int(position),
        currency=node.value("currency_Unit.name"),
        unit=node.value("price_Measure_Unit.name"),
        zone=node.value("in_Domain.mRID"),
        periods=tuple(periods),
        faults=tuple(faults),
    )


def _period(node: Node, curve: str) -> Period:
    if curve not in _REPEATS:
        raise CurveError(f"the curve type {one_line(curve)[:20]} is not known")
    start = moment(node.value("timeInterval", "start"), form="iso")
    end = moment(node.value("timeInterval", "end"), form="iso")
    resolution = node.value("resolution") or "none"
    step = RESOLUTIONS.get(resolution)
    if step is None:
        raise CurveError(f"the resolution {one_line(resolution)[:20]} is not known")
    count, rest = divmod(end - start, step)
    if count < 1 or rest or count > _MOST_SLOTS:
        raise CurveError(f"its interval has no whole number of {resolution}")
    given = _points(node, count)
    values: list[float | None] = []
    last: float | None = None
    for position in range(1, count + 1):
        if position in given:
            last = given[position]
        elif not _REPEATS[curve]:
            last = None
        values.append(last)
    return Period(start, end, step, tuple(values))


def _points(node: Node, count: int) -> dict[int, float | None]:
    """Price by position; None where it is empty or given twice with different prices."""
    found: dict[int, float | None] = {}
    for each in node.all("Point"):
        text = each.value("position") or ""
        if not _POSITION.match(text) or not 1 <= int(text) <= count:
            raise CurveError(f"it has a position that is not from 1 to {count}")
        position, price = int(text), number(each.value("price.amount"))
        if position in found and found[position] != price:
            price = None
        found[position] = price
    return found
