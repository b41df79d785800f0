"""What the tests of this folder share: a simulator and the actor that is pointed at it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from actors.devices.goodwe.actor import GoodWe, Settings
from bridge.clock import Clock
from bridge.config.kinds import find_kind
from tests.actors.kinds import make

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.devices.goodwe.sim import Simulator

KIND = find_kind("goodwe")


class Hurried(Clock):
    """A clock whose waits are short."""

    async def sleep(self, seconds: float) -> None:
        """Wait a tenth of it."""
        await super().sleep(seconds / 10)


def settings(sim: Simulator, **more: Any) -> Settings:
    """Settings that reach the simulator, quick enough for a test."""
    given: dict[str, Any] = {"transport": sim.transport, "timeout": 0.3, "interval": 0.1}
    return Settings(host=sim.host, port=sim.port, **given | more)


@contextlib.asynccontextmanager
async def reading(sim: Simulator, state: Path, **more: Any) -> AsyncIterator[GoodWe]:
    """The actor with its connection, without a bridge."""
    actor = make(KIND, settings(sim, **more), state)
    assert isinstance(actor, GoodWe)
    actor.clock = Hurried()
    async with actor.direct():
        yield actor
