"""The simulator as seen by sessypy, the library of the Home Assistant integration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.devices.sessy.sim import Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "sessypy_check.py"

# The first run installs sessypy, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def sessypy() -> Path:
    # It needs aiohttp and does not say so.
    return oracle_python(["sessypy==0.2.6", "aiohttp==3.14.5"])


async def ask(sessypy: Path, sim: Simulator) -> Any:
    place = f"{sim.host}:{sim.port}"
    return await ask_oracle(sessypy, SCRIPT, place, sim.username, sim.password or "")


async def test_a_battery(sessypy: Path) -> None:
    async with Simulator("battery", password="pw") as sim:
        found = await ask(sessypy, sim)
        assert (sim.battery.strategy, sim.battery.setpoint) == ("POWER_STRATEGY_API", -1500)
    assert (found["class"], found["model"]) == ("SessyBattery", "WiFi Dongle")
    assert found["serial"] == sim.serial
    assert found["power"]["sessy"]["power"] == -800
    assert found["before"] == "POWER_STRATEGY_NOM"
    assert found["after"] == "POWER_STRATEGY_API"
    assert found["lent"]["sessy"]["power"] == -1500
    assert found["lent"]["sessy"]["power_setpoint"] == -1500
    assert found["energy"]["sessy_energy"]["import_wh"] >= 1_843_210
    assert found["settings"]["max_power"] == 2200
    assert found["firmware"] == "1.9.2"
    assert found["wrong_password"] == "SessyLoginException"


async def test_meters(sessypy: Path) -> None:
    async with Simulator("p1", password="pw") as sim:
        found = await ask(sessypy, sim)
    assert found["class"] == "SessyP1Meter"
    assert found["p1"]["power_total"] == -1412
    assert found["p1"]["state"] == "P1_OK"
    assert found["target"] == -100
    async with Simulator("ct", password="pw", power=(501, 232, 109)) as sim:
        found = await ask(sessypy, sim)
    assert found["class"] == "SessyCTMeter"
    assert (found["ct"]["total_power"], found["ct"]["power_l3"]) == (842, 109)


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [("500", "SessyUnavailableException"), ("404", "SessyNotSupportedException")],
)
async def test_faults(sessypy: Path, fault: str, wanted: str) -> None:
    async with Simulator("battery", password="pw") as sim:
        sim.fault = fault
        assert (await ask(sessypy, sim))["failed"] == wanted
