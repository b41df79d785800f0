"""The metrics of a run, under the names of the result format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.simulate.money import exchange, net_value
from bridge.simulate.sharing import above_allowance_s, overallocation, unmet_kwh

if TYPE_CHECKING:
    from bridge.simulate.record import Record

_WATT_SECONDS = 3.6e6


def measure(record: Record, idle: Record, gain_reference: float | None) -> dict[str, Any]:
    """Everything that the result format asks for; `capture` is None without bounds."""
    weather, scenario = record.weather, record.scenario
    traded, untouched = exchange(record.grid, weather), exchange(idle.grid, weather)
    produced = sum(weather.pv) / _WATT_SECONDS
    value, nothing = net_value(record, traded), net_value(idle, untouched)
    most, over, twice = overallocation(record)
    names = [spec.id for spec in scenario.consumers]
    delivered = [watt_hours / 1000 for watt_hours in record.delivered_wh]
    return {
        "delivered_kwh": dict(zip(names, delivered, strict=True)),
        "import_kwh": traded.imported,
        "export_kwh": traded.exported,
        "pv_kwh": produced,
        "load_kwh": sum(weather.load) / _WATT_SECONDS,
        "import_caused_kwh": traded.imported - untouched.imported,
        "self_consumption": 1 - traded.exported / produced if produced else 0.0,
        "starts": sum(on for _, _, on in record.switches),
        "switches": len(record.switches),
        "phase_switches": len(record.phases),
        "setpoint_writes": len(record.allowances),
        "overallocation_max_w": most,
        "overallocation_kwh": over,
        "double_grant_max_w": twice,
        "reservation_unmet_kwh": unmet_kwh(record),
        "lock_violation_min": sum(missing for _, _, missing in record.missing) / 60,
        "above_allowance_min": above_allowance_s(record) / 60,
        "net_value": value,
        "net_value_do_nothing": nothing,
        "capture": (value - nothing) / gain_reference if gain_reference else None,
        "soc_end": record.soc[-1] if record.soc else None,
    }
