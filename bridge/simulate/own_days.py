"""Days cut from recorded values: minutes of PV and load, and what of them cannot be played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bridge.curve.days import day_of, local_day
from bridge.simulate.day import Day
from bridge.simulate.history import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from bridge.simulate.history import Values

MINUTE: Final = 60
# A value holds until the next one; so long without any, nobody knows how the house was.
_GAP: Final = 1900.0
_SHORTEST: Final = 60


@dataclass(frozen=True, slots=True)
class OwnDay:
    """One local day. `first`: the first minute after midnight that is known; `soc`: % then."""

    name: str
    day: Day
    first: int
    minutes: int
    soc: float | None


def cut(
    history: Mapping[float, Values], prices: tuple[float, float], zone: ZoneInfo
) -> tuple[list[OwnDay], list[str]]:
    """The days that can be played, and a sentence for each that cannot, or only in part.

    `prices`: import and export per kWh where the recording has none.
    """
    by_date: dict[date, list[tuple[float, Values]]] = {}
    for at, values in history.items():
        by_date.setdefault(day_of(datetime.fromtimestamp(at, UTC), zone), []).append((at, values))
    days, notes = [], []
    for date_, rows in by_date.items():
        found = _own_day(date_, rows, prices, zone)
        if isinstance(found, str):
            notes.append(f"{date_}: {found}: left out")
            continue
        days.append(found)
        length = (local_day(date_, zone)[1] - local_day(date_, zone)[0]).total_seconds() / MINUTE
        if found.minutes < length:
            begin = shown(rows[0][0], zone)
            notes.append(f"{date_}: only {found.minutes / 60:.1f} h are known, from {begin}")
    return days, notes


def _own_day(
    date_: date, rows: Sequence[tuple[float, Values]], prices: tuple[float, float], zone: ZoneInfo
) -> OwnDay | str:
    midnight, end = (each.timestamp() for each in local_day(date_, zone))
    house = [(at, values) for at, values in rows if _load(values) is not None]
    if not house:
        return "no load in it: give load_w, LoadPower, or GridPower with PvPower"
    begin, last = house[0][0], house[-1][0]
    steps = [after[0] - before[0] for before, after in pairwise(house)]
    step = sorted(steps)[len(steps) // 2] if steps else 0.0
    for before, length in zip(house, steps, strict=False):
        if length > max(_GAP, 2 * step):
            return f"nothing is known for {length / 60:.0f} min from {shown(before[0], zone)}"
    first = math.floor((begin - midnight) / MINUTE)
    minutes = math.floor((min(end, last + max(step, MINUTE)) - midnight) / MINUTE) - first
    if minutes < _SHORTEST:
        return f"only {minutes} min are known"
    pv = _minutes([(at, max(0.0, values["pv"])) for at, values in house], midnight, first, minutes)
    load = _minutes([(at, _load(values) or 0.0) for at, values in house], midnight, first, minutes)
    priced = [
        [(at, values[name]) for at, values in rows if name in values] or [(begin, flat)]
        for name, flat in zip(("import", "export"), prices, strict=True)
    ]
    bought, sold = (_minutes(one, midnight, first, minutes) for one in priced)
    soc = next((values["soc"] for _, values in rows if "soc" in values), None)
    return OwnDay(str(date_), Day(pv, load, bought, sold), first, minutes, soc)


def _load(values: Values) -> float | None:
    """What the house drew without its consumers, W; None where it cannot be told.

    A recording with PV alone, or without any, is no balance: unknown, and not 0.
    """
    load = values.get("load")
    if load is None and "grid" in values and "pv" in values:
        load = values["grid"] + values["pv"] + values.get("battery", 0.0)
    if load is None or "pv" not in values:
        return None
    return max(0.0, load - values.get("controlled", 0.0))


def _minutes(
    rows: Sequence[tuple[float, float]], midnight: float, first: int, minutes: int
) -> list[float]:
    """Means by minute; a minute without a value has the one before it."""
    sums, counts = [0.0] * minutes, [0] * minutes
    before = rows[0][1]
    for at, value in rows:
        minute = math.floor((at - midnight) / MINUTE) - first
        if minute < 0:
            before = value
        elif minute < minutes:
            sums[minute] += value
            counts[minute] += 1
    found = []
    for total, count in zip(sums, counts, strict=True):
        before = total / count if count else before
        found.append(before)
    return found
