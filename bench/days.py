"""Days in virtual time: how much faster than a real one, and what of it is deciding."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bench.table import Row
from bridge.simulate.house import play
from bridge.simulate.policy import find_policy
from bridge.simulate.weather import make_weather
from tests.simulate.small import BATTERY, charger, consumer, day, house, read, rows

if TYPE_CHECKING:
    from bridge.simulate.record import Record

_SECONDS = 7200
_TRIES = 3


async def measure(_rounds: int) -> list[Row]:
    """Physics alone, and with the real core, for four consumers; decisions for a hundred."""
    four = [
        charger(ramp_w_per_s=230, response_lag_s=8, report_period_s=2, min_on_s=600),
        consumer(priority=20, min_on_s=120),
        consumer("pump", min_w=750, max_w=750, step_w=0, priority=30, min_on_s=600),
        consumer("dryer", min_w=300, max_w=300, step_w=0, priority=40, report_period_s=5),
    ]
    many = [
        consumer(f"load{number}", min_w=85 + number, max_w=85 + number, step_w=0, min_on_s=60)
        for number in range(100)
    ]
    idle, _ = _play(four, "do_nothing", _SECONDS)
    deciding, record = _play(four, "heliograph", _SECONDS)
    _, crowd = _play(many, "heliograph", 600)
    return [
        Row("virtual time, physics of four consumers", f"{_SECONDS / idle:,.0f} x"),
        Row("virtual time, with the real core", f"{_SECONDS / deciding:,.0f} x", reach="20,000 x"),
        Row("decide, four consumers", f"{_decide_us(record):.0f} us", reach="200 us"),
        Row("decide, a hundred consumers", f"{_decide_us(crowd):.0f} us", reach="5000 us"),
    ]


def _play(consumers: list[dict[str, Any]], policy: str, seconds: int) -> tuple[float, Record]:
    """The least processor time of some tries (s), and the last record."""
    clouds = {"levels": [1.2, 1.0, 0.5], "dwell_mean_s": 150, "dwell_min_s": 20, "smooth_s": 12}
    raw = house(
        *consumers,
        seconds=seconds,
        pv_flicker=clouds,
        battery=BATTERY | {"capacity_wh": 10_000},
        meter={"lag_s": 1, "period_s": 1, "noise_w": 10},
    )
    scenario, table = read(raw), day(rows(raw, pv=6000))
    best = float("inf")
    for _ in range(_TRIES):
        began = time.process_time()
        record = play(scenario, make_weather(scenario, table), find_policy(policy))
        best = min(best, time.process_time() - began)
    return best, record


def _decide_us(record: Record) -> float:
    return record.decide_s / record.decide_calls * 1e6
