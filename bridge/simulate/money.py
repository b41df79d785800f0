"""What a run was worth, in the day's currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.simulate.curve import worth
from bridge.simulate.weather import MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.simulate.record import Record
    from bridge.simulate.weather import Weather

_WATT_SECONDS = 3.6e6


class Exchange(NamedTuple):
    """Energy over the grid, kWh, and what it cost (import) or brought (export)."""

    imported: float
    exported: float
    cost: float
    revenue: float


def exchange(grid: Sequence[float], weather: Weather) -> Exchange:
    """Add up the grid power (W by second, + import)."""
    imported = exported = cost = revenue = 0.0
    prices = zip(weather.import_price, weather.export_price, strict=True)
    for minute, (bought, sold) in enumerate(prices):
        part = grid[minute * MINUTE : (minute + 1) * MINUTE]
        more = sum([power for power in part if power > 0])
        less = more - sum(part)
        imported += more
        exported += less
        cost += more * bought
        revenue += less * sold
    return Exchange(*(total / _WATT_SECONDS for total in (imported, exported, cost, revenue)))


def net_value(record: Record, traded: Exchange) -> float:
    """What the consumers' energy is worth, less everything that it cost."""
    scenario = record.scenario
    value = traded.revenue - traded.cost
    for spec, delivered in zip(scenario.consumers, record.delivered_wh, strict=False):
        value += delivered / 1000 * spec.value_per_kwh
    for _, index, on in record.switches:
        value -= scenario.consumers[index].start_cost if on else 0.0
    for _, index, _ in record.phases:
        value -= scenario.consumers[index].phase_switch_cost
    if scenario.battery is not None:
        value += worth(scenario.battery, record.soc[-1])
        value -= worth(scenario.battery, scenario.battery.soc_start)
    return value
