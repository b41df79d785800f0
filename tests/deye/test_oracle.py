"""The simulator as seen by sunsynk, a reader of Deye and Sunsynk inverters by other people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.devices.deye.sim import Simulator
from bridge.simulators.plant import Plant
from tests.deye.parts import reading
from tests.support.oracle import ask_oracle, oracle_python

SCRIPT = Path(__file__).parents[1] / "oracles" / "sunsynk_check.py"
SERIAL = 2712345678

# The first run installs sunsynk, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]

# Our quantity -> their sensor. Powers have our signs there.
BOTH = {
    "GridPower": "grid_power",
    "GridFrequency": "grid_frequency",
    "InverterPower": "inverter_power",
    "InverterFrequency": "inverter_frequency",
    "BatteryPower": "battery_power",
    "BatteryCurrent": "battery_current",
    "BatteryVoltage": "battery_voltage",
    "BatterySoc": "battery_soc",
    "BatteryTemperature": "battery_temperature",
    "InverterTemperature": "radiator_temperature",
    "PvString1Power": "pv1_power",
    "PvString1Voltage": "pv1_voltage",
    "PvString1Current": "pv1_current",
    "PvString2Power": "pv2_power",
    "PvString2Voltage": "pv2_voltage",
    "PvString2Current": "pv2_current",
    "PvEnergyToday": "day_pv_energy",
    "PvEnergy": "total_pv_energy",
    "BatteryChargeEnergyToday": "day_battery_charge",
    "BatteryDischargeEnergyToday": "day_battery_discharge",
    "BatteryChargeEnergy": "total_battery_charge",
    "BatteryDischargeEnergy": "total_battery_discharge",
    "GridImportEnergyToday": "day_grid_import",
    "GridExportEnergyToday": "day_grid_export",
    "GridImportEnergy": "total_grid_import",
    "GridExportEnergy": "total_grid_export",
    "LoadEnergyToday": "day_load_energy",
    "LoadEnergy": "total_load_energy",
}
THREE = {
    **BOTH,
    **{f"GridPowerL{phase}": f"grid_l{phase}_power" for phase in (1, 2, 3)},
    **{f"GridVoltageL{phase}": f"grid_l{phase}_voltage" for phase in (1, 2, 3)},
    **{f"InverterPowerL{phase}": f"inverter_l{phase}_power" for phase in (1, 2, 3)},
    **{f"InverterVoltageL{phase}": f"inverter_l{phase}_voltage" for phase in (1, 2, 3)},
    **{f"InverterCurrentL{phase}": f"inverter_l{phase}_current" for phase in (1, 2, 3)},
    **{f"LoadPowerL{phase}": f"load_l{phase}_power" for phase in (1, 2, 3)},
}
ONE = {
    **BOTH,
    "GridVoltageL1": "grid_voltage",
    "InverterVoltageL1": "inverter_voltage",
}
# Row -> their sensor, for settings.
SETTINGS = {
    "battery_max_charge_current": "battery_max_charge_current",
    "battery_max_discharge_current": "battery_max_discharge_current",
    "battery_shutdown_soc": "battery_shutdown_capacity",
    "battery_low_soc": "battery_low_capacity",
    **{f"tou{n}_power": f"prog{n}_power" for n in range(1, 7)},
    **{f"tou{n}_soc": f"prog{n}_capacity" for n in range(1, 7)},
    **{f"tou{n}_start": f"prog{n}_time" for n in range(1, 7)},
}
SOURCES = {f"tou{n}_charge_source": f"prog{n}_charge" for n in range(1, 7)}
THEIR_SOURCE = {
    "none": "No Grid or Gen",
    "grid": "Allow Grid",
    "generator": "Allow Gen",
    "grid+generator": "Allow Grid & Gen",
}


@pytest.fixture(scope="module")
def sunsynk() -> Path:
    return oracle_python(["sunsynk==1.3.0", "pysolarmanv5==3.0.6"], least=(3, 12))


@pytest.mark.parametrize("path", ["modbus", "solarman"])
@pytest.mark.parametrize(
    ("name", "profile", "shared"),
    [("sg04lp3", "three-phase", THREE), ("sg0xlp1", "single-phase", ONE)],
)
@pytest.mark.parametrize("sunny", [True, False])
async def test_it_agrees(
    sunsynk: Path,
    tmp_path: Path,
    name: Any,
    profile: str,
    shared: dict[str, str],
    path: str,
    sunny: bool,
) -> None:
    plant = Plant(pv=9000.0 if sunny else 0.0, load=1300.0, soc=61.0)
    # Time stands still, so that both see the same.
    sim = Simulator(plant=plant, map=name, transport=path, serial=SERIAL, speed=0.0)
    sim.forward(1800)
    async with sim:
        async with reading(sim, tmp_path) as actor:
            ours = dict(await actor.read_once())
        names = [*shared.values(), *SETTINGS.values(), *SOURCES.values()]
        writes = {"prog2_capacity": 44, "prog1_charge": "No Grid or Gen"}
        arguments = [sim.host, str(sim.port), profile, json.dumps(names), json.dumps(writes)]
        serial = [str(SERIAL)] if path == "solarman" else []
        before = {row: sim.rows[row] for row in (*SETTINGS, *SOURCES)}
        flags = sim.rows.raw("tou1_charge_source")
        seen = await ask_oracle(sunsynk, SCRIPT, *arguments, *serial)
    theirs = seen["values"]
    assert {q: ours[q] for q in shared} == pytest.approx({q: theirs[s] for q, s in shared.items()})
    for row, sensor in SETTINGS.items():
        found = theirs[sensor]
        wanted = before[row]
        assert (found.zfill(5) if isinstance(found, str) else found) == wanted, row
    for row, sensor in SOURCES.items():
        assert theirs[sensor] == THEIR_SOURCE[str(before[row])]
    # What they write arrives, with function 16, and the bits beside the source stay.
    assert seen["written"] == writes
    assert sim.rows["tou2_soc"] == 44
    assert sim.rows.raw("tou1_charge_source") == flags & ~3
    assert {function for _, function, _, more in sim.bank.log if isinstance(more, list)} == {16}
