"""The market that a simulated Amber sells from: the same price for the same moment, always. Pure.

All in the market's own time, which has no daylight saving: a day always has 288 five minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.history import MARKET

if TYPE_CHECKING:
    from collections.abc import Sequence

DISPATCH: Final = timedelta(minutes=5)
DAYS: Final = ("usual", "negative", "spike", "flat")
_ORIGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
_PEAK: Final = (15, 21)
_SUN: Final = (10, 15)
_SHARES: Final = {"general": 1.0, "controlledLoad": 0.6}


def noise(moment: datetime, salt: int = 0) -> float:
    """From -1 to 1, different for each five minutes and the same each time."""
    number = int((moment - _ORIGIN).total_seconds() // 300) * 7919 + salt * 104_729
    return math.sin(number * 12.9898) * math.cos(number * 0.378_1)


@dataclass(frozen=True)
class Market:
    """days: the kinds of day, one after the other, over and over; growth of noise: c/kWh."""

    days: Sequence[str] = ("usual",)
    roughness: float = 0.8

    def kind_of(self, moment: datetime) -> str:
        """What kind of day it is."""
        return self.days[moment.astimezone(MARKET).toordinal() % len(self.days)]

    def spot(self, start: datetime, end: datetime) -> float:
        """The wholesale price of an interval, c/kWh: the mean of its five minutes."""
        steps = max(1, round((end - start) / DISPATCH))
        prices = [self._dispatch(start + number * DISPATCH) for number in range(steps)]
        return sum(prices) / steps

    def _dispatch(self, moment: datetime) -> float:
        local = moment.astimezone(MARKET)
        hour = local.hour + local.minute / 60
        kind = self.kind_of(moment)
        if kind == "flat":
            return 10.0
        price = 9.0 + 5.0 * math.exp(-((hour - 7.5) ** 2) / 2) + 14.0 * _evening(hour)
        price -= 7.0 * math.exp(-((hour - 12.5) ** 2) / 5)
        if kind == "negative" and _SUN[0] <= hour < _SUN[1]:
            price = -4.0 - 6.0 * math.sin(math.pi * (hour - _SUN[0]) / (_SUN[1] - _SUN[0]))
        if kind == "spike" and 18 <= hour < 19:
            price = 1750.0 if local.minute < 30 else 320.0
        return price + self.roughness * noise(moment)

    def renewables(self, moment: datetime) -> float:
        """Share of the grid, %."""
        local = moment.astimezone(MARKET)
        sun = math.exp(-((local.hour + local.minute / 60 - 12.5) ** 2) / 12)
        return round(28 + 52 * sun + 4 * noise(moment, 1), 2)


def _evening(hour: float) -> float:
    return math.exp(-((hour - 18.5) ** 2) / 3)


def price(channel: str, spot: float, start: datetime) -> float:
    """What a kWh costs the customer on that channel, c incl. GST; feeding in - = earned."""
    if channel == "feedIn":
        return round(-(0.93 * spot - 1.2), 5)
    network = 18.0 if _PEAK[0] <= start.astimezone(MARKET).hour < _PEAK[1] else 7.6
    return round(1.07 * spot + _SHARES[channel] * network + 1.3, 5)


def descriptor(paid: float) -> str:
    """Amber's word for a price, c/kWh."""
    bounds = ((0, "extremelyLow"), (10, "extremelyLow"), (20, "veryLow"), (28, "low"))
    for bound, word in (*bounds, (38, "neutral"), (150, "high")):
        if paid < bound:
            return word
    return "spike"


def spike(spot: float) -> str:
    """Amber's word for how near a spike is."""
    return "spike" if spot > 1000 else "potential" if spot > 100 else "none"


def told(moment: datetime) -> str:
    """A moment as the service writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def times(start: datetime, end: datetime) -> dict[str, Any]:
    """What all items say about their time; the start is one second late, as in the real service."""
    market = end.astimezone(MARKET)
    return {
        "duration": round((end - start).total_seconds() / 60),
        "date": f"{start.astimezone(MARKET):%Y-%m-%d}",
        "startTime": told(start + timedelta(seconds=1)),
        "endTime": told(end),
        "nemTime": f"{market:%Y-%m-%dT%H:%M:%S}+10:00",
    }
