"""Hours of an account in virtual time: how often the service is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.devices.alphaess.sim import Simulator
from tests.alphaess.rig import Rig, build
from tests.support.days import week

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

HOURS = 1.0


@pytest.mark.parametrize(("systems", "chargers"), [(1, 0), (1, 1), (3, 1)])
def test_the_calls_stay_within_what_the_service_bears(
    tmp_path: Path, systems: int, chargers: int
) -> None:
    made: list[Simulator] = []

    def simulator(clock: Clock) -> Simulator:
        made.append(Simulator(systems=systems, chargers=chargers, gap=10, clock=clock))
        return made[-1]

    async def asking(sim: Simulator, clock: Clock) -> None:
        actor = build(tmp_path, sim, clock=clock, gap=10, interval=30)
        Rig(actor)
        try:
            await actor.run()
        finally:
            await actor.safe()

    calls = week(simulator, asking, days=HOURS / 24)
    (sim,) = made
    assert sim.too_fast == 0
    assert calls == len(sim.at)
    live = sum("getLastPowerData" in each for each in sim.requests)
    most = HOURS * 360
    if systems == 1:
        # The powers come each 30 s whatever else there is to ask.
        assert live >= 0.95 * HOURS * 120
        assert calls <= 0.7 * most
    else:
        assert calls <= 0.9 * most
        assert live >= 0.35 * most
