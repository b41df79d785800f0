"""The simulator as seen by the goodwe package, and its decoding against ours."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.goodwe.sim import Simulator
from tests.goodwe.inverters import reading
from tests.support.oracle import ask_oracle, oracle_python

if TYPE_CHECKING:
    from bridge.registers.model import Register

SCRIPT = Path(__file__).parents[1] / "oracles" / "goodwe_check.py"
ROUTES = {"udp": "udp", "modbus": "tcp"}
# Where two things have one name there, the table calls the setting `set_…`.
RENAMED = {"work_mode": "set_work_mode", "battery_modules": "set_battery_modules"}
KEPT = {"serial_number", "model_name", "firmware", "arm_firmware", "rated_power", "ac_output_type"}
# It reads one word less than it takes apart there, and gets 0.
BEYOND = {"leakage_current"}
COUNTED = {"ET": 150, "DT": 30}

# The first run installs goodwe, which takes longer than a test may.
pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def goodwe() -> Path:
    return oracle_python(["goodwe==0.4.10"])


def shaken(sim: Simulator, seed: int) -> None:
    """Words of chance in every row, some of them sentinels; nothing moves from then on."""
    dice = random.Random(seed)
    unit = sim.inverter
    if sim.family == "et":
        unit.fill(range(39000, 39022), 0)
        unit.fill(range(35262, 35268), 0)
    for row in unit.table.registers:
        if row.name in KEPT or row.type in {"datetime", "string", "raw"}:
            continue
        if row.enum:
            unit.words[row.address] = dice.choice(list(row.enum))
            continue
        for place in row.places:
            unit.words[place] = dice.choice([dice.randrange(0x10000), dice.randrange(999), 0xFFFF])
    unit.words |= {35184: 2, 36004: 1, 30209: 1} if sim.family == "et" else {30209: 1}
    for row in unit.table.registers:
        if row.type == "datetime":
            unit.words.update(zip(row.places, (0x1A0B, 0x150E, 0x1E05), strict=True))
        if row.type == "f32":
            unit.words.update(zip(row.places, (0x4996, 0xB438), strict=True))
    sim.fault = "stuck"


def theirs(seen: dict[str, Any]) -> dict[str, Any]:
    """What goodwe read, under the names of our rows."""
    settings = {RENAMED.get(name, name): value for name, value in seen["settings"].items()}
    floats = {"meter_e_total_exp_f", "meter_e_total_imp_f"}
    assert not floats & set(seen["sensors"])
    return {**settings, **seen["sensors"]}


def same(row: Register, ours: Any, other: Any) -> bool:
    """Equal, where their 0 and None both stand for our unknown."""
    if ours is None:
        # Outside the row's own bounds it is unknown, too; goodwe has no bounds.
        return other in {None, 0} or row.valid is not None
    if isinstance(ours, str):
        if row.type == "datetime":
            return bool(other == ours.replace("T", " "))
        return bool(row.enum.get(other) == ours)
    return bool(other == pytest.approx(ours, rel=1e-12, abs=1e-6))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("family", ["ET", "DT"])
@pytest.mark.parametrize("transport", list(ROUTES))
async def test_both_read_the_same(
    goodwe: Path, transport: str, family: str, seed: int, tmp_path: Path
) -> None:
    small: Any = family.lower()
    async with Simulator(family=small, transport=transport, rated=30_000) as sim:
        shaken(sim, seed)
        arguments = [ROUTES[transport], sim.host, str(sim.port), family]
        seen = await ask_oracle(goodwe, SCRIPT, *arguments)
        async with reading(sim, tmp_path, family=small, unconfirmed=True) as actor:
            await actor.read_once()
            registers = actor.registers["dut"]
            ours = dict(await registers.fresh(row.name for row in registers.table.registers))
            info = registers.info()
    assert seen["protocol"] == (
        "UdpInverterProtocol" if transport == "udp" else "TcpInverterProtocol"
    )
    assert (seen["serial"], seen["model"]) == (info["serial"], info["model"])
    if family == "ET":
        assert (seen["rated"], seen["firmware"]) == (30_000, info["firmware"])
    found = theirs(seen)
    rows = {row.name: row for row in sim.inverter.table.registers if row.type != "raw"}
    common = sorted(set(rows) & set(found) - BEYOND)
    assert len(common) >= COUNTED[family]
    wrong = {
        name: (ours[name], found[name])
        for name in common
        if not same(rows[name], ours[name], found[name])
    }
    assert wrong == {}


@pytest.mark.parametrize("transport", list(ROUTES))
async def test_both_see_the_same_house(goodwe: Path, transport: str, tmp_path: Path) -> None:
    async with Simulator(transport=transport) as sim:
        sim.plant.load = 5200.0
        arguments = [ROUTES[transport], sim.host, str(sim.port), "ET"]
        seen = await ask_oracle(goodwe, SCRIPT, *arguments)
        async with reading(sim, tmp_path, unconfirmed=True) as actor:
            found = await actor.read_once()
            state = actor._served["dut"].state("MinSoc")
    sensors = seen["sensors"]
    assert sensors["ppv"] == found["PvPower"]
    assert sensors["pbattery1"] == found["BatteryPower"]
    assert sensors["house_consumption"] == found["LoadPower"]
    assert sensors["meter_active_power_total"] == -found["GridPower"]  # type: ignore[operator]
    assert sensors["active_power"] == -found["GridPower"]  # type: ignore[operator]
    assert seen["ems_mode"] == "AUTO"
    assert seen["depth_of_discharge"] == 100 - state  # type: ignore[operator]
    assert seen["export_limit"] == 10_000


@pytest.mark.parametrize("transport", list(ROUTES))
async def test_what_one_sets_the_other_reads(goodwe: Path, transport: str, tmp_path: Path) -> None:
    async with Simulator(transport=transport) as sim:
        arguments = [ROUTES[transport], sim.host, str(sim.port), "ET"]
        seen = await ask_oracle(goodwe, SCRIPT, *arguments, "DISCHARGE_BATTERY", "2222")
        assert seen["ems_mode"] == "DISCHARGE_BATTERY"
        assert seen["settings"]["ems_power_limit"] == 2222
        async with reading(sim, tmp_path) as actor:
            assert (await actor.read_once())["BatteryPower"] == 2222
            await actor.write_control("BatterySetpoint", -1234.0, device="dut")
            seen = await ask_oracle(goodwe, SCRIPT, *arguments)
            assert seen["ems_mode"] == "CHARGE_BATTERY"
            assert seen["sensors"]["pbattery1"] == -1234
            await actor.write_control("BatterySetpoint", None, device="dut")
            assert sim.inverter["ems_mode"] == "discharge_battery"
