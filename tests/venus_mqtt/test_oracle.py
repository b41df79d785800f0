"""The simulator as seen by an independent client, victron-mqtt."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.venus.venus_mqtt.sim import Simulator
from tests.support.oracle import ask_oracle, oracle_python
from tests.venus_mqtt.rig import AC, build

SCRIPT = Path(__file__).parents[1] / "oracles" / "victron_mqtt_check.py"

# The first run installs it, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


async def test_victron_mqtt_reads_and_sets(tmp_path: Path) -> None:
    python = oracle_python(["victron-mqtt==2026.10.1"])
    async with Simulator() as sim:
        actor = build(tmp_path, sim.port)
        async with actor.direct():
            ours = await actor.read_once()
        seen = await ask_oracle(python, SCRIPT, str(sim.port))
        assert sim.plant.setpoint == 1230
        assert sim.player.written == [(AC, 1230)]
    before, after = seen["before"], seen["after"]

    def theirs(name: str) -> float:
        return float(before[f"system_0_system_{name}"])

    assert seen["id"] == actor.gx.portal
    for phase in (1, 2, 3):
        assert theirs(f"grid_power_l{phase}") == ours[f"GridPowerL{phase}"]
        assert theirs(f"consumption_power_l{phase}") == ours[f"LoadPowerL{phase}"]
        sides = theirs(f"pv_on_grid_power_l{phase}"), theirs(f"pv_on_output_power_l{phase}")
        assert sum(sides) == ours[f"PvPowerL{phase}"]
    assert theirs("dc_pv_power") == ours["PvDcPower"]
    assert theirs("dc_battery_soc") == ours["BatterySoc"]
    assert theirs("dc_battery_voltage") == ours["BatteryVoltage"]
    # They keep the GX's sign: + = charging.
    assert theirs("dc_battery_power") == -float(ours["BatteryPower"] or 0)
    assert theirs("control_active_soc_limit") == ours["ActiveMinSoc"]
    assert before["system_0_system_dc_battery_state"] == "CHARGING"
    assert (ours["BatteryState"], ours["AcInputSource"]) == ("charging", "grid")
    assert before["system_0_system_ac_active_input_source"] == "GRID"
    assert theirs("ac_power_set_point") == 50
    assert float(after["system_0_system_ac_power_set_point"]) == 1230
