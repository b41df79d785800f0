"""Check a trace of `heliograph simulate --trace` against its scenario, and a result with it.

    python tools/check_trace.py SCENARIO.json TRACE.jsonl [RESULT.json]

Exit code 1 when anything disagrees.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge.simulate.checker.check import Check


def main(arguments: list[str]) -> int:
    """Print the findings; the exit code."""
    parser = argparse.ArgumentParser(description="Check a trace against its scenario.")
    parser.add_argument("scenario", type=Path)
    parser.add_argument("trace", type=Path)
    parser.add_argument("result", type=Path, nargs="?", help="a line of `simulate --json`")
    args = parser.parse_args(arguments)
    try:
        found = findings(args.scenario, args.trace, args.result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = [f"it cannot be checked: {type(error).__name__}: {error}"]
    print("\n".join(found) or "everything agrees")
    return bool(found)


def findings(file: Path, trace: Path, told: Path | None) -> list[str]:
    """What does not agree. Raises OSError, ValueError and the like for what is no such file."""
    scenario = json.loads(file.read_text(encoding="utf-8"))
    with (file.parent / scenario["day_csv"]).open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    lines = trace.read_text(encoding="utf-8").splitlines()
    result = None if told is None else json.loads(told.read_text(encoding="utf-8"))
    return Check(scenario, rows, lines).findings(result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
