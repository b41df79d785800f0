"""An actor at its simulator, without a broker."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actors.devices.sun2000.actor import Sun2000
from bridge.config.kinds import find_kind
from tests.actors.kinds import make, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.devices.sun2000.sim import Simulator

KIND = find_kind("sun2000")
FORCED = 47100


def actor_at(sim: Simulator, state: Path, **settings: Any) -> Sun2000:
    """The actor with quick settings, not running; `dut` is its id."""
    found = make(KIND, settings_for(KIND, sim, **{"retries": 2} | settings), state)
    assert isinstance(found, Sun2000)
    # The simulator does not want a pause between two questions, and a test has many of them.
    found.pacing = lambda: replace(Sun2000.pacing(found), between=0.0)  # type: ignore[method-assign]
    return found


@contextlib.asynccontextmanager
async def at_work(sim: Simulator, state: Path, **settings: Any) -> AsyncIterator[Sun2000]:
    """The actor after its first reading; what it asked until then is forgotten."""
    actor = actor_at(sim, state, **settings)
    async with actor.direct():
        await actor.read_once()
        sim.bank.log.clear()
        yield actor


async def put(actor: Sun2000, control: str, value: float | str | None) -> Any:
    """Set or give back a control and tell what was read back."""
    return await actor.write_control(control, value, device="dut")


def written(sim: Simulator) -> list[tuple[int, list[int]]]:
    """Every write that came: address and words."""
    return [(address, words) for _, address, words in sim.bank.writes]
