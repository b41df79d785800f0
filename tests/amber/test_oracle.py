"""The simulator as seen by `amberelectric`, the library that Home Assistant uses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.tariffs.amber.client import Client
from actors.tariffs.amber.sim import SITE, TOKEN, Simulator
from bridge.config.secret import Secret
from tests.support.days import Days
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "amberelectric_check.py"
KINDS = {"actual": "ActualInterval", "current": "CurrentInterval", "forecast": "ForecastInterval"}

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    return oracle_python(["amberelectric==2.0.12"])


@pytest.mark.parametrize("length", [5, 30])
async def test_it_is_understood_by_another_library(
    library: Path, tmp_path: Path, length: int
) -> None:
    days = Days(datetime(2026, 11, 20, 8, 31, 10, tzinfo=UTC))
    channels = ("general", "controlledLoad", "feedIn")
    async with Simulator(length=length, channels=channels, days=["spike"], clock=days) as sim:
        url = f"http://127.0.0.1:{sim.port}"
        seen = await ask_oracle(library, SCRIPT, url, TOKEN)
        async with Client(Secret(TOKEN), folder=tmp_path, url=url, clock=days) as amber:
            ours = await amber.current(SITE, before=1, after=3)
    assert [SITE, "active", length] in seen["sites"]
    theirs = {(each["channel"], each["end"]): each for each in seen["current"]}
    assert len(theirs) == len(ours) == 15
    for each in ours:
        their = theirs[each.channel, each.end.isoformat()]
        assert their["price"] == each.price
        assert their["spot"] == each.spot
        assert their["class"] == KINDS[each.kind]
        assert (their["spike"], their["descriptor"]) == (each.spike, each.descriptor)
        assert their["minutes"] == each.minutes == length
        assert their["start"].endswith("01+00:00")
        assert datetime.fromisoformat(their["nem"]) == each.end
    bands = [each.band.predicted for each in ours if each.band is not None]
    assert seen["predicted"] == bands
    assert seen["limits"]["RateLimit-Policy"] == "50;w=300"
    assert seen["prices"] == 3 * 24 * 60 // length
    assert any(kwh < 0 and cost < 0 for kwh, cost, _ in seen["usage"])
    assert [name for name, *_ in seen["renewables"]] == [
        "ActualRenewable",
        "CurrentRenewable",
        "ForecastRenewable",
    ]
    assert seen["wrong"] == 401
