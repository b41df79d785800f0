"""`python -m bench.inverters 50`: so many simulated SUN2000 in one process, until stdin closes."""

from __future__ import annotations

import contextlib
import json
import sys

import anyio
import anyio.to_thread

from bridge.config.kinds import find_kind

KIND = "sun2000"


async def serve(count: int) -> None:
    """Print the ports as one line of JSON, then answer until nobody holds our stdin any more."""
    module = find_kind(KIND).simulator()
    if module is None:
        raise SystemExit(f"the {KIND} kind has lost its simulator")
    async with contextlib.AsyncExitStack() as stack:
        found = [await stack.enter_async_context(module.Simulator(port=0)) for _ in range(count)]
        print(json.dumps([each.port for each in found]), flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)


if __name__ == "__main__":
    anyio.run(serve, int(sys.argv[1]))
