"""What can be wrong with the prices of a simulated Tibber, made on purpose. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bridge.simulators.web import WEB_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Items = list[dict[str, Any]]

FAULTS: Final = {
    **WEB_FAULTS,
    "login": "refuses every token",
    "no_contract": "has no contract for any home",
    "question": "does not understand any question (400)",
    "inside": "answers that it failed inside, as if all were well (200)",
    "other": "answers with an error that nobody knows, and shows the token in it",
    "empty": "has no prices",
    "nulls": "sends null for every price",
    "words": "sends words instead of prices",
    "gap": "leaves an hour out",
    "overlap": "sends two prices for one quarter-hour",
    "currency": "changes the currency in the middle of the day",
    "naive": "leaves the offset from UTC out",
}
QUIRKS: Final = {
    "strings": "sends its numbers as texts",
    "duplicates": "sends everything twice",
    "shuffled": "sends the prices in no order",
    "seconds": "begins each slot a second late",
    "mixed": "sends today in hours and tomorrow in quarter-hours",
}
_NUMBERS: Final = ("total", "energy", "tax")
_GAP: Final = slice(20, 24)
_TWICE: Final = 30


def spoilt(fault: str | None, quirks: Collection[str], items: Items, day: str) -> Items:
    """What a fault and quirks make of the good items of `today` or `tomorrow`."""
    spoilers: dict[str, Callable[[], Items]] = {
        "empty": list,
        "nulls": lambda: [each | dict.fromkeys(_NUMBERS) for each in items],
        "words": lambda: [each | dict.fromkeys(_NUMBERS, "cheap") for each in items],
        "gap": lambda: [*items[: _GAP.start], *items[_GAP.stop :]],
        "overlap": lambda: [
            *items,
            *({**each, "total": 9.0, "energy": 8.0} for each in items[_TWICE : _TWICE + 1]),
        ],
        "currency": lambda: [
            each | {"currency": "SEK"} if place > _TWICE else each
            for place, each in enumerate(items)
        ],
        "naive": lambda: [each | {"startsAt": each["startsAt"][:19]} for each in items],
    }
    make = spoilers.get(fault or "")
    return _quirky(quirks, make() if make else items, day)


def _quirky(quirks: Collection[str], items: Items, day: str) -> Items:
    found = items
    if "mixed" in quirks and day == "today":
        found = found[::4]
    if "seconds" in quirks:
        found = [each | {"startsAt": _later(each["startsAt"])} for each in found]
    if "strings" in quirks:
        found = [each | {name: str(each[name]) for name in _NUMBERS} for each in found]
    if "duplicates" in quirks:
        found = [*found, *found]
    if "shuffled" in quirks:
        found = sorted(found, key=lambda each: each["startsAt"][::-1])
    return found


def _later(stamp: str) -> str:
    return (datetime.fromisoformat(stamp) + timedelta(seconds=1)).isoformat(timespec="milliseconds")
