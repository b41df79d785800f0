"""What is read: signs, units, unknown values, families, and how many questions it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actors.devices.goodwe.recipes import as_asked_for, with_two_batteries
from actors.devices.goodwe.sim import Simulator
from bridge.errors import DeviceError, DeviceRefused
from bridge.registers import find_map
from bridge.registers.codec import decode
from bridge.registers.quantities import Quantities
from bridge.simulators.plant import Plant
from tests.goodwe.inverters import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers import RegisterMap
    from bridge.registers.model import Value

FOLDER = Path(__file__).parents[2] / "actors" / "devices" / "goodwe"
ET, DT = find_map(FOLDER, "et"), find_map(FOLDER, "dt")
ROUTES = ["udp", "modbus", "rtu_over_tcp"]


def quantities(table: RegisterMap, words: Mapping[int, int]) -> dict[str, Value | None]:
    """Words by address to quantities, as the engine does it."""
    values = {row.name: decode(row, words) for row in table.registers}
    return Quantities(table, frozenset(values)).of(values)


def test_words_mean_what_a_person_would_expect() -> None:
    strings = {35103: 4213, 35104: 52, 35105: 0, 35106: 2190}
    no_second_string = dict.fromkeys((35107, 35108, 35109, 35110), 0xFFFF)
    battery = {35181: 0xFFC9, 35182: 0xFFFF, 35183: 0xF768, 35184: 3, 37003: 0xFFFE, 37007: 62}
    inverter = {35187: 1, 35191: 1, 35192: 0x86A0, 35174: 415, 35175: 0xFFFF, 35176: 0x7FFF}
    meter = {36004: 1, 36025: 0, 36026: 1250, 36017: 0x4996, 36018: 0xB438, 37008: 97}
    words = {**strings, **no_second_string, **battery, **inverter, **meter}
    found = quantities(ET, words)
    assert found["PvString1Voltage"] == 421.3
    assert found["PvString1Current"] == 5.2
    assert found["PvString1Power"] == found["PvPower"] == 2190
    assert found["PvString2Power"] is None
    assert found["PvString2Voltage"] is None
    assert found["BatteryPower"] == -2200
    assert found["BatteryCurrent"] == -5.5
    assert found["BatteryState"] == "charging"
    assert found["GridPower"] == -1250  # 1250 W of export
    assert found["LoadPower"] == 2190 - 2200 - 1250
    assert found["InverterState"] == "running"
    assert found["PvEnergy"] == 10_000.0
    assert found["InverterTemperature"] == 41.5
    assert found["BatteryTemperature"] == -0.2
    assert (found["BatterySoc"], found["BatterySoh"]) == (62, 97)
    assert found["GridImportEnergy"] == pytest.approx(1234.567, abs=0.001)


@pytest.mark.parametrize("table", [ET, DT], ids=["et", "dt"])
def test_the_sentinels_are_unknown_and_never_0(table: RegisterMap) -> None:
    words = {place: 0xFFFF for row in table.registers for place in row.places}
    found = quantities(table, words)
    # A signed power of 0xFFFF is -1 W, and -1 W it may be.
    minus_one = {"BatteryPower", "BatteryCurrent", "InverterPower"}
    minus_one |= {f"InverterPowerL{phase}" for phase in (1, 2, 3)}
    assert {name for name, value in found.items() if value is not None} <= minus_one
    assert 0 not in found.values()


def test_statuses_are_those_that_two_readers_confirm() -> None:
    for row in ET.registers:
        assert row.trusted == (len(row.source) > 1), row.name
    assert not any(row.trusted for row in DT.registers)
    assert DT.controls == {}


def test_what_is_written_is_confirmed_and_off_grid_is_not_offered() -> None:
    for name, entry in ET.controls.items():
        for block in entry.blocks:
            assert all(ET[row].trusted and ET[row].access == "RW" for row in block), name
            assert "off_grid" not in block.values()
    assert not set(ET.controls["BatteryMode"].options) & {"import_ac", "export_ac", "off_grid"}


# ------------------------------------------------------------------------------- over the wire


@pytest.mark.parametrize("transport", ROUTES)
@pytest.mark.parametrize("pv", [0.0, 900.0, 8000.0])
async def test_the_balance_holds(transport: str, pv: float, tmp_path: Path) -> None:
    async with (
        Simulator(transport=transport, plant=Plant(pv=pv, load=1500.0)) as sim,
        reading(sim, tmp_path) as actor,
    ):
        found = await actor.read_once()
        plant = sim.plant
    assert found["PvPower"] == pytest.approx(plant.sun, abs=2)
    assert found["BatteryPower"] == pytest.approx(plant.battery, abs=2)
    assert found["GridPower"] == pytest.approx(plant.grid, abs=2)
    assert found["LoadPower"] == pytest.approx(1500, abs=5)
    phases = [found[f"GridPowerL{phase}"] for phase in (1, 2, 3)]
    assert sum(phases) == found["GridPower"]  # type: ignore[arg-type]


async def test_a_reading_takes_three_questions(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, family="et") as actor:
        await actor.read_once()
        first = len(sim.bank.log)
        await actor.read_once()
    assert [each[1:] for each in sim.bank.reads[first:]] == [(35103, 85), (36004, 54), (37003, 6)]
    assert first <= 9


async def test_an_older_firmware_refuses_the_long_meter_block(tmp_path: Path) -> None:
    async with Simulator(extended=False) as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        before = len(sim.bank.log)
        found = await actor.read_once()
        questions = len(sim.bank.log) - before
        refused = set(actor.refused)
    assert refused == {f"meter_{what}{n}" for what in ("voltage", "current") for n in (1, 2, 3)}
    assert questions == 3
    assert found["GridPower"] is not None
    assert (found["GridVoltageL1"], found["GridVoltageL2"]) == (230.0, None)


@pytest.mark.parametrize("family", ["et", "dt"])
async def test_a_lost_meter_makes_the_grid_unknown(family: str, tmp_path: Path) -> None:
    async with (
        Simulator(family=family) as sim,  # type: ignore[arg-type]
        reading(sim, tmp_path, family=family) as actor,
    ):
        assert (await actor.read_once())["GridPower"] is not None
        sim.meter = False
        sim.plant.load = 4000.0
        found = await actor.read_once()
    assert found["GridPower"] is None
    assert found["LoadPower"] is None
    assert found["PvPower"] == pytest.approx(3000, abs=2)


async def test_a_second_battery_counts_from_25_kw_on(tmp_path: Path) -> None:
    async with Simulator(rated=30_000) as sim, reading(sim, tmp_path) as actor:
        sim.plant.pv = 4001.0
        found = await actor.read_once()
        assert found["BatteryPower"] == pytest.approx(sim.plant.battery, abs=1)
        assert found["BatterySoc"] == 55
        sim.inverter.sealed.add(35264)
        assert (await actor.read_once())["BatteryPower"] is None
    assert "pbattery2" in with_two_batteries(ET).quantities["BatteryPower"]
    assert "pbattery2" not in "".join(ET.quantities.values())


# --------------------------------------------------------------------------------- families


@pytest.mark.parametrize("transport", ROUTES)
async def test_the_family_is_asked_for(transport: str, tmp_path: Path) -> None:
    async with Simulator(transport=transport) as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        assert actor.bound[0].table.name == "et"
    async with (
        Simulator(transport=transport, family="dt") as sim,
        reading(sim, tmp_path, unconfirmed=True, retries=0) as actor,
    ):
        assert (await actor.read_once())["PvPower"] == pytest.approx(3000, abs=2)
        assert actor.bound[0].table.name == "dt"


async def test_an_unasked_dt_is_named_and_not_read(tmp_path: Path) -> None:
    async with Simulator(family="dt") as sim, reading(sim, tmp_path, retries=0) as actor:
        with pytest.raises(DeviceRefused, match="set 'family: dt' to read it all the same"):
            await actor.read_once()
    assert {each[1:] for each in sim.bank.reads} == {(30004, 8)}


async def test_a_dt_that_is_named_is_read(tmp_path: Path) -> None:
    async with Simulator(family="dt") as sim, reading(sim, tmp_path, family="dt") as actor:
        found = await actor.read_once()
        info = actor.registers["dut"].info()
    assert found["PvPower"] == pytest.approx(3000, abs=2)
    assert found["GridPower"] == pytest.approx(-2200, abs=2)
    assert found["LoadPower"] == pytest.approx(800, abs=4)
    assert "BatteryPower" not in found
    assert (info["manufacturer"], info["model"]) == ("GoodWe", "GW10K-DT")
    assert all(row.trusted for row in as_asked_for(DT).registers if row.access == "R")
    assert not any(row.trusted for row in as_asked_for(DT).registers if row.access != "R")


async def test_an_inverter_of_neither_family_is_told_so(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, retries=0) as actor:
        # The older hybrids answer at unit 247, but have none of these registers.
        sim.inverter.words.clear()
        sim.inverter.stuck = True
        with pytest.raises(DeviceRefused, match="ES, EM and BP inverters are not supported"):
            await actor.read_once()


async def test_confirmed_rows_only_unless_asked(tmp_path: Path) -> None:
    async with Simulator() as sim:
        async with reading(sim, tmp_path) as actor:
            assert "InverterPower" not in await actor.read_once()
        async with reading(sim, tmp_path, unconfirmed=True) as actor:
            found = await actor.read_once()
    assert found["InverterPower"] == pytest.approx(800, abs=2)


async def test_a_family_that_does_not_answer_is_doubted(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, family="dt", retries=0) as dut:
        with pytest.raises(DeviceError, match=r"is 'family: dt' right\? 'family: auto' asks"):
            await dut.read_once()


async def test_another_unit(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, family="et", unit=246, retries=0) as dut:
        with pytest.raises(DeviceError, match="did not answer"):
            await dut.read_once()


async def test_losses_are_made_good(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, timeout=0.1) as actor:
        sim.dongle.quirks |= {"loss", "duplicate"}
        for _ in range(4):
            assert (await actor.read_once())["LoadPower"] == pytest.approx(800, abs=5)
        assert actor.link.stats.failures > 2


async def test_who_it_is(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as actor:
        await actor.read_once()
        info = actor.registers["dut"].info()
    assert info == {
        "manufacturer": "GoodWe",
        "model": "GW10K-ET",
        "serial": "9010KETT228W0001",
        "firmware": "04029-06-S11",
    }
