"""One file played under some policies: the result of each, in the result format."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.simulate.bounds import gain_reference
from bridge.simulate.day import read_day
from bridge.simulate.house import idle, play
from bridge.simulate.metrics import measure
from bridge.simulate.policy import find_policy
from bridge.simulate.scenario import ScenarioError, read_scenario
from bridge.simulate.trace import trace_lines
from bridge.simulate.weather import make_weather

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.simulate.record import Record

FORMAT = "heliograph-simulate/1"


@dataclass(frozen=True, slots=True)
class Job:
    """A scenario file to play under policies (by name). `trace`: a file for the first of them."""

    file: Path
    policies: tuple[str, ...]
    trace: Path | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a job: the archetype, the bound, and the results in order of its policies."""

    archetype: str
    gain_reference: float | None
    results: list[dict[str, Any]]


def run_job(job: Job) -> Played:
    """Play it. Raises ScenarioError."""
    scenario = read_scenario(job.file)
    weather = make_weather(scenario, read_day(job.file.parent / scenario.day_csv))
    bound = gain_reference(job.file, scenario.id)
    nothing = idle(scenario, weather)
    results = []
    for number, name in enumerate(job.policies):
        trace = job.trace if number == 0 else None
        record = play(scenario, weather, find_policy(name), explain=trace is not None)
        if trace is not None:
            write_trace(trace, record)
        results.append(result(record, name, measure(record, nothing, bound)))
    return Played(scenario.archetype, bound, results)


def result(record: Record, policy: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """The result format."""
    calls = record.decide_calls
    return {
        "format": FORMAT,
        "scenario": record.scenario.id,
        "policy": policy,
        "seconds": record.seconds,
        "decide_calls": calls,
        "decide_us_mean": round(record.decide_s / calls * 1e6, 4) if calls else 0.0,
        "metrics": metrics,
    }


def write_trace(path: Path, record: Record) -> None:
    """Write the trace. Raises ScenarioError."""
    try:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("w", encoding="utf-8"))
            file.writelines(f"{line}\n" for line in trace_lines(record))
    except OSError as error:
        raise ScenarioError(f"{path} cannot be written: {error.strerror}") from error


def scenario_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and of a folder every scenario in it. Raises ScenarioError when empty."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.glob("*.json") if file.name != "bounds.json")
        elif path.name != "bounds.json":
            found.append(path)
    if not found:
        raise ScenarioError("there is no scenario to play")
    return found
