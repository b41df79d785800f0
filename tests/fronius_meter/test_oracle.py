"""The simulator as seen by pyfronius, the library that Home Assistant uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.devices.fronius_meter.sim import Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "pyfronius_check.py"
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


async def test_a_meter() -> None:
    python = oracle_python(["pyfronius==0.8.2"])
    async with Simulator(powers=(1200, -300.5, 50), unit=2) as sim:
        found = await ask_oracle(python, SCRIPT, sim.host, str(sim.port), "2")
    one = found["one"]
    assert one["power_real"] == 949.5
    assert [one[f"power_real_phase_{phase}"] for phase in (1, 2, 3)] == [1200, -300.5, 50]
    assert (one["voltage_ac_phase_1"], one["current_ac_phase_3"]) == (230.5, 4.4)
    assert (one["energy_real_consumed"], one["energy_real_produced"]) == (2125500, 5250250)
    assert (one["meter_location"], one["model"]) == (0, "Smart Meter 63A")
    assert found["meters"]["2"]["power_real"] == 949.5
    assert found["missing"] == "BadStatusError"
