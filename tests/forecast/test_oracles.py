"""The simulators as seen by other people's clients, beside what we read from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.clock import Clock
from bridge.config.kinds import find_kind
from tests.forecast.stand import actor_of
from tests.support.oracle import ask_oracle, oracle_python

if TYPE_CHECKING:
    from bridge.curve import Curve

ORACLES = Path(__file__).parents[1] / "oracles"

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


async def test_forecast_solar_is_understood_by_its_own_library(tmp_path: Path) -> None:
    python = oracle_python(["forecast-solar==4.2.0"])
    module = find_kind("forecast_solar").simulator()
    async with module.Simulator() as sim:  # type: ignore[union-attr]
        actor = actor_of("forecast_solar", sim, Clock(), tmp_path)
        ours: Curve = await actor.fetch(actor.clock.utc())  # type: ignore[assignment]
        await actor.make_safe()
        url = f"http://127.0.0.1:{sim.port}"
        seen = await ask_oracle(python, ORACLES / "forecast_solar_check.py", url)
    assert seen["limit"] == [12, 3600]
    assert seen["wrong"] == "ForecastSolarAuthenticationError"
    assert len(seen["period"]) > 10
    total = 0.0
    for stamp, wh in seen["period"].items():
        slot = ours.slot_at(datetime.fromisoformat(stamp) - timedelta(seconds=1))
        assert slot is not None, stamp
        assert slot.value * (slot.length / timedelta(hours=1)) == pytest.approx(wh, abs=1)
        total += wh
    assert total == pytest.approx(sum(seen["days"].values()))


async def test_open_meteo_gives_the_power_that_another_library_computes(tmp_path: Path) -> None:
    python = oracle_python(["open-meteo-solar-forecast==0.1.32"])
    module = find_kind("open_meteo").simulator()
    async with module.Simulator() as sim:  # type: ignore[union-attr]
        actor = actor_of("open_meteo", sim, Clock(), tmp_path, efficiency=1.0)
        ours: Curve = await actor.fetch(actor.clock.utc())  # type: ignore[assignment]
        await actor.make_safe()
        url = f"http://127.0.0.1:{sim.port}"
        seen = await ask_oracle(python, ORACLES / "open_meteo_check.py", url)
    compared = 0
    for stamp, power in seen.items():
        mine = ours.at(datetime.fromisoformat(stamp))
        if mine is not None:
            assert mine == pytest.approx(power, abs=1), stamp
            compared += power > 0
    assert compared > 30
