"""The trace format `heliograph-trace/1`: JSON lines, a field only when it has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.simulate.record import Record

FORMAT = "heliograph-trace/1"


def trace_lines(record: Record) -> Iterator[str]:
    """The lines, without their ends. Powers to 0.1 W, SoC to 0.001 %."""
    yield _line({"kind": "head", "format": FORMAT, "scenario": record.scenario.id})
    names = [spec.id for spec in record.scenario.consumers]
    allowed, drawn = _by_second(names, record.allowances), _by_second(names, record.draws)
    told: dict[int, list[tuple[str, str]]] = {}
    for at, consumer, text in record.reasons:
        told.setdefault(at, []).append((consumer, text))
    before: dict[str, float] = {}
    for second, values in enumerate(_series(record)):
        fields: dict[str, Any] = {
            name: value for name, value in values.items() if before.get(name) != value
        }
        before = values
        if second in allowed:
            fields["allow_w"] = allowed[second]
        if second in drawn:
            fields["draw_w"] = drawn[second]
        if fields:
            yield _line({"kind": "second", "t": second, **fields})
        for consumer, text in told.get(second, ()):
            yield _line({"kind": "reason", "t": second, "consumer": consumer, "text": text})


def _series(record: Record) -> Iterator[dict[str, float]]:
    count = record.seconds
    power = _rounded(record.battery or [0.0] * count, 1)
    columns = {
        "pv_w": _rounded(record.weather.pv, 1),
        "load_w": _rounded(record.weather.load, 1),
        "grid_w": _rounded(record.grid, 1),
        "battery_w": power,
    }
    if record.soc:
        columns["soc_percent"] = _rounded(record.soc, 3)
    names = list(columns)
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(names, row, strict=True))


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    return [round(value, digits) + 0.0 for value in values]  # never -0.0


def _by_second(
    names: Sequence[str], changes: Iterable[tuple[int, int, float]]
) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for second, index, watts in changes:
        found.setdefault(second, {})[names[index]] = round(watts, 1)
    return found


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
