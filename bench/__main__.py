"""`python -m bench`: every measurement against a private mosquitto, as one table."""

from __future__ import annotations

import argparse
import sys

import anyio

from bench import days, latency, process, registers, throughput
from bench.table import Row, show
from tests.support.mosquitto import BINARY, NOT_INSTALLED

PARTS = {
    "latency": latency.measure,
    "process": process.measure,
    "throughput": throughput.measure,
    "registers": registers.measure,
    "days": days.measure,
}


def main() -> int:
    """Run the chosen parts and print their table."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="default: all of them")
    parser.add_argument("--rounds", type=int, default=300, help="round trips per latency figure")
    args = parser.parse_args()
    if BINARY is None:
        print(NOT_INSTALLED, file=sys.stderr)
        return 1
    rows: list[Row] = []
    for name in args.part or PARTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows += anyio.run(PARTS[name], args.rounds)
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
