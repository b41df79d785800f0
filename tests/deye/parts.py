"""An actor at a simulated Deye, without a broker."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from actors.devices.deye.actor import Deye, Settings
from bridge.config.kinds import all_kinds
from tests.actors.kinds import make

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.devices.deye.sim import Simulator

KIND = all_kinds()["deye"]


def settings_at(sim: Simulator, **more: Any) -> Settings:
    given: dict[str, Any] = {"host": sim.host, "port": sim.port, "timeout": 1.0, "retries": 0}
    if sim.transport == "solarman":
        given |= {"transport": "solarman", "serial": sim.serial}
    return Settings(**given | more)


@contextlib.asynccontextmanager
async def reading(sim: Simulator, state: Path, **more: Any) -> AsyncIterator[Deye]:
    """An actor that has read its device once."""
    actor = make(KIND, settings_at(sim, **more), state)
    assert isinstance(actor, Deye)
    async with actor.direct():
        await actor.read_once()
        yield actor


def settings_of(sim: Simulator) -> dict[int, int]:
    """Every word that can be written, as it stands."""
    return {place: sim.rows.words[place] for place in sim.rows.writable}


def written(sim: Simulator) -> list[tuple[int, int]]:
    """The writes since the log was cleared, as (first address, words)."""
    return [(address, len(words)) for _, address, words in sim.bank.writes]


def without_clock(sim: Simulator) -> dict[int, int]:
    """As `settings_of`, without what moves by itself."""
    clock = sim.table["inverter_clock"].places
    return {place: word for place, word in settings_of(sim).items() if place not in clock}
