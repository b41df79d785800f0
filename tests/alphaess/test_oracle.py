"""The simulator as seen by alphaessopenapi, the library of the AlphaESS community."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.devices.alphaess.sim import APP_ID, APP_SECRET, Simulator
from actors.devices.alphaess.simulator.account import GET, POST
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "alphaess_check.py"

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    # It imports both and does not say so.
    needed = ["aiohttp==3.14.5", "voluptuous==0.15.2"]
    return oracle_python(["alphaessopenapi==0.0.21", *needed])


async def test_the_library_reads_and_writes_everything(library: Path) -> None:
    async with Simulator(chargers=1, entitled=True, hour=13) as sim:
        seen = await ask_oracle(library, SCRIPT, sim.url, APP_ID, APP_SECRET)
    assert seen["wrong"] == 6007
    live = seen["live"]
    assert live["pload"] == pytest.approx(live["ppv"] + live["pgrid"] + live["pbat"])
    assert seen["sums"]["moneyType"] == "EUR"
    assert len(seen["day"]) == 288
    assert seen["energy"]["theDate"] == "2026-11-19"
    assert (seen["charge"]["batHighCap"], seen["charge"]["timeChaf1"]) == (80, "02:00")
    assert (seen["discharge"]["batUseCap"], seen["discharge"]["timeDise1"]) == (15, "21:00")
    assert seen["plan"]["ctrDisCycle"] == 0
    assert seen["plan"]["dischargeTimeList"][0]["strategyType"] == 1
    assert seen["current"] == {"currentsetting": 10.0}
    assert seen["status"] == {"evchargerStatus": 6}
    assert seen["again"] == 6003
    assert set(sim.requests) == {f"GET {each}" for each in GET} | {f"POST {p}" for p in POST}
