"""Make scenarios, their days and their bounds: the project's own set.

    python tools/make_scenarios.py FOLDER [NUMBERS]

NUMBERS is how many of each archetype (default 4): the numbers 0, 1, 2 … The same number makes the
same day everywhere. See docs/control.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge.simulate.made.write import write_set


def main(arguments: list[str]) -> int:
    """Make them; the exit code."""
    count = int(arguments[1]) if arguments[1:] else 4
    for name in write_set(Path(arguments[0]), range(count)):
        print(name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
