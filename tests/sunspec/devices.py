"""What the tests of this folder share: a simulator, and the actor that is pointed at it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from actors.devices.sunspec.actor import Settings, SunSpec
from bridge.config.kinds import find_kind
from tests.actors.kinds import make

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.devices.sunspec.sim import Simulator

KIND = find_kind("sunspec")


def settings(sim: Simulator, **more: Any) -> Settings:
    """Settings that reach the simulator, quick enough for a test."""
    given: dict[str, Any] = {"timeout": 0.5, "interval": 0.1, "unit": sim.unit_id}
    return Settings(host=sim.host, port=sim.port, **given | more)


@contextlib.asynccontextmanager
async def reading(sim: Simulator, state: Path, **more: Any) -> AsyncIterator[SunSpec]:
    """The actor with its connection, without a bridge."""
    actor = make(KIND, settings(sim, **more), state)
    assert isinstance(actor, SunSpec)
    async with actor.direct():
        yield actor
