"""What a Sessy plans by its dynamic prices: W and currency/kWh by time, in both dialects. Pure.

The newer page has spans in unix seconds, the older one a list of hours for each date. A price is in
0.00001 of the currency per kWh; power is + = discharge, as everywhere on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from actors.devices.sessy.numbers import number, word
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_PRICE = 1e-5
_PRICE_DIGITS = 5
_HOURS = 25  # of the longest day


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`: W that is planned (+ = discharge), the price; None = unknown."""

    start: datetime
    end: datetime
    power: float | None = None
    price: float | None = None


def plan(found: Any, zone: tzinfo | None = None) -> list[Span]:
    """Read `dynamic/schedule`, old or new. `zone`: of the older one's hours (None: this machine's).

    Raises DeviceGarbled, to follow the device's name.
    """
    if not isinstance(found, dict) or not {"dynamic_schedule", "power_strategy"} & set(found):
        raise DeviceGarbled("answers with something else than its plan")
    if "dynamic_schedule" in found:
        powers = dict(_spans(found["dynamic_schedule"], "power", 1.0))
        prices = dict(_spans(found.get("energy_prices"), "price", _PRICE))
    else:
        powers = dict(_days(found["power_strategy"], "power", 1.0, zone))
        prices = dict(_days(found.get("energy_prices"), "energy_prices", _PRICE, zone))
    return [
        Span(start, end, powers.get((start, end)), _rounded(prices.get((start, end))))
        for start, end in sorted({*powers, *prices})
    ]


_Told = tuple[tuple[datetime, datetime], float | None]


def _rounded(price: float | None) -> float | None:
    return None if price is None else round(price, _PRICE_DIGITS)


def _spans(found: Any, key: str, scale: float) -> Iterator[_Told]:
    for each in found if isinstance(found, list) else []:
        start, end = _moment(number(each, "start_time")), _moment(number(each, "end_time"))
        if start is None or end is None or end <= start:
            raise DeviceGarbled("has a plan without times")
        yield (start, end), number(each, key, scale)


def _moment(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _days(found: Any, key: str, scale: float, zone: tzinfo | None) -> Iterator[_Told]:
    for each in found if isinstance(found, list) else []:
        try:
            day = date.fromisoformat(word(each, "date") or "")
        except ValueError:
            raise DeviceGarbled("has a plan without dates") from None
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        # Hours that pass, also on the two days of the year that do not have 24 of them.
        begin = (midnight if zone is not None else midnight.astimezone()).astimezone(UTC)
        values = each.get(key)
        for hour, value in enumerate(values[:_HOURS] if isinstance(values, list) else []):
            start = begin + timedelta(hours=hour)
            yield (start, start + timedelta(hours=1)), number({key: value}, key, scale)
