"""What can be wrong with the documents of a simulated ENTSO-E, made on purpose. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.simulators.web import WEB_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

FAULTS: Final = {
    **WEB_FAULTS,
    "login": "refuses every token (401)",
    "question": "says that the question is wrong, and shows the token in it (400)",
    "nothing": "has no prices (200)",
    "nothing_400": "has no prices (400)",
    "truncated": "sends half of a document as if it were whole",
    "entities": "sends a document type with entities",
    "other": "sends a document of another kind",
    "nulls": "sends empty prices",
    "words": "sends words instead of prices",
    "gap": "leaves an hour out, and does not mean to repeat",
    "overlap": "sends a second series with other prices for some of the time",
    "phantom": "has more positions than fit into the day",
    "currency": "has changed to zloty",
    "unit": "counts in kilowatt-hours",
    "elsewhere": "sends the prices of another zone",
}
QUIRKS: Final = {
    "a03": "leaves out what repeats",
    "duplicates": "sends everything twice",
    "shuffled": "sends points in no order",
    "hours_too": "sends hours beside the quarter-hours",
    "auctions": "sends further auctions with other prices, and first",
    "intraday": "sends intraday prices too",
    "periods": "cuts each day into two periods",
}
_GAP: Final = range(21, 25)
_TWICE: Final = range(31, 35)


class Block(msgspec.Struct, frozen=True):
    """One series with one period. points: (position, price), the price as it is written."""

    start: datetime
    end: datetime
    resolution: str
    points: tuple[tuple[int, str], ...]
    position: int = 1
    curve: str = "A01"
    currency: str = "EUR"
    unit: str = "MWH"
    zone: str | None = None
    contract: str = "A01"


def spoilt(fault: str | None, blocks: list[Block]) -> list[Block]:
    """What a fault makes of good series."""
    replace = msgspec.structs.replace

    def priced(text: str) -> list[Block]:
        return [
            replace(each, points=tuple((place, text) for place, _ in each.points))
            for each in blocks
        ]

    spoilers: dict[str, Callable[[], list[Block]]] = {
        "nulls": lambda: priced(""),
        "words": lambda: priced("cheap"),
        "gap": lambda: [
            replace(each, curve="A01", points=_without(each.points, _GAP)) for each in blocks
        ],
        "overlap": lambda: [
            *blocks,
            *(
                replace(each, curve="A01", points=tuple((place, "999.9") for place in _TWICE))
                for each in blocks
            ),
        ],
        "phantom": lambda: [
            replace(each, points=(*each.points, (len(each.points) + 200, "1.0"))) for each in blocks
        ],
        "currency": lambda: [replace(each, currency="PLN") for each in blocks],
        "unit": lambda: [replace(each, unit="KWH") for each in blocks],
        "elsewhere": lambda: [replace(each, zone="10YFI-1--------U") for each in blocks],
    }
    make = spoilers.get(fault or "")
    return make() if make else blocks


def quirky(quirks: Collection[str], blocks: list[Block], hours: list[Block]) -> list[Block]:
    """What quirks make of good series; `hours` is the same market in hours."""
    replace = msgspec.structs.replace
    found = blocks
    if "periods" in quirks:
        found = [half for each in found for half in _halves(each)]
    if "a03" in quirks:
        found = [replace(each, curve="A03", points=_shortened(each.points)) for each in found]
    if "hours_too" in quirks:
        found = [*hours, *found]
    if "auctions" in quirks:
        found = [*(_dearer(each, position=2) for each in blocks), *found]
    if "intraday" in quirks:
        found = [*(_dearer(each, contract="A07") for each in blocks), *found]
    if "duplicates" in quirks:
        found = [*found, *found]
    if "shuffled" in quirks:
        found = [
            replace(each, points=tuple(sorted(each.points, key=lambda point: str(point)[::-1])))
            for each in found
        ]
    return found


def _without(points: tuple[tuple[int, str], ...], left_out: range) -> tuple[tuple[int, str], ...]:
    return tuple(point for point in points if point[0] not in left_out)


def _shortened(points: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    """Without the points that have the price of the one before."""
    return tuple(
        point for place, point in enumerate(points) if not place or point[1] != points[place - 1][1]
    )


def _dearer(block: Block, *, position: int = 1, contract: str = "A01") -> Block:
    points = tuple((place, f"{float(price) + 100:.2f}") for place, price in block.points)
    return msgspec.structs.replace(block, points=points, position=position, contract=contract)


def _halves(block: Block) -> list[Block]:
    replace = msgspec.structs.replace
    count = len(block.points)
    half = count // 2
    middle = block.start + (block.end - block.start) / count * half
    second = tuple((place - half, price) for place, price in block.points[half:])
    return [
        replace(block, end=middle, points=block.points[:half]),
        replace(block, start=middle, points=second),
    ]
