"""Small houses under a steady sun, policies that follow a script, and the check of every run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.simulate.checker.check import Check
from bridge.simulate.day import Day
from bridge.simulate.house import idle, play
from bridge.simulate.metrics import measure
from bridge.simulate.policy import DoNothing
from bridge.simulate.runner import result
from bridge.simulate.scenario import Scenario
from bridge.simulate.trace import trace_lines
from bridge.simulate.weather import Weather, make_weather

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.simulate.meter import Reading
    from bridge.simulate.policy import Factory, Known, Report
    from bridge.simulate.record import Record

BATTERY: dict[str, Any] = {
    "capacity_wh": 1000,
    "max_charge_w": 2000,
    "max_discharge_w": 1500,
    "eta_charge": 0.8,
    "eta_discharge": 0.5,
    "soc_min": 10,
    "soc_max": 90,
    "soc_start": 50,
    "reservation_curve": [[0, 1000], [50, 1000], [60, 0]],
    "stored_value_tiers": [{"up_to_soc": 60, "per_kwh": 0.3}, {"up_to_soc": 100, "per_kwh": 0.1}],
}


def consumer(name: str = "heater", **changes: Any) -> dict[str, Any]:
    """A load of 1 to 3 kW that obeys in the next second."""
    fields: dict[str, Any] = {
        "id": name,
        "kind": "modulating",
        "priority": 10,
        "priority_shift": 0,
        "min_w": 1000,
        "max_w": 3000,
        "step_w": 500,
        "need_wh": 100_000,
        "min_on_s": 0,
        "min_off_s": 0,
        "value_per_kwh": 0.25,
        "start_cost": 0.01,
        "window_start_s": 0,
        "window_end_s": 1_000_000,
        "response_lag_s": 1,
        "ramp_w_per_s": 0,
        "report_period_s": 1,
        "draw_factor": 1.0,
        "enforces_locks": False,
    }
    return fields | changes


def charger(**changes: Any) -> dict[str, Any]:
    """A charger that changes between one phase and three."""
    fields = consumer(
        "ev",
        min_w=1000,
        max_w=9000,
        step_w=100,
        phases=[1, 3],
        phase_up_delay_s=20,
        phase_down_delay_s=10,
        phase_interval_s=50,
        phase_pause_s=5,
        phase_switch_cost=0.02,
    )
    return fields | changes


def house(*consumers: dict[str, Any], seconds: int = 120, **changes: Any) -> dict[str, Any]:
    """A scenario as its file says it: 4 kW of steady sun, 500 W of load."""
    fields: dict[str, Any] = {
        "format": "heliograph-scenario/1",
        "id": "small",
        "archetype": "test",
        "values": "even",
        "seed": 7,
        "day_csv": "day.csv",
        "first_row": 0,
        "duration_s": seconds,
        "pv_scale": 1.0,
        "load_scale": 1.0,
        "inverter_max_w": 10_000,
        "pv_flicker": {"levels": [1.0], "dwell_mean_s": 10, "dwell_min_s": 5, "smooth_s": 4},
        "meter": {"lag_s": 1, "period_s": 1, "noise_w": 0},
        "battery": None,
        "prices": {"import_per_kwh": 0.3, "export_per_kwh": 0.1},
        "consumers": list(consumers),
    }
    return fields | changes


def rows(raw: dict[str, Any], pv: Any = 4000, load: Any = 500) -> list[dict[str, str]]:
    """The rows of a day; a list gives the minutes, a number holds all day."""
    minutes = raw["first_row"] + raw["duration_s"] // 60 + 2

    def at(values: Any, minute: int) -> str:
        return str(values[min(minute, len(values) - 1)] if isinstance(values, list) else values)

    return [
        {
            "pv_w": at(pv, minute),
            "load_w": at(load, minute),
            "import_price": str(0.2 + 0.01 * minute),
            "export_price": str(0.05 - 0.01 * minute),
        }
        for minute in range(minutes)
    ]


def day(table: Sequence[Mapping[str, str]]) -> Day:
    names = {"pv_w": "pv_w", "load_w": "load_w"}
    names |= {"import_price": "import_price", "export_price": "export_price"}
    return Day(**{name: [float(row[name]) for row in table] for name in names})


def read(raw: dict[str, Any]) -> Scenario:
    return msgspec.convert(raw, Scenario, strict=False)


def weather(raw: dict[str, Any], **outside: Any) -> Weather:
    return make_weather(read(raw), day(rows(raw, **outside)))


class Script(DoNothing):
    """Sends what its plan says, in the second that it says."""

    def __init__(self, known: Known, plan: Mapping[int, Mapping[str, float]]) -> None:
        super().__init__(known)
        self.plan = plan
        self.wake = min(plan, default=math.inf)
        self.seen: list[tuple[int, Reading | None, list[Report]]] = []

    def step(
        self, second: int, reading: Reading | None, reports: Sequence[Report]
    ) -> Mapping[str, float] | None:
        self.seen.append((second, reading, list(reports)))
        self.wake = min((at for at in self.plan if at > second), default=math.inf)
        return self.plan.get(second)


def follow(plan: Mapping[int, Mapping[str, float]]) -> Factory:
    return lambda known: Script(known, plan)


def run(raw: dict[str, Any], make: Factory, **outside: Any) -> tuple[Record, dict[str, Any]]:
    """The run and its metrics, after the checker has found nothing in them."""
    table = rows(raw, **outside)
    scenario = read(raw)
    made = make_weather(scenario, day(table))
    record = play(scenario, made, make, explain=True)
    metrics = measure(record, idle(scenario, made), None)
    told = result(record, "test", metrics)
    assert Check(raw, table, trace_lines(record)).findings(told) == []
    return record, metrics


def drawn(record: Record, index: int = 0) -> list[float]:
    """What one consumer drew in each second."""
    changes = {second: watts for second, one, watts in record.draws if one == index}
    found, now = [], 0.0
    for second in range(record.seconds):
        now = changes.get(second, now)
        found.append(now)
    return found
