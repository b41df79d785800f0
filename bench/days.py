"""Days in virtual time: how much faster than a real one, and what of it is deciding.

The bare reference of a decision is one sharing of the same demands (`allocate.share`), without
meter, reports, locks, reasons and money around it: the ratio holds on a busy machine too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from actors.distributor.allocate import MICRO, Demand, share
from bench.table import Row
from bridge.simulate.house import play
from bridge.simulate.policy import find_policy
from bridge.simulate.weather import make_weather
from tests.simulate.small import BATTERY, charger, consumer, day, house, read, rows

if TYPE_CHECKING:
    from bridge.simulate.record import Record

_SECONDS = 7200
_FEW_SECONDS = 600
_TRIES = 3
_ROUNDS = 2000


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
    rows = [Row("virtual time, physics of four consumers", f"{_SECONDS / idle:,.0f} x")]
    for policy, strategy in (("heliograph", "value"), ("surplus", "surplus")):
        deciding, record = _play(four, policy, _SECONDS)
        _, crowd = _play(many, policy, _FEW_SECONDS)
        speed = f"{_SECONDS / deciding:,.0f} x"
        slower = f"{deciding / idle:.1f}"
        rows += [
            Row(f"virtual time, strategy {strategy}", speed, ratio=slower, reach="20,000 x"),
            _decisions(f"decide, strategy {strategy}, four consumers", four, record, 200),
            _decisions(f"decide, strategy {strategy}, a hundred consumers", many, crowd, 5000),
        ]
    return rows


def _decisions(what: str, consumers: list[dict[str, Any]], record: Record, reach: int) -> Row:
    spent, bare = record.decide_s / record.decide_calls * 1e6, _share_us(consumers)
    return Row(what, f"{spent:.0f} us", f"{bare:.1f} us", f"{spent / bare:.1f}", f"{reach} us")


def _share_us(consumers: list[dict[str, Any]]) -> float:
    """The least processor time of one bare sharing, us."""
    demands = [
        Demand(one["id"], one["max_w"], one["step_w"], one["min_w"], one["priority"])
        for one in consumers
    ]
    best = float("inf")
    for _ in range(_TRIES):
        began = time.process_time()
        for _ in range(_ROUNDS):
            share(4000 * MICRO, 0, demands)
        best = min(best, time.process_time() - began)
    return best / _ROUNDS * 1e6


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
