"""`heliograph simulate`: whole days in seconds, decided by the real core."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import simulate_own
from bridge.cli.table import show_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from bridge.simulate.case import Case
    from bridge.simulate.runner import Job, Played

_DEFAULT = "heliograph"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "simulate",
        help="play whole days in seconds, decided by the real distributor",
        description="Plays scenario files (format heliograph-scenario/1) through the very core "
        "that shares the sun in a house, second by second in virtual time, and says what came of "
        "it. With a bounds.json beside a scenario, the capture is the share of what somebody who "
        "knew the whole day could have gained. With --days it plays recorded days in the house of "
        "--config: what would last week have looked like with the heater first? Exit code 1 when "
        "something cannot be played.",
    )
    parser.add_argument(
        "--scenario",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="scenario files, or folders full of them",
    )
    simulate_own.add_arguments(parser)
    parser.add_argument(
        "--policy", default=_DEFAULT, metavar="NAME", help=f"who decides (default: {_DEFAULT})"
    )
    parser.add_argument(
        "--compare",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="play these policies too: do_nothing, es_ess (their rule, each 60 s) …",
    )
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="write every second of the one scenario"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with curves, reasons, comparison"
    )
    parser.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="processes (default: one per core)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one line heliograph-simulate/1 per run"
    )


def run(args: argparse.Namespace) -> int:
    """Play everything; the exit code."""
    from bridge.simulate.page.picture import share
    from bridge.simulate.page.write import write_page
    from bridge.simulate.policy import find_policy
    from bridge.simulate.runner import Job, scenario_files
    from bridge.simulate.scenario import ScenarioError

    what: Sequence[Path | Case]
    notes: Sequence[str]
    if args.days or not args.scenario:
        what, notes = simulate_own.cases(args)
    else:
        what, notes = scenario_files(args.scenario), []
    names = tuple(dict.fromkeys([args.policy, *args.compare]))
    for name in names:
        find_policy(name)
    if args.trace is not None and len(what) > 1:
        raise ScenarioError("--trace is for one scenario: there are several")
    numbers = share(len(what) * len(names)) if args.html is not None else 0
    for note in notes:
        print(note, file=sys.stderr)
    jobs = [Job(one, names, args.trace, numbers) for one in what]
    done = []
    for played in _watched(play_all(jobs, args.jobs), len(jobs)):
        if args.json:
            for result in played.results:
                print(json.dumps(result), flush=True)
        done.append(played)
    if args.html is not None:
        write_page(args.html, done, notes)
    if not args.json:
        _show(done)
    return 0


def play_all(jobs: Sequence[Job], processes: int = 0) -> Iterator[Played]:
    """Play the jobs, in order, with so many processes (0 = one for each core)."""
    from bridge.simulate.runner import run_job

    processes = min(len(jobs), processes or os.cpu_count() or 1)
    if processes <= 1:
        yield from map(run_job, jobs)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run_job, jobs)


def _watched(played: Iterator[Played], total: int) -> Iterator[Played]:
    """The same, with a progress bar for who sits before a terminal."""
    if total == 1 or not sys.stderr.isatty():
        yield from played
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(played, "days", total=total, console=Console(stderr=True), transient=True)


def _show(played: Sequence[Played]) -> None:
    from bridge.simulate.summary import HEADS, cells, summarise

    rows = [cells(line) for line in summarise(played)]
    show_table("Simulated days: means by archetype", HEADS, rows)
