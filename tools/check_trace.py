"""Check a trace of `heliograph simulate --trace` against its scenario, and a result with it.

    python tools/check_trace.py SCENARIO.json TRACE.jsonl [RESULT.json]

Exit code 1 when anything disagrees.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge.simulate.checker.check import Check


def main(arguments: list[str]) -> int:
    """Print the findings; the exit code."""
    file = Path(arguments[0])
    scenario = json.loads(file.read_text(encoding="utf-8"))
    with (file.parent / scenario["day_csv"]).open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    lines = Path(arguments[1]).read_text(encoding="utf-8").splitlines()
    result = json.loads(Path(arguments[2]).read_text(encoding="utf-8")) if arguments[2:] else None
    found = Check(scenario, rows, lines).findings(result)
    print("\n".join(found) or "everything agrees")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
