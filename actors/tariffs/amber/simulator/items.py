"""The items of a simulated Amber: intervals of prices and usage, renewables, sites. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.history import MARKET
from actors.tariffs.amber.simulator.market import (
    Market,
    descriptor,
    noise,
    price,
    spike,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SITE: Final = "01HSZYE7N4V0HELIOGRAPH0001"
CLOSED: Final = "01GSZYE7N4V0HELIOGRAPH0002"
CHANNELS: Final = ("general", "controlledLoad", "feedIn")
ORDERS: Final = ("documented", "reversed", "mixed")
_METERS: Final = {"general": "E1", "controlledLoad": "E2", "feedIn": "B1"}


@dataclass
class House:
    """What the one active site has, and what the service tells of it.

    length: minutes of an interval; channels: of CHANNELS; order: of ORDERS; late: s until a new
    interval is shown; settled: s until its price is final, None: never; horizon: h of forecasts;
    bands: predictions and ranges are told.
    """

    length: int = 30
    channels: tuple[str, ...] = ("general", "feedIn")
    order: str = "documented"
    late: float = 25.0
    settled: float | None = 45.0
    horizon: float = 48.0
    bands: bool = True
    market: Market = field(default_factory=Market)

    # ---------------------------------------------------------------- prices

    def current(self, now: datetime, length: int, before: int, after: int) -> list[dict[str, Any]]:
        """The current interval of each channel with those before and after it."""
        step = timedelta(minutes=length)
        shown = floor(now - timedelta(seconds=self.late), length)
        most = int(self.horizon * 60 / length)
        starts = [shown + number * step for number in range(-before, min(after, most) + 1)]
        return self.ordered(self.items(starts, length, shown, now))

    def of_days(self, first: datetime, last: datetime, now: datetime, length: int) -> list[Any]:
        """All intervals from one moment to another, as far as there are any."""
        step = timedelta(minutes=length)
        shown = floor(now - timedelta(seconds=self.late), length)
        last = min(last, shown + timedelta(hours=self.horizon))
        starts = []
        while first < last:
            starts.append(first)
            first += step
        return self.ordered(self.items(starts, length, shown, now))

    def items(
        self, starts: Iterable[datetime], length: int, shown: datetime, now: datetime
    ) -> list[dict[str, Any]]:
        """One item for each channel and start; `shown` is the interval that is called current."""
        starts = list(starts)
        return [
            self._item(channel, start, length, shown, now)
            for channel in self.channels
            for start in starts
        ]

    def _item(
        self, channel: str, start: datetime, length: int, shown: datetime, now: datetime
    ) -> dict[str, Any]:
        end = start + timedelta(minutes=length)
        kind = "Actual" if start < shown else "Current" if start == shown else "Forecast"
        spot = self.market.spot(start, end)
        passed = (now - start).total_seconds()
        open_ = self.settled is None or passed < self.settled
        if kind == "Forecast":
            spot *= 1 + 0.05 * noise(now, 3)
        elif kind == "Current" and open_:
            spot += 0.4 * noise(now, 4)
        item = {"type": f"{kind}Interval", **times(start, end), **self._worth(channel, spot, start)}
        if kind == "Current":
            item["estimate"] = open_
        if kind == "Forecast" and self.bands:
            item |= _band(channel, spot, start)
        return item

    def _worth(self, channel: str, spot: float, start: datetime) -> dict[str, Any]:
        paid = price(channel, spot, start)
        item: dict[str, Any] = {
            "perKwh": paid,
            "spotPerKwh": round(spot, 5),
            "renewables": self.market.renewables(start),
            "channelType": channel,
            "spikeStatus": spike(spot),
            "descriptor": descriptor(price("general", spot, start)),
        }
        if channel != "feedIn":
            item["tariffInformation"] = _tariff(start)
        return item

    def ordered(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """In the order that this service happens to have."""
        if self.order == "reversed":
            return items[::-1]
        if self.order == "mixed":
            return sorted(items, key=lambda each: (each["startTime"], noise_of(each)))
        return items

    # ---------------------------------------------------------------- usage, sites

    def usage(self, first: datetime, last: datetime, now: datetime) -> list[dict[str, Any]]:
        """What the meters have counted, known a day later; half of the solar power is fed in."""
        step = timedelta(minutes=self.length)
        items = []
        while first < min(last, now - timedelta(days=1)):
            end = first + step
            for channel in self.channels:
                worth = self._worth(channel, self.market.spot(first, end), first)
                kwh = _kwh(channel, first) * self.length / 30
                old = now - first > timedelta(days=3)
                items.append(
                    {
                        "type": "Usage",
                        **times(first, end),
                        **worth,
                        "channelIdentifier": _METERS[channel],
                        "kwh": round(kwh, 3),
                        "quality": "billable" if old else "estimated",
                        "cost": round(abs(kwh) * worth["perKwh"], 4),
                    }
                )
            first = end
        return self.ordered(items)

    def sites(self) -> list[dict[str, Any]]:
        """The active site, and one that the customer has moved out of."""
        channels = [
            {"identifier": _METERS[each], "type": each, "tariff": "EA116"} for each in self.channels
        ]
        common = {"network": "Ausgrid"}
        closed = {"status": "closed", "activeFrom": "2022-01-01", "closedOn": "2025-02-28"}
        active = {"status": "active", "activeFrom": "2025-03-01", "intervalLength": self.length}
        return [
            {"id": CLOSED, "nmi": "3000000002", "channels": channels[:1], **common, **closed},
            {"id": SITE, "nmi": "3000000001", "channels": channels, **common, **active},
        ]


def renewables(market: Market, now: datetime, length: int, before: int, after: int) -> list[Any]:
    """The share of renewables around now."""
    step, shown = timedelta(minutes=length), floor(now, length)
    found = []
    for number in range(-before, after + 1):
        kind = "Actual" if number < 0 else "Current" if number == 0 else "Forecast"
        start = shown + number * step
        share = market.renewables(start)
        words = ((30, "worst"), (40, "notGreat"), (55, "ok"), (70, "great"))
        word = next((word for bound, word in words if share < bound), "best")
        times_ = times(start, start + step)
        found.append(
            {"type": f"{kind}Renewable", **times_, "renewables": share, "descriptor": word}
        )
    return found


def floor(moment: datetime, minutes: int) -> datetime:
    """The start of the interval that the moment is in, in the market's time."""
    local = moment.astimezone(MARKET)
    since = local.hour * 60 + local.minute
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(minutes=since - since % minutes)


