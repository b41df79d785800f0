"""From intervals to price curves, in dollars and with our signs. Pure.

Importing costs what Amber tells for the channel; exporting earns what it tells for feeding in with
the sign turned around, so that + is income.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.tariffs.amber.interval import FEED_IN, FORECAST, of_channel
from bridge.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from actors.tariffs.amber.interval import Interval

CENTS: Final = 100


def import_curve(intervals: Iterable[Interval], channel: str, *, predicted: bool) -> Curve:
    """What a kWh of that channel costs, AUD. Raises CurveError when nothing can be used.

    `predicted`: forecasts are Amber's own prediction of the price where it gives one.
    """
    found = of_channel(intervals, channel)
    return _curve(found, predicted=predicted, sign=1, what="import prices")


def export_curve(intervals: Iterable[Interval], *, predicted: bool) -> Curve | None:
    """What a kWh fed in earns, AUD; None for a house without a feed-in channel."""
    found = of_channel(intervals, FEED_IN)
    if not found:
        return None
    return _curve(found, predicted=predicted, sign=-1, what="export prices")


def cents(interval: Interval, *, predicted: bool) -> float | None:
    """The price that counts, c/kWh: for a forecast the prediction, where wanted and given."""
    if predicted and interval.kind == FORECAST and interval.band is not None:
        found = interval.band.predicted
        return interval.price if found is None else found
    return interval.price


def shortest(intervals: Iterable[Interval]) -> timedelta | None:
    """The shortest interval that there is."""
    return min((each.end - each.start for each in intervals), default=None)


def _curve(intervals: Sequence[Interval], *, predicted: bool, sign: int, what: str) -> Curve:
    def value(each: Interval) -> float | None:
        found = cents(each, predicted=predicted)
        # 0.0 + x: a price of nothing has no sign.
        return None if found is None else 0.0 + sign * round(found / CENTS, 6)

    return Curve.of([(each.start, each.end, value(each)) for each in intervals], what=what)
