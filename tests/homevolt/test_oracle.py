"""The simulator as seen by `homevolt`, the library that other home automations use."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.devices.homevolt.sim import Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "homevolt_check.py"

# The first run installs the library, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def library() -> Path:
    return oracle_python(["homevolt==0.7.0"], least=(3, 12))


@pytest.mark.parametrize("password", [None, "shpw"])
async def test_it_is_read_and_controlled(library: Path, password: str | None) -> None:
    async with Simulator(password=password, units=2) as sim:
        arguments = [f"http://{sim.host}:{sim.port}", *([password] if password else [])]
        seen = await ask_oracle(library, SCRIPT, *arguments)
        assert sim.console.entries[0]["params"] == {"setpoint": 2500}
        assert sim.console.lines[-1] == "sched_set 1 -s 2500"
        assert not sim.console.local_mode
    first = seen["first"]
    assert first["State of Charge"] == pytest.approx(68.0, abs=0.1)
    assert first["Power"] == -900
    assert first["L1 Voltage"] == 230.5
    assert first["System Temperature"] == 23.1
    assert first["Frequency"] == 50012
    assert first["Energy imported"] == pytest.approx(605.99)
    assert first["Homevolt battery 1 tmax"] == 23.0
    assert first["Power virtual"] == -1200
    assert first["Schedule Type"] == "inverter_charge"
    assert first["Schedule Power Setpoint"] == 1800
    assert seen["modes"] == {
        "idle": "idle",
        "inverter_charge": "inverter_charge",
        "inverter_discharge": "inverter_discharge",
        "frequency_reserve": "frequency_reserve",
        "solar_charge": "solar_charge",
    }
    assert seen["local"] == [False, True, False]
    assert seen["power"] == -1250
    assert seen.get("wrong_password") == ("refused" if password else None)
