"""A run made small: as many values as a screen has room for, and the reasons that matter."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bridge.simulate.look import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.simulate.record import Record

# A screen shows hardly more, and sixty days have to fit into a file that opens at once.
_COLUMNS: Final = 720
_TOTAL: Final = 2_200_000
_LARGEST: Final = 20_000
_REASONS: Final = 500
_SHORTEST: Final = 10


def share(runs: int) -> int:
    """How many numbers each of so many runs may keep."""
    return min(_LARGEST, _TOTAL // max(1, runs))


def slot(record: Record, numbers: int) -> int:
    """Seconds of one column: coarser for a house with many consumers."""
    series = 6 + 2 * len(record.scenario.consumers)
    columns = max(1, min(_COLUMNS, numbers // series))
    return max(_SHORTEST, -(-record.seconds // columns))


def outside(record: Record, numbers: int) -> dict[str, Any]:
    """What no policy changes: the day's sun and load, and who the consumers are."""
    scenario, size = record.scenario, slot(record, numbers)
    return {
        "slot": size,
        "seconds": record.seconds,
        "begin": scenario.begin_s + scenario.first_row * 60,
        "pv": _means(record.weather.pv, size),
        "load": _means(record.weather.load, size),
        "battery": scenario.battery is not None,
        "consumers": [
            {
                "id": one.id,
                "max": one.max_w,
                "priority": one.priority,
                # Without a need in sight nobody is told what it would be.
                "need": round(one.need_wh / 1000, 1) if one.need_wh < UNLIMITED else None,
            }
            for one in scenario.consumers
        ],
    }


def inside(record: Record, policy: str, numbers: int) -> dict[str, Any]:
    """What came of a policy: grid, battery, consumers, switches and reasons."""
    size = slot(record, numbers)
    count = len(record.scenario.consumers)
    words, reasons = _reasons(record)
    return {
        "policy": policy,
        "grid": _means(record.grid, size),
        "low": _extremes(record.grid, size, highest=False),
        "high": _extremes(record.grid, size, highest=True),
        "battery": _means(record.battery, size),
        "soc": [round(value, 1) for value in record.soc[::size]],
        "allowed": [_steps(_of(record.allowances, one), record, size) for one in range(count)],
        "drawn": [_steps(_of(record.draws, one), record, size) for one in range(count)],
        "switches": [
            [second if on else -second for second, on in _of(record.switches, one)]
            for one in range(count)
        ],
        "delivered": [round(watt_hours / 1000, 1) for watt_hours in record.delivered_wh],
        "phases": [len(_of(record.phases, one)) for one in range(count)],
        "words": words,
        "reasons": reasons,
    }


def _of(changes: Iterable[tuple[int, int, Any]], index: int) -> list[tuple[int, Any]]:
    return [(second, value) for second, one, value in changes if one == index]


def _parts(values: Sequence[float], size: int) -> Iterable[Sequence[float]]:
    return (values[begin : begin + size] for begin in range(0, len(values), size))


def _means(values: Sequence[float], size: int) -> list[int]:
    return [round(sum(part) / len(part)) for part in _parts(values, size)]


def _extremes(values: Sequence[float], size: int, *, highest: bool) -> list[int]:
    pick = max if highest else min
    return [round(pick(part)) for part in _parts(values, size)]


def _steps(changes: Sequence[tuple[int, float]], record: Record, size: int) -> list[int]:
    """Means by column of a value that stays until its next change, 0 at first."""
    sums = [0.0] * -(-record.seconds // size)
    last = [(record.seconds, 0.0)] if changes else []
    for (begin, watts), (end, _) in pairwise([*changes, *last]):
        at = begin
        while watts and at < end:
            column = at // size
            until = min(end, (column + 1) * size)
            sums[column] += watts * (until - at)
            at = until
    return [
        round(total / min(size, record.seconds - column * size))
        for column, total in enumerate(sums)
    ]


def _reasons(record: Record) -> tuple[list[str], list[list[int]]]:
    """The texts, and [second, consumer, text] in order of time.

    Texts with figures change each second: what was told at a switch is kept, and of the others
    the first in every so many seconds.
    """
    names = {spec.id: index for index, spec in enumerate(record.scenario.consumers)}
    pause = max(1, record.seconds * max(1, len(names)) // _REASONS)
    turned = {(second, index) for second, index, _ in record.switches}
    turned |= {(second - 1, index) for second, index in turned}
    texts: dict[str, int] = {}
    kept: list[list[int]] = []
    due = [0] * len(names)
    for second, name, text in record.reasons:
        index = names[name]
        if second >= due[index] or (second, index) in turned:
            kept.append([second, index, texts.setdefault(text, len(texts))])
            due[index] = second + pause
    return list(texts), kept
