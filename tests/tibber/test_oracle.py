"""The simulator as seen by `pyTibber`, the library that Home Assistant uses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.tariffs.tibber.answer import chosen
from actors.tariffs.tibber.client import Client
from actors.tariffs.tibber.decode import read_prices
from actors.tariffs.tibber.sim import TOKEN, Simulator
from bridge.config.secret import Secret
from tests.support.days import Days
from tests.support.oracle import ask_oracle, oracle_python
from tests.tibber.rig import HOME

SCRIPT = Path(__file__).parents[1] / "oracles" / "tibber_check.py"

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    return oracle_python(["pyTibber==0.39.1"])


@pytest.mark.parametrize(
    ("begin", "count"),
    [
        (datetime(2026, 11, 20, 18, 7, tzinfo=UTC), 192),
        (datetime(2026, 10, 24, 18, 7, tzinfo=UTC), 196),
        (datetime(2026, 10, 25, 0, 20, tzinfo=UTC), 100),
        (datetime(2027, 3, 28, 3, 0, tzinfo=UTC), 92),
    ],
)
async def test_it_sees_the_prices_that_we_see(
    library: Path, tmp_path: Path, begin: datetime, count: int
) -> None:
    days = Days(begin)
    async with Simulator(clock=days, prices="negative", homes=2, contracts=1) as sim:
        url = f"http://127.0.0.1:{sim.port}"
        seen = await ask_oracle(library, SCRIPT, f"{url}/v1-beta/gql", TOKEN)
        async with Client(Secret(TOKEN), folder=tmp_path, url=url, clock=days) as client:
            home = chosen(await client.homes(), None)
    ours = read_prices(home, "total", sim.account.market.zone)
    theirs = {
        datetime.fromisoformat(start).astimezone(UTC): total
        for start, total in seen["prices"].items()
    }
    assert len(ours.curve) == len(theirs) == count
    assert {slot.start: slot.value for slot in ours.curve} == theirs
    assert seen["homes"] == [HOME] == [home.id]
    assert (seen["currency"], seen["nickname"]) == (ours.currency, home.name)
    assert "invalid token" in seen["wrong"]
