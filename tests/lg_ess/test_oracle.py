"""The simulator as seen by pyess, the library that LG ESS owners use."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.devices.lg_ess.sim import MODELS, PASSWORD, Simulator
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "pyess_check.py"

# The first run installs pyess, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def pyess() -> Path:
    return oracle_python(["pyess==0.1.23"])


@pytest.mark.parametrize("model", ["home5", "home10", "home15"])
async def test_pyess_logs_in_reads_and_writes(pyess: Path, model: str) -> None:
    async with Simulator(model, pv=2400, load=500, battery=-1300) as sim:
        words = [f"{sim.host}:{sim.port}", PASSWORD, *(["expiry"] if model == "home10" else [])]
        seen = await ask_oracle(pyess, SCRIPT, *words)
        assert seen["wrong_password"] == "wrong password"
        assert sim.logins_refused == 1
        assert (
            len(sim.clocks) == sim.logins == (2 if model == "home10" else 1)
        )  # it sets the clock at each login
        statistics = seen["home"]["statistics"]
        if model == "home15":
            assert statistics["pv_total_power_01kW"] == 24
            assert seen["common"]["ess"][0]["sum_of_pv_power"] == 2400
        else:
            assert (statistics["pcs_pv_total_power"], statistics["grid_power"]) == ("2400", "600")
            assert float(seen["common"]["GRID"]["active_power"]) == -600.0
        assert seen["home"]["direction"]["is_grid_selling_"] in {1, "1"}
        assert seen["systeminfo"]["pms"]["model"] == MODELS[model].code
        assert seen["network"]["type"] == "wired"
        assert len(seen["graphs"]) == 12
        assert "total_feed_in" in seen["graphs"]["pv month"]
        assert "total_Feed_in" in seen["graphs"]["pv year"]
        assert "soc" in seen["graphs"]["batt day"]
        assert seen["batt"]["winter_setting"] == "off"
        assert seen["batt_after"]["winter_setting"] == "on"
        if model == "home5":
            assert seen["batt_after"]["alg_setting"] == "on"
        assert (seen["off"], seen["on"]) == ("stop", "start")
        if model == "home10":
            assert "statistics" in seen["after_expiry"]
        assert {"wintermode": "on"} in sim.writes
