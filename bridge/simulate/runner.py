"""One file played under some policies: the result of each, in the result format."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.simulate.case import Case, read_case
from bridge.simulate.house import idle, play
from bridge.simulate.metrics import measure
from bridge.simulate.page.picture import inside, outside
from bridge.simulate.policy import find_policy
from bridge.simulate.scenario import ScenarioError
from bridge.simulate.trace import trace_lines
from bridge.simulate.weather import make_weather

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.simulate.record import Record

FORMAT = "heliograph-simulate/1"


@dataclass(frozen=True, slots=True)
class Job:
    """A scenario file, or a case, to play under policies (by name).

    `trace`: a file for the first of them; `numbers`: what of each run is kept for a page, 0 = none.
    """

    what: Path | Case
    policies: tuple[str, ...]
    trace: Path | None = None
    numbers: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a job: the archetype, the bound, and the results in order of its policies.

    `values`: the class of what a delivered kWh is worth there; `consumers`: how many there are.
    `picture` is what a page shows of it (bridge/simulate/page), where one was asked for.
    """

    archetype: str
    gain_reference: float | None
    results: list[dict[str, Any]]
    picture: dict[str, Any] | None = None
    values: str = ""
    consumers: int = 0


def run_job(job: Job) -> Played:
    """Play it. Raises ScenarioError."""
    case = job.what if isinstance(job.what, Case) else read_case(job.what)
    scenario = case.scenario
    weather = make_weather(scenario, case.day)
    nothing = idle(scenario, weather)
    results, picture = [], None
    for number, name in enumerate(job.policies):
        trace = job.trace if number == 0 else None
        explain = trace is not None or bool(job.numbers)
        record = play(scenario, weather, find_policy(name), owner=case.owner, explain=explain)
        if trace is not None:
            write_trace(trace, record)
        if job.numbers:
            picture = picture or outside(record, job.numbers) | {"runs": []}
            picture["runs"].append(inside(record, name, job.numbers))
        results.append(result(record, name, measure(record, nothing, case.bound)))
    return Played(
        scenario.archetype,
        case.bound,
        results,
        picture,
        values=scenario.values,
        consumers=len(scenario.consumers),
    )


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
