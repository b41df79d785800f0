"""The simulated Electricity Maps as seen by `aioelectricitymaps`, which Home Assistant uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.tariffs.co2.sim import TOKEN, Simulator
from tests.support.days import Days
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "electricity_maps_check.py"

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    return oracle_python(["aioelectricitymaps==1.1.1"])


async def test_it_sees_the_intensity_that_we_show(library: Path) -> None:
    days = Days()
    async with Simulator(source="electricity_maps", clock=days) as sim:
        url = f"http://127.0.0.1:{sim.port}"
        seen = await ask_oracle(library, SCRIPT, url, TOKEN, "DE")
        sim.fault = "no_data"
        nothing = await ask_oracle(library, SCRIPT, url, TOKEN, "DE")
    hour = days.utc().replace(minute=0, second=0, microsecond=0)
    assert seen["right"] == {
        "zone": "DE",
        "intensity": sim.intensity(hour),
        "unit": "gCO2eq/kWh",
    }
    assert seen["wrong"] == {"error": "ElectricityMapsInvalidTokenError"}
    assert nothing["right"] == {"error": "ElectricityMapsNoDataError"}
