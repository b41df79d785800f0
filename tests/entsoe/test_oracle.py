"""The simulator as seen by `entsoe-py`, and its table of zones beside ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from actors.tariffs.entsoe.client import Client
from actors.tariffs.entsoe.curves import read_prices
from actors.tariffs.entsoe.sim import TOKEN, Simulator
from actors.tariffs.entsoe.zones import ZONES
from bridge.config.secret import Secret
from bridge.curve import local_day
from tests.entsoe.rig import CODE
from tests.support.days import Days
from tests.support.oracle import ask_oracle, oracle_python
from tests.support.tariffs import stamp

SCRIPT = Path(__file__).parents[1] / "oracles" / "entsoe_check.py"
MARKET = ZoneInfo("Europe/Brussels")

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    return oracle_python(["entsoe-py==0.8.1"])


@pytest.mark.parametrize(
    ("day", "count", "quirks"),
    [
        (date(2026, 11, 20), 96, []),
        (date(2026, 11, 20), 96, ["a03"]),
        (date(2027, 3, 28), 92, ["a03"]),
        (date(2026, 10, 25), 100, []),
    ],
)
async def test_it_sees_the_prices_that_we_see(
    library: Path, tmp_path: Path, day: date, count: int, quirks: list[str]
) -> None:
    days = Days(datetime.combine(day, time(18), UTC))
    start, end = local_day(day, MARKET)
    async with Simulator(clock=days, prices="negative", quirks=quirks) as sim:
        url = f"http://127.0.0.1:{sim.port}"
        seen = await ask_oracle(
            library, SCRIPT, f"{url}/api", TOKEN, "DE_LU", day.isoformat(), day.isoformat()
        )
        async with Client(Secret(TOKEN), folder=tmp_path, url=url, clock=days) as client:
            series = await client.prices(CODE, start, end - timedelta(minutes=1))
    ours = read_prices(series, CODE, "EUR", MARKET).curve
    assert len(ours) == len(seen["prices"]) == count
    assert [[stamp(slot.start), round(slot.value * 1000, 5)] for slot in ours] == seen["prices"]
    assert seen["nothing"] is True
    assert seen["wrong"] == 401
    # Every zone of our table is one of that library's, by its code.
    assert set(ZONES.values()) <= set(seen["areas"].values())
    for name in ("AT", "FI", "NL", "PL", "CH"):
        assert ZONES[name] == seen["areas"][name]
    for name, theirs in (("DE-LU", "DE_LU"), ("SE3", "SE_3"), ("NO1", "NO_1"), ("DK2", "DK_2")):
        assert ZONES[name] == seen["areas"][theirs]
