"""The simulator as seen by two independent clients, one for each HTTP API."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.chargers.go_e.sim import Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPTS = Path(__file__).parents[1] / "oracles"

# The first run installs them, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


async def test_goecharger_api_lite_reads_and_sets() -> None:
    python = oracle_python(["goecharger-api-lite==1.5.1"])
    async with Simulator(speed=20.0, switch_time=0.0) as sim:
        address = f"127.0.0.1:{sim.port}"
        seen = await ask_oracle(python, SCRIPTS / "goecharger_api_lite_check.py", address)
    before, after = seen["before"], seen["after"]
    assert (before["car_state"], before["charging_mode"]) == ("WaitCar", "neutral")
    assert (before["phase_mode"], before["error"]) == ("auto", None)
    assert before["device_model"] == "11KW/16A"
    assert before["energy"]["voltage"]["L1"] == 230
    assert (after["car_state"], after["charging_mode"]) == ("Charging", "on")
    # One phase of 9 A at 230 V.
    assert after["energy"]["power"] == {"L1": 2070, "L2": 0, "L3": 0, "N": 0, "total": 2070}
    assert after["energy"]["current"]["L1"] == 9
    assert (after["ampere"], after["phase_mode"]) == (9, "one")
    assert {"energy", "wh", "eto", "modelStatus"} <= set(seen["full"])
    assert sim.commands == [("amp", 9), ("psm", 1), ("frc", 2)]


async def test_goecharger_reads_and_sets() -> None:
    python = oracle_python(["goecharger==0.1.0"])
    async with Simulator(api="v1", speed=20.0) as sim:
        address = f"127.0.0.1:{sim.port}"
        seen = await ask_oracle(python, SCRIPTS / "goecharger_check.py", address)
        charged = sim.box.keys["wh"]
    before, stopped, after = seen["before"], seen["stopped"], seen["after"]
    assert (before["allow_charging"], before["charger_err"]) == ("on", "OK")
    assert (before["u_l1"], before["cable_max_current"]) == (230, 20)
    assert before["energy_total"] == pytest.approx(1076.1, abs=0.1)
    assert stopped["allow_charging"] == "off"
    assert (after["allow_charging"], after["car_status"]) == ("on", "charging")
    # Three phases of 9 A at 230 V, in kW.
    assert (after["p_all"], after["p_l2"], after["i_l3"]) == (6.21, 2.1, 9)
    assert (after["pre_contactor_l2"], after["post_contactor_l3"]) == ("on", "on")
    assert after["current_session_charged_energy"] == pytest.approx(charged / 1000, abs=0.05)
    assert sim.commands == [("alw", "0"), ("amx", "9"), ("alw", "1")]
