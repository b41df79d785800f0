"""The check itself: a trace and a result against everything that follows from the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.simulate.checker import figures, house, outside
from bridge.simulate.checker.device import replay
from bridge.simulate.checker.trace import Trace, read_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_WATT = 0.06
_PERCENT = 0.0006
# What a scenario may leave out.
_HOUSE: dict[str, Any] = {"first_row": 0, "battery": None}
_CONSUMER: dict[str, Any] = {
    "min_on_s": 0, "min_off_s": 0, "window_start_s": 0, "window_end_s": 1_000_000,
    "response_lag_s": 0, "ramp_w_per_s": 0, "draw_factor": 1, "enforces_locks": False,
    "phases": [], "phase_up_delay_s": 0, "phase_down_delay_s": 0, "phase_interval_s": 0,
    "phase_pause_s": 0, "phase_switch_cost": 0,
}  # fmt: skip
_MOST = 5  # findings of one kind; more of them say no more


class Check:
    """One run. `scenario` as its file says, `rows` of its day, `lines` of its trace."""

    def __init__(
        self,
        scenario: Mapping[str, Any],
        rows: Sequence[Mapping[str, str]],
        lines: Iterable[str],
    ) -> None:
        consumers = [_CONSUMER | dict(spec) for spec in scenario["consumers"]]
        self.scenario = scenario = _HOUSE | dict(scenario) | {"consumers": consumers}
        names = [spec["id"] for spec in scenario["consumers"]]
        self.trace: Trace = read_trace(lines, names, scenario["duration_s"])
        self.pv, self.load = outside.production(scenario, rows), outside.load(scenario, rows)
        self.prices = outside.prices(scenario, rows)
        self.lives = {
            spec["id"]: replay(spec, self.trace.allowed[spec["id"]])
            for spec in scenario["consumers"]
        }
        columns = [life.draw for life in self.lives.values()]
        self.drawn = [sum(column[k] for column in columns) for k in range(len(self.pv))]
        self.powers, self.socs, self.grid = self._flows(self.drawn)

    def findings(self, result: Mapping[str, Any] | None = None) -> list[str]:
        """Everything that does not agree; with a `result`, its metrics too."""
        found = list(self.trace.problems)
        if self.trace.scenario != self.scenario["id"]:
            found.append(f"the trace is of {self.trace.scenario!r}")
        site = self.trace.site
        for name, own, tolerance in (
            ("pv_w", self.pv, _WATT),
            ("load_w", self.load, _WATT),
            ("battery_w", self.powers, _WATT),
            ("soc_percent", self.socs, _PERCENT),
            ("grid_w", self.grid, _WATT),
        ):
            found += _differences(name, site[name], own, tolerance)
        found += self._balance()
        for name, life in self.lives.items():
            found += _differences(f"draw of {name}", self.trace.drawn[name], life.draw, _WATT)
        if result is not None:
            found += self._metrics(result)
        return found

    def _flows(self, drawn: Sequence[float]) -> tuple[list[float], list[float], list[float]]:
        triples = zip(self.load, drawn, self.pv, strict=True)
        net = [load + draw - pv for load, draw, pv in triples]
        if self.scenario["battery"]:
            powers, socs = house.battery(self.scenario["battery"], net)
        else:
            powers = socs = [0.0] * len(net)
        return powers, socs, [lack - power for lack, power in zip(net, powers, strict=True)]

    def _balance(self) -> list[str]:
        """What the trace says of itself: sources equal consumption in each second."""
        site, drawn = self.trace.site, list(self.trace.drawn.values())
        sources = [
            sum(parts)
            for parts in zip(site["pv_w"], site["grid_w"], site["battery_w"], strict=True)
        ]
        sinks = [load + sum(draw[k] for draw in drawn) for k, load in enumerate(site["load_w"])]
        return _differences("energy balance", sources, sinks, _WATT * (4 + len(drawn)))

    # ---------------------------------------------------------------- metrics

    def metrics(self) -> dict[str, Any]:
        """The metrics of the result format, from the trace."""
        scenario, trace, lives = self.scenario, self.trace, self.lives
        bought, sold, cost = figures.energy(trace.site["grid_w"], self.prices)
        _, idle_socs, idle_grid = self._flows([0.0] * len(self.pv))
        idle_bought, _, idle_cost = figures.energy(idle_grid, self.prices)
        left = [max(0.0, pv - load) for pv, load in zip(self.pv, self.load, strict=True)]
        most, over, twice = figures.grants(scenario, trace.allowed, lives, left)
        produced = sum(trace.site["pv_w"]) / 3.6e6
        soc = trace.site["soc_percent"][-1]
        return {
            "delivered_kwh": {name: sum(draw) / 3.6e6 for name, draw in trace.drawn.items()},
            "import_kwh": bought,
            "export_kwh": sold,
            "pv_kwh": produced,
            "load_kwh": sum(trace.site["load_w"]) / 3.6e6,
            "import_caused_kwh": bought - idle_bought,
            "self_consumption": 1 - sold / produced if produced else 0.0,
            "starts": sum((figures.changes(one.on) + one.on[-1]) // 2 for one in lives.values()),
            "switches": sum(figures.changes(life.on) for life in lives.values()),
            "phase_switches": sum(life.phase_switches for life in lives.values()),
            "setpoint_writes": sum(map(figures.changes, trace.allowed.values())),
            "overallocation_max_w": max(0.0, most),
            "overallocation_kwh": over,
            "double_grant_max_w": twice,
            "reservation_unmet_kwh": figures.unmet(
                scenario["battery"], self.drawn, left, self.powers, self.socs
            ),
            "lock_violation_min": sum(life.missing_s for life in lives.values()) / 60,
            "above_allowance_min": sum(
                draw > limit + 1
                for life in lives.values()
                for draw, limit in zip(life.draw, life.effective, strict=True)
            )
            / 60,
            "net_value": figures.worth(scenario, lives, soc, cost),
            "net_value_do_nothing": figures.worth(scenario, {}, idle_socs[-1], idle_cost),
            "soc_end": soc if scenario["battery"] else None,
        }

    def _metrics(self, result: Mapping[str, Any]) -> Iterator[str]:
        told = result["metrics"]
        for name, own in self.metrics().items():
            pairs = own.items() if isinstance(own, dict) else [("", own)]
            for part, value in pairs:
                said = told[name][part] if part else told[name]
                if not _agree(name, said, value):
                    yield f"{name} {part}: the result says {said}, the trace {value}"


def _agree(name: str, said: float | None, own: float | None) -> bool:
    if said is None or own is None:
        return said is own
    # A trace is rounded to 0.1 W; counts and minutes have nothing to round.
    tolerance = 0.5 if name.endswith("_max_w") else 0.003
    if name in {"starts", "switches", "phase_switches", "setpoint_writes"}:
        tolerance = 0
    return abs(said - own) <= tolerance + 1e-4 * abs(own) * bool(tolerance)


def _differences(
    name: str, said: Sequence[float], own: Sequence[float], tolerance: float
) -> list[str]:
    wrong = [k for k, pair in enumerate(zip(said, own, strict=True)) if _apart(pair, tolerance)]
    found = [f"{name} in second {k}: {said[k]}, not {own[k]:.4f}" for k in wrong[:_MOST]]
    if len(wrong) > _MOST:
        found.append(f"{name}: {len(wrong)} seconds disagree")
    return found


def _apart(pair: tuple[float, float], tolerance: float) -> bool:
    return abs(pair[0] - pair[1]) > tolerance
