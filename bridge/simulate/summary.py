"""Many results in a few lines: by archetype and policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.simulate.runner import Played

HEADS = (
    "archetype", "policy", "days", "capture", "pooled", "worst", "gain", "switches", "writes",
    "locks", "decide",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One archetype under one policy. Captures as shares, None without bounds; means per day.

    `gain` is money over doing nothing, `pooled` the sum of all gains by the sum of all bounds,
    `worst` the lowest of a day; `most_writes` of a day and `twice_w` (W given twice) the largest.
    """

    archetype: str
    policy: str
    days: int
    capture: float | None
    pooled: float | None
    worst: float | None
    worst_day: str | None
    gain: float
    switches: float
    phase_switches: float
    writes: float
    most_writes: int
    most_writes_day: str
    twice_w: float
    import_caused_kwh: float
    lock_violation_min: float
    decide_us: float


def summarise(played: Iterable[Played]) -> list[Line]:
    """A line for each archetype and policy, in order of appearance."""
    groups: dict[tuple[str, str], list[tuple[dict[str, Any], float | None]]] = {}
    for one in played:
        for result in one.results:
            key = (one.archetype, str(result["policy"]))
            groups.setdefault(key, []).append((result, one.gain_reference))
    return [_line(*key, found) for key, found in groups.items()]


def _line(
    archetype: str, policy: str, found: Sequence[tuple[dict[str, Any], float | None]]
) -> Line:
    days = [_Day(result, bound) for result, bound in found]
    bounded = [(day.gain, day.bound, day.name) for day in days if day.bound]
    captures = sorted((gain / bound, name) for gain, bound, name in bounded)
    count, calls = len(days), sum(day.calls for day in days)
    return Line(
        archetype,
        policy,
        count,
        sum(share for share, _ in captures) / len(captures) if captures else None,
        sum(gain for gain, _, _ in bounded) / sum(b for _, b, _ in bounded) if bounded else None,
        captures[0][0] if captures else None,
        captures[0][1] if captures else None,
        sum(day.gain for day in days) / count,
        sum(day.switches for day in days) / count,
        sum(day.phase_switches for day in days) / count,
        sum(day.writes for day in days) / count,
        *max(((day.writes, day.name) for day in days), key=lambda found: found[0]),
        max(day.twice_w for day in days),
        sum(day.bought for day in days) / count,
        sum(day.locks for day in days) / count,
        sum(day.calls * day.decide_us for day in days) / calls if calls else 0.0,
    )


class _Day:
    """What of one result goes into a line."""

    def __init__(self, result: dict[str, Any], bound: float | None) -> None:
        metrics: dict[str, Any] = result["metrics"]
        self.name = str(result["scenario"])
        self.bound = bound or 0.0
        self.gain: float = metrics["net_value"] - metrics["net_value_do_nothing"]
        self.switches: int = metrics["switches"]
        self.phase_switches: int = metrics["phase_switches"]
        self.writes: int = metrics["setpoint_writes"]
        self.twice_w: float = metrics["double_grant_max_w"]
        self.bought: float = metrics["import_caused_kwh"]
        self.locks: float = metrics["lock_violation_min"]
        self.calls: int = result["decide_calls"]
        self.decide_us: float = result["decide_us_mean"]


def cells(line: Line) -> list[str]:
    """The line under `HEADS`, for people."""
    day = (line.worst_day or "").removeprefix(line.archetype).lstrip("-_")
    worst = f" ({day})" if day else ""
    return [
        line.archetype,
        line.policy,
        str(line.days),
        percent(line.capture),
        percent(line.pooled),
        percent(line.worst) + worst,
        f"{line.gain:.2f}",
        f"{line.switches:.0f}",
        f"{line.writes:.0f}",
        f"{line.lock_violation_min:.1f} min",
        f"{line.decide_us:.0f} us",
    ]


def percent(share: float | None) -> str:
    """A share for people; "-" where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"