def noise_of(item: dict[str, Any]) -> int:
    """An order of channels that changes from interval to interval."""
    return sum(map(ord, item["channelType"] + item["startTime"])) * 31 % 7


def _band(channel: str, spot: float, start: datetime) -> dict[str, Any]:
    """For feeding in the low one is above the high one, as in the real service."""
    low, middle, high = (price(channel, spot * factor, start) for factor in (0.9, 0.97, 1.2))
    found: dict[str, Any] = {"advancedPrice": {"low": low, "predicted": middle, "high": high}}
    if spot > 100:
        found["range"] = {"min": round(spot * 0.5, 5), "max": round(spot * 1.6, 5)}
    return found


def _tariff(start: datetime) -> dict[str, Any]:
    hour = start.astimezone(MARKET).hour
    peak, sponge = 15 <= hour < 21, 10 <= hour < 15
    period = "peak" if peak else "solarSponge" if sponge else "offPeak"
    return {"period": period, "demandWindow": peak}


def _kwh(channel: str, start: datetime) -> float:
    hour = start.astimezone(MARKET).hour
    if channel == "feedIn":
        return -1.1 if 9 <= hour < 16 else 0.0
    if channel == "controlledLoad":
        return 1.2 if hour < 4 else 0.0
    return 0.1 if 9 <= hour < 16 else 0.35
