"""The simulated Nord Pool as seen by `pynordpool`, the library that Home Assistant uses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import anyio
import pytest

from actors.tariffs.http_tariff.sim import Simulator
from bridge.curve import local_day
from tests.http_tariff.made import tariff
from tests.support.days import Days
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "nordpool_check.py"
DAY = timedelta(days=1)

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    return oracle_python(["pynordpool==0.4.0"])


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2026, 11, 20), 96), (date(2027, 3, 28), 92), (date(2026, 10, 25), 100)],
)
async def test_it_sees_the_prices_that_we_see(
    library: Path, tmp_path: Path, day: date, count: int
) -> None:
    """On the eve of each day, when it is published and the day after it is not."""
    days = Days(datetime.combine(day - DAY, time(18), UTC))
    async with Simulator(template="nordpool", clock=days, prices="negative") as sim:
        wanted = [each.isoformat() for each in (day - DAY, day, day + DAY)]
        url = f"http://127.0.0.1:{sim.port}/api"
        seen = await ask_oracle(library, SCRIPT, url, "SE3", "SEK", *wanted)
        actor = tariff(sim, tmp_path, days)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.ask_once)
            await days.advance(30)  # between the calls for two days
        ours = actor.known
        await actor.safe()
    assert ours is not None
    theirs = seen[day.isoformat()]
    assert (theirs["currency"], theirs["final"], len(theirs["prices"])) == ("SEK", True, count)
    assert [
        [slot.start.isoformat(), slot.end.isoformat(), pytest.approx(slot.value * 1000)]
        for slot in ours.between(*local_day(day, sim.market.zone))
    ] == theirs["prices"]
    assert seen[(day - DAY).isoformat()] is not None
    assert seen[(day + DAY).isoformat()] is None
