"""Measure how well the sharing is done, and write the figures into docs/control.md.

    python tools/control.py [--scenarios FOLDER] [--numbers N] [--ablation N] [--policies NAME …]

Without a folder the project's own scenarios are made first (bridge/simulate/made).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge.cli.main import report
from bridge.cli.simulate_many import each, play_all, watched
from bridge.errors import HeliographError
from bridge.simulate.control import BEGIN, BEGIN_FOLDER, ablation, between, pick, tables
from bridge.simulate.made.houses import ARCHETYPES
from bridge.simulate.made.write import write_set
from bridge.simulate.policy import find_policy, policies
from bridge.simulate.runner import Job, scenario_files
from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.simulate.runner import Played

ROOT: Final = Path(__file__).parents[1]
POLICIES: Final = ["heliograph", "es_ess", "es_ess_locks"]
EVEN: Final = "Days with even numbers may have been looked at while the rule was changed, those "
TUNED: Final = {
    "even": f"{EVEN}with odd numbers not.",
    "odd": EVEN.replace("even", "odd") + "with even numbers not.",
    "all": "All of these days may have been looked at while the rule was changed.",
    "none": "None of these days was looked at while the rule was changed.",
    "unknown": "Nobody has said which of these days were looked at while the rule was changed: "
    "even and odd numbers stand apart.",
}


def main(arguments: Sequence[str]) -> int:
    """Measure and write; the exit code."""
    args = _parsed(arguments)
    began = time.monotonic()
    try:
        for name in args.policies:
            find_policy(name)
        marker = BEGIN if args.scenarios is None else BEGIN_FOLDER
        text = args.write.read_text(encoding="utf-8")
        between(text, "", marker)  # better known now than after the work
        with tempfile.TemporaryDirectory() as made:
            if args.scenarios is None:
                folder, whose = Path(made), "the project's own set"
                _make(folder, args.numbers, args.jobs)
            else:
                folder, whose = args.scenarios, f"the folder `{args.scenarios.resolve().name}`"
            new = _measured(folder, whose, args)
        text = args.write.read_text(encoding="utf-8")  # it may have been edited meanwhile
        args.write.write_text(between(text, new, marker), encoding="utf-8")
    except HeliographError as error:
        return report(error)
    except OSError as error:
        return report(ScenarioError(f"{error.filename} cannot be used: {error.strerror}"))
    except KeyboardInterrupt:
        return 130
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    cores = args.jobs or os.cpu_count() or 1
    _tell(args.write.name, f"written after {minutes} min {seconds} s with {cores} processes")
    return 0


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--scenarios", type=Path, help="a folder of scenarios and bounds.json")
    parser.add_argument("--numbers", type=int, default=6, help="own scenarios of each archetype")
    parser.add_argument(
        "--ablation", type=int, default=1, metavar="N",
        help="days of each archetype that are played without each idea (0: none)",
    )  # fmt: skip
    parser.add_argument("--policies", nargs="+", default=POLICIES, help="the first one is ours")
    parser.add_argument(
        "--tuned", choices=TUNED, help="the numbers that were looked at while the rule was changed"
    )
    parser.add_argument("--jobs", type=int, default=0, help="processes (default: one per core)")
    parser.add_argument("--write", type=Path, default=ROOT / "docs" / "control.md")
    args = parser.parse_args(arguments)
    if args.numbers < 1 or args.ablation < 0 or args.jobs < 0:
        parser.error("--numbers must be at least 1, --ablation and --jobs at least 0")
    args.tuned = args.tuned or ("even" if args.scenarios is None else "unknown")
    return args


def _make(folder: Path, numbers: int, jobs: int) -> None:
    total = numbers * len(ARCHETYPES)
    names = write_set(folder, range(numbers), partial(each, processes=jobs))
    for _ in _told(names, total, "made"):
        pass


def _measured(folder: Path, whose: str, args: argparse.Namespace) -> str:
    """Play everything; what is to stand between the markers."""
    files = scenario_files([folder])
    jobs = [Job(file, tuple(args.policies)) for file in files]
    played = list(_told(play_all(jobs, args.jobs), len(jobs), "played"))
    text = tables(played, whose, TUNED[args.tuned])
    ideas = _ideas(args.policies[0])
    if not ideas or not args.ablation:
        return text
    some = _some(files, played, args.ablation)
    parts = [Job(file, (name,)) for file in some for name in ideas]
    lacking = list(_told(play_all(parts, args.jobs), len(parts), "without an idea"))
    return text + ablation(played, lacking, ideas)


def _ideas(ours: str) -> dict[str, str]:
    """The policies that are ours without one idea, and what happens without it."""
    found = {}
    for name, factory in policies().items():
        without = getattr(factory, "without", None)
        if without is not None and name.startswith(f"{ours}-without-"):
            found[name] = without.sentence
    return found


def _some(files: Sequence[Path], played: Sequence[Played], count: int) -> list[Path]:
    """So many days of each archetype."""
    by_archetype: dict[str, list[str]] = {}
    for file, one in zip(files, played, strict=True):
        by_archetype.setdefault(one.archetype, []).append(str(file))
    return [Path(name) for names in by_archetype.values() for name in pick(names, count)]


def _told(parts: Iterator[Any], total: int, what: str) -> Iterator[Any]:
    """The same, with a bar on a terminal and a line for each elsewhere."""
    for number, one in enumerate(watched(parts, total, what), start=1):
        if not sys.stderr.isatty():
            _tell(what, f"{number} of {total}")
        yield one


def _tell(name: str, what: str) -> None:
    print(f"{name}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
