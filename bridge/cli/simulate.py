"""`heliograph simulate`: whole days in seconds, decided by the real core."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import simulate_own
from bridge.cli.simulate_many import play_all, watched
from bridge.cli.table import show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.simulate.case import Case
    from bridge.simulate.runner import Played

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
        "--jobs", type=_count, default=0, metavar="N", help="processes (default: one per core)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one line heliograph-simulate/1 per run"
    )


def run(args: argparse.Namespace) -> int:
    """Play everything; the exit code."""
    from bridge.simulate.page.picture import share
    from bridge.simulate.page.write import write_page
    from bridge.simulate.policy import find_policy
    from bridge.simulate.runner import Job

    what, notes = _chosen(args)
    names = tuple(dict.fromkeys([args.policy, *args.compare]))
    for name in names:
        find_policy(name)
    _check_files(args, what)
    numbers = share(len(what) * len(names)) if args.html is not None else 0
    for note in notes:
        print(note, file=sys.stderr)
    jobs = [Job(one, names, args.trace, numbers) for one in what]
    done = []
    days = play_all(jobs, args.jobs)
    if not (args.json and sys.stdout.isatty()):  # lines and a bar spoil one another
        days = watched(days, len(jobs))
    for played in days:
        if args.json:
            for result in played.results:
                print(json.dumps(result), flush=True)
        done.append(played)
    if args.html is not None:
        write_page(args.html, done, notes)
    if not args.json:
        _show(done)
    return 0


def _chosen(args: argparse.Namespace) -> tuple[Sequence[Path | Case], Sequence[str]]:
    """What is to be played, and what must be known about it. Raises HeliographError."""
    from bridge.simulate.case import read_case
    from bridge.simulate.runner import scenario_files

    if args.days or not args.scenario:
        return simulate_own.cases(args)
    simulate_own.refuse(args)
    files = scenario_files(args.scenario)
    for file in files:
        read_case(file)  # better known now than after the days before it
    return files, []


def _check_files(args: argparse.Namespace, what: Sequence[Path | Case]) -> None:
    """Raises ScenarioError for a file that cannot be written, before the days are played."""
    from bridge.simulate.scenario import ScenarioError

    if args.trace is not None and len(what) > 1:
        raise ScenarioError("--trace is for one scenario: there are several")
    played = {one.resolve() for one in what if isinstance(one, Path)}
    for path in (args.trace, args.html):
        if path is None:
            continue
        if path.is_dir():
            raise ScenarioError(f"{path} cannot be written: it is a folder")
        if not path.parent.is_dir():
            raise ScenarioError(f"{path} cannot be written: there is no such folder")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ScenarioError(f"{path} cannot be written: permission denied")
        if path.resolve() in played:
            raise ScenarioError(f"{path} is a scenario to play: it would be lost")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, from 0")
    return int(text)


def _show(played: Sequence[Played]) -> None:
    from bridge.simulate.summary import HEADS, cells, summarise

    rows = [cells(line) for line in summarise(played)]
    show_table("Simulated days: means by archetype", HEADS, rows)
