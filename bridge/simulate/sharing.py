"""How well a policy kept to what there was: given too much, given twice, taken from the battery."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from bridge.simulate.curve import reservation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.simulate.record import Record

_WATT_SECONDS = 3.6e6
_LOOK_BACK = 60
_TOLERANCE = 1.0


def surplus(record: Record) -> list[float]:
    """What the sun left over after the ordinary load, W by second, never negative."""
    pairs = zip(record.weather.pv, record.weather.load, strict=True)
    return [pv - load if pv > load else 0.0 for pv, load in pairs]


def granted(record: Record) -> Iterator[tuple[int, int, float]]:
    """(from, to, W): the allowances of those who want power, each at most its maximum, added up."""
    specs = record.scenario.consumers
    given = [0.0] * len(specs)
    wanting = [False] * len(specs)
    changes: list[tuple[int, int, float | bool]] = [*record.allowances, *record.wanting]
    changes.sort(key=lambda change: change[0])
    begin, total = 0, 0.0
    for second, index, value in changes:
        if second > begin:
            yield begin, second, total
            begin = second
        if isinstance(value, bool):
            wanting[index] = value
        else:
            given[index] = min(value, specs[index].max_w)
        total = sum(watts for watts, wants in zip(given, wanting, strict=True) if wants)
    yield begin, record.seconds, total


def overallocation(record: Record) -> tuple[float, float, float]:
    """(largest W, kWh) granted above the surplus, and the largest W that was granted twice."""
    there = surplus(record)
    most = over = twice = before = 0.0
    for begin, end, total in granted(record):
        if total:
            excess = [total - watts for watts in there[begin:end] if watts < total]
            largest = max(excess, default=0.0)
            most = max(most, largest)
            over += sum(excess)
        if total > before:
            seen = max(there[max(0, begin - _LOOK_BACK + 1) : begin + 1])
            twice = max(twice, min(total - seen, total - before))
        before = total
    return most, over / _WATT_SECONDS, twice


def draws(record: Record) -> Iterator[tuple[int, int, float]]:
    """(from, to, W): what all consumers drew together."""
    each = [0.0] * len(record.scenario.consumers)
    begin, total = 0, 0.0
    for second, index, watts in record.draws:
        if second > begin:
            yield begin, second, total
            begin = second
        each[index] = watts
        total = sum(each)
    yield begin, record.seconds, total


def unmet_kwh(record: Record) -> float:
    """What consumers drew of the power that the owner keeps for the battery."""
    spec = record.scenario.battery
    if spec is None:
        return 0.0
    there, lost = surplus(record), 0.0
    for begin, end, drawn in draws(record):
        if not drawn:
            continue
        for second in range(begin, end):
            soc = record.soc[second]
            if soc >= spec.soc_max:
                continue
            kept = reservation(spec.reservation_curve, soc)
            kept = min(kept, spec.max_charge_w, there[second])
            charged = max(0.0, -record.battery[second])
            lost += max(0.0, min(drawn, kept - charged))
    return lost / _WATT_SECONDS


def above_allowance_s(record: Record) -> int:
    """Device-seconds with a draw above the allowance in force."""
    total = 0
    for index in range(len(record.scenario.consumers)):
        drawn = [(second, watts) for second, one, watts in record.draws if one == index]
        allowed = [(second, watts) for second, one, watts in record.effective if one == index]
        total += _above(drawn, allowed, record.seconds)
    return total


def _above(
    drawn: Sequence[tuple[int, float]], allowed: Sequence[tuple[int, float]], seconds: int
) -> int:
    marks = sorted({0, seconds, *(at for at, _ in drawn), *(at for at, _ in allowed)})
    above, draw, limit = 0, 0.0, 0.0
    by_draw, by_limit = dict(drawn), dict(allowed)
    for begin, end in pairwise(marks):
        draw = by_draw.get(begin, draw)
        limit = by_limit.get(begin, limit)
        above += end - begin if draw > limit + _TOLERANCE else 0
    return above
