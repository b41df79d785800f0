"""Measure how well the sharing is done, and write the figures into docs/control.md.

    python tools/control.py [--scenarios FOLDER] [--numbers N] [--policies NAME …] [--jobs N]

Without a folder the project's own scenarios are made first (bridge/simulate/made).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge.cli.simulate import play_all
from bridge.simulate.control import between, tables
from bridge.simulate.made.write import write_set
from bridge.simulate.runner import Job, scenario_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.simulate.runner import Played

ROOT = Path(__file__).parents[1]
POLICIES = ["heliograph", "es_ess", "es_ess_locks"]


def main(arguments: list[str]) -> int:
    """Measure and write; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--scenarios", type=Path, help="a folder of scenarios and bounds.json")
    parser.add_argument("--numbers", type=int, default=4, help="own scenarios of each archetype")
    parser.add_argument("--policies", nargs="+", default=POLICIES, help="the first one is ours")
    parser.add_argument("--jobs", type=int, default=0, help="processes (default: one per core)")
    parser.add_argument("--write", type=Path, default=ROOT / "docs" / "control.md")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folder, whose = args.scenarios, "the project's own set"
        if folder is None:
            folder = Path(made)
            for name in write_set(folder, range(args.numbers)):
                _tell(name, "made")
        else:
            whose = f"the folder `{folder.resolve().name}`"
        jobs = [Job(file, tuple(args.policies)) for file in scenario_files([folder])]
        played = list(_watched(play_all(jobs, args.jobs), jobs))
    text = args.write.read_text(encoding="utf-8")
    args.write.write_text(between(text, tables(played, whose)), encoding="utf-8")
    return 0


def _watched(played: Iterator[Played], jobs: Sequence[Job]) -> Iterator[Played]:
    for number, one in enumerate(played, start=1):
        _tell(str(one.results[0]["scenario"]), f"{number} of {len(jobs)}")
        yield one


def _tell(name: str, what: str) -> None:
    print(f"{name}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
