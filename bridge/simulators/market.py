"""A simulated market of electricity: scripted days, published the day before. Pure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from bridge.curve.days import day_of, local_day, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

PRICES: Final = ("usual", "negative", "flat")
DATA_FAULTS: Final = {
    "nulls": "gives no value for a few hours of each day, but null",
    "strings": "sends its numbers as texts",
    "gap": "leaves a few hours of each day out",
    "overlap": "gives two values for one time",
    "duplicates": "sends everything twice",
    "shuffled": "sends everything in any order",
    "hourly_then_quarter": "changes from hours to quarter hours at noon",
    "second_holes": "begins each slot one second late",
    "currency": "has changed to another currency",
    "empty": "has nothing for tomorrow, not even late",
}
_HOUR: Final = timedelta(hours=1)
_QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Item:
    """One slot as it is sent; `value` per MWh, or what a fault makes of it."""

    start: datetime
    end: datetime
    value: float | str | None


@dataclass(slots=True)
class Market:
    """zone: of its days; minutes: length of a slot; published: local time (h) at which tomorrow
    appears, `late` s later; prices: usual, negative (at noon) or flat; missing: days without any.
    """  # noqa: D205 - one sentence

    zone: ZoneInfo = field(default_factory=lambda: zone_of("Europe/Berlin"))
    minutes: int = 15
    published: float = 12.75
    late: float = 0.0
    prices: str = "usual"
    missing: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.prices not in PRICES:
            raise ValueError(f"prices is one of {', '.join(PRICES)}")

    def days(self, now: datetime, fault: str | None = None) -> list[date]:
        """The days that are published at `now`: yesterday, today, and at times tomorrow."""
        today = day_of(now, self.zone)
        hour, minute = divmod(round(self.published * 60), 60)
        appears = datetime.combine(today, time(hour, minute), self.zone)
        known = [today - timedelta(days=1), today]
        if now >= appears + timedelta(seconds=self.late) and fault != "empty":
            known.append(today + timedelta(days=1))
        return [day for day in known if day not in self.missing]

    def items(self, day: date, fault: str | None = None) -> list[Item]:
        """All slots of a day, in order but for a fault."""
        start, end = local_day(day, self.zone)
        step = timedelta(minutes=self.minutes)
        found: list[Item] = []
        while start < end:
            length = step
            if fault == "hourly_then_quarter":
                early = start < local_day(day, self.zone)[0] + 12 * _HOUR
                length = _HOUR if early else _QUARTER
            found.append(Item(start, start + length, self.price(start)))
            start += length
        return spoiled(found, fault)

    def price(self, moment: datetime) -> float:
        """The price per MWh at a moment, the same each time it is asked for."""
        if self.prices == "flat":
            return 80.0
        local = moment.astimezone(self.zone)
        hour = local.hour + local.minute / 60
        low = -35.0 if self.prices == "negative" else 42.0
        noon = math.exp(-(((hour - 13) / 2.6) ** 2))
        evening = math.exp(-(((hour - 18.5) / 1.8) ** 2))
        wiggle = (moment.timestamp() // 900) * 7 % 31 / 10
        return round(86 + 60 * evening - (86 - low) * noon + wiggle, 2)


def spoiled(items: list[Item], fault: str | None) -> list[Item]:
    """What a fault of the data makes of good items."""
    spoilers: dict[str, Callable[[], list[Item]]] = {
        "nulls": lambda: [_put(each, None) if _soon(items, each) else each for each in items],
        "strings": lambda: [_put(each, str(each.value)) for each in items],
        "gap": lambda: [each for each in items if not _soon(items, each)],
        "overlap": lambda: [*items, *(_put(each, 999.0) for each in items if _soon(items, each))],
        "duplicates": lambda: [*items, *items],
        "shuffled": lambda: random.Random(7).sample(items, len(items)),  # noqa: S311
        "second_holes": lambda: [
            replace(each, start=each.start + timedelta(seconds=1)) for each in items
        ],
    }
    make = spoilers.get(fault or "")
    return make() if make else items


def _put(item: Item, value: float | str | None) -> Item:
    return replace(item, value=value)


def _soon(items: list[Item], item: Item) -> bool:
    """In the third and fourth hour of the day."""
    begin = items[0].start
    return begin + 2 * _HOUR <= item.start < begin + 4 * _HOUR
