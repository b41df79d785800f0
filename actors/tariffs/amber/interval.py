"""What Amber tells about one interval of one channel, read into one form. Pure.

Its own units and signs: cents per kWh incl. GST, what the customer pays. Feeding in therefore has
negative prices when it earns, and positive ones when it costs. A start is one second late there;
here it is not. The length is each interval's own: the services gives 5, 15 and 30 minutes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.curve import moment, number
from bridge.errors import CurveError, DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GENERAL: Final = "general"
CONTROLLED: Final = "controlledLoad"
FEED_IN: Final = "feedIn"
CHANNELS: Final = (GENERAL, CONTROLLED, FEED_IN)
ACTUAL, CURRENT, FORECAST = "actual", "current", "forecast"
SPIKES: Final = ("none", "potential", "spike")
DESCRIPTORS: Final = ("negative", "extremelyLow", "veryLow", "low", "neutral", "high", "spike")
_KINDS: Final = {"Actual": ACTUAL, "Current": CURRENT, "Forecast": FORECAST, "Usage": "usage"}
_HALF_MINUTE: Final = timedelta(seconds=30)


class Band(msgspec.Struct, frozen=True):
    """What a price may become, c/kWh; `low` is the smallest of the three, whatever the sign."""

    low: float | None
    predicted: float | None
    high: float | None


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of one channel, or of a state's renewables (`channel` is empty then).

    kind: actual, current, forecast or usage, empty where it is of another kind; day: of the market;
    price, spot: c/kWh incl. GST; renewables: %; band: of the prediction with all fees; lowest,
    highest: of the spot price in volatile times; estimate: the price may still change; kwh: + =
    from the grid; cost: c, - = earned. None is what was not told.
    """

    kind: str
    channel: str
    start: datetime
    end: datetime
    day: date | None = None
    price: float | None = None
    spot: float | None = None
    renewables: float | None = None
    spike: str | None = None
    descriptor: str | None = None
    estimate: bool | None = None
    period: str | None = None
    season: str | None = None
    block: int | None = None
    demand_window: bool | None = None
    lowest: float | None = None
    highest: float | None = None
    band: Band | None = None
    meter: str | None = None
    kwh: float | None = None
    quality: str | None = None
    cost: float | None = None

    @property
    def minutes(self) -> int:
        """How long it is."""
        return round((self.end - self.start).total_seconds() / 60)

    @property
    def final(self) -> bool:
        """Whether its price stands: a forecast's does not, even when its time has come."""
        return self.kind != FORECAST and self.estimate is not True


def read_intervals(raw: Any) -> list[Interval]:
    """Prices or usage in the order channel, start; channels that are not known are left out.

    Raises DeviceGarbled.
    """
    found = [
        _interval(each, each["channelType"])
        for each in _items(raw, "prices")
        if each.get("channelType") in CHANNELS
    ]
    return sorted(found, key=lambda each: (CHANNELS.index(each.channel), each.start))


def read_renewables(raw: Any) -> list[Interval]:
    """The renewables of a state in the order of time. Raises DeviceGarbled."""
    found = [_interval(each, "") for each in _items(raw, "renewables")]
    return sorted(found, key=lambda each: each.start)


def of_channel(intervals: Iterable[Interval], channel: str) -> list[Interval]:
    """Those of one channel, in the order they have."""
    return [each for each in intervals if each.channel == channel]


def interval_at(intervals: Iterable[Interval], now: datetime) -> Interval | None:
    """The one that `now` is in, by its own start and end and not by its name."""
    return next((each for each in intervals if each.start <= now < each.end), None)


def _items(raw: Any, what: str) -> list[Mapping[str, Any]]:
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise DeviceGarbled(f"Amber answers with something else than a list of {what}")
    return raw


def _interval(raw: Mapping[str, Any], channel: str) -> Interval:
    try:
        start, end = _times(raw)
        tariff = _object(raw, "tariffInformation")
        bounds = _object(raw, "range")
        return Interval(
            kind=_kind(raw.get("type")),
            channel=channel,
            start=start,
            end=end,
            day=_day(raw.get("date")),
            price=number(raw.get("perKwh")),
            spot=number(raw.get("spotPerKwh")),
            renewables=number(raw.get("renewables")),
            spike=_word(raw, "spikeStatus"),
            descriptor=_word(raw, "descriptor"),
            estimate=_flag(raw, "estimate"),
            period=_word(tariff, "period"),
            season=_word(tariff, "season"),
            block=_whole(tariff.get("block")),
            demand_window=_flag(tariff, "demandWindow"),
            lowest=number(bounds.get("min")),
            highest=number(bounds.get("max")),
            band=_band(raw.get("advancedPrice")),
            meter=_word(raw, "channelIdentifier"),
            kwh=number(raw.get("kwh")),
            quality=_word(raw, "quality"),
            cost=number(raw.get("cost")),
        )
    except CurveError as error:
        raise DeviceGarbled(f"Amber answers with an interval in which {error}") from None


def _times(raw: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Start and end to the full minute; what is missing follows from the rest."""
    end = _moment(raw.get("endTime")) or _moment(raw.get("nemTime"))
    start = _moment(raw.get("startTime"))
    length = number(raw.get("duration"))
    step = timedelta(minutes=length) if length is not None and 0 < length <= 1440 else None  # noqa: PLR2004 - a day
    if start is not None:
        start = start.replace(second=0, microsecond=0)
    if end is not None:
        end = (end + _HALF_MINUTE).replace(second=0, microsecond=0)
    if step is not None:
        start = start or (end and end - step)
        end = end or (start and start + step)
    if start is None or end is None:
        raise CurveError("the time is missing")
    if end <= start:
        raise CurveError("the end is not after the start")
    return start, end


def _moment(raw: Any) -> datetime | None:
    return None if raw in (None, "") else moment(raw, form="iso").astimezone(UTC)


def _day(raw: Any) -> date | None:
    try:
        return date.fromisoformat(raw)
    except (TypeError, ValueError):
        return None


def _kind(raw: Any) -> str:
    """`ActualInterval` and `ActualRenewable` are both actual."""
    text = raw if isinstance(raw, str) else ""
    return next((kind for mark, kind in _KINDS.items() if text.startswith(mark)), "")


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def _word(raw: Mapping[str, Any], name: str) -> str | None:
    found = raw.get(name)
    return found if isinstance(found, str) and found else None


def _flag(raw: Mapping[str, Any], name: str) -> bool | None:
    found = raw.get(name)
    return found if isinstance(found, bool) else None


def _whole(raw: Any) -> int | None:
    found = number(raw)
    return None if found is None else int(found)


def _band(raw: Any) -> Band | None:
    """Feeding in, the service's low is above its high: the sign was turned around."""
    if not isinstance(raw, dict):
        return None
    low, high = number(raw.get("low")), number(raw.get("high"))
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    return Band(low, number(raw.get("predicted")), high)
