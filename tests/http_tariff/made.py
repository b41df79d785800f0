"""An http_tariff pointed at its simulator, in time that a test moves."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from actors.tariffs.http_tariff.actor import HttpTariff
from actors.tariffs.http_tariff.settings import HttpTariffSettings
from actors.tariffs.http_tariff.sim import Simulator
from tests.runtime.virtual import Wire, context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.clock import Clock

TEMPLATES = (
    *("awattar_de", "awattar_at", "elering", "energinet", "energy_charts", "nordpool"),
    *("octopus", "omie"),
)


def tariff(sim: Any, folder: Path, clock: Clock, **more: Any) -> HttpTariff:
    """The actor with the settings that the simulator names."""
    given = {"url": f"http://127.0.0.1:{sim.port}", **sim.settings(), **more}
    zone = given.pop("zone", None)
    settings = HttpTariffSettings(area=zone, **given)
    assert list(settings.check()) == []
    about = dataclasses.replace(context(folder, settings=settings), clock=clock)
    actor = HttpTariff(about)
    actor.wire = Wire()  # type: ignore[attr-defined]
    actor.wire.attach(actor)  # type: ignore[attr-defined]
    return actor


@contextlib.asynccontextmanager
async def pair(
    folder: Path, clock: Clock, template: str, *, settings: dict[str, Any] | None = None, **sim: Any
) -> AsyncIterator[tuple[Simulator, HttpTariff]]:
    """A simulator and the actor that asks it."""
    async with Simulator(template=template, clock=clock, **sim) as simulator:
        actor = tariff(simulator, folder, clock, **(settings or {}))
        try:
            yield simulator, actor
        finally:
            await actor.safe()
