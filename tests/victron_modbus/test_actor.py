"""The actor against a simulated GX: what it finds, what it publishes, what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.devices.victron_modbus.sim import UNITS, Simulator
from bridge.errors import DeviceRefused
from bridge.modbus.wire import GATEWAY_TARGET
from tests.actors.kinds import make, settings_for
from tests.victron_modbus.gx import KIND, balance, reading

if TYPE_CHECKING:
    from pathlib import Path

ALL = {"dut", *(f"dut-{name}" for name in ["vebus", "battery", "grid", "solar1", "pv1", "ev1"])}


async def test_every_service_is_found_and_is_a_device(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path, look=True) as gx:
        found = await gx.read_all()
    assert set(found) == ALL
    # 3000 W of sun, 40 % of it on the DC side; 800 W of load; the rest charges the battery.
    whole = found["dut"]
    assert whole["PvPower"] == 3000.0
    assert whole["BatteryPower"] == -2200.0
    assert whole["GridPower"] == pytest.approx(0.0, abs=2.0)
    assert whole["LoadPower"] == 800.0
    assert found["dut-solar1"]["PvPower"] == 1200.0
    assert found["dut-pv1"]["PvPower"] == 1800.0
    assert found["dut-pv1"]["PvPowerL3"] == 600.0
    assert found["dut-battery"]["BatteryPower"] == -2200.0
    assert found["dut-battery"]["BatteryCurrent"] == pytest.approx(-42.3)
    assert found["dut-vebus"]["InverterState"] == "external_control"
    assert found["dut-grid"]["GridImportEnergy"] == pytest.approx(321.0)
    assert found["dut-ev1"]["VehicleState"] == "connected"


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize(
    ("sun", "load", "soc"),
    [(0.0, 3500.0, 50.0), (9000.0, 300.0, 50.0), (2500.0, 40_000.0, 9.0), (4000.0, 0.0, 100.0)],
)
async def test_the_balance_holds(
    tmp_path: Path, phases: int, sun: float, load: float, soc: float
) -> None:
    async with Simulator(phases=phases) as sim:
        sim.plant.pv, sim.plant.load, sim.plant.soc = sun, load, soc
        async with reading(sim, tmp_path) as gx:
            whole = await gx.read_once()
    assert balance(whole) == pytest.approx(load, rel=0.01, abs=3.0)
    assert whole["LoadPower"] == pytest.approx(load, abs=2.0)
    assert (whole["GridPowerL3"] is None) == (phases == 1)
    grid = whole["GridPower"]
    assert isinstance(grid, float)
    assert (grid > 10.0) == (load > 5000.0)  # + = import, beyond 16 bits too


async def test_a_second_look_asks_nobody_again(tmp_path: Path) -> None:
    async with Simulator() as sim:
        async with reading(sim, tmp_path, look=True) as gx:
            asked = gx.link.stats.refusals
        assert asked > 200  # 6 services on 52 unit ids, most of them not there
        async with reading(sim, tmp_path) as gx:
            assert gx.link.stats.refusals == 0
            assert set(await gx.read_all()) == ALL


async def test_the_owners_units_are_taken_as_they_are(tmp_path: Path) -> None:
    units = {"vebus": (228,), "battery": (225,)}
    async with (
        Simulator() as sim,
        reading(sim, tmp_path, services="none", units=units) as gx,
    ):
        assert set(await gx.read_all()) == {"dut", "dut-vebus", "dut-battery"}
        assert gx.link.stats.refusals == 0


@pytest.mark.parametrize("code", [10, GATEWAY_TARGET, 4])
async def test_any_refusal_means_that_a_service_is_not_there(tmp_path: Path, code: int) -> None:
    async with Simulator(without=("evcharger", "grid")) as sim:
        sim.bank.missing = code
        async with reading(sim, tmp_path, look=True) as gx:
            assert set(await gx.read_all()) == ALL - {"dut-ev1", "dut-grid"}


async def test_units_that_are_silent_do_not_stop_it(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.bank.missing = None
        async with reading(sim, tmp_path, timeout=0.1, units={"vebus": (228,)}) as gx:
            found = await gx.read_all()
            assert found["dut-vebus"]["InverterPower"] == 560.0
            asked = sim.bank.log
            before = len(asked)
            await gx.read_all()
            assert len(asked) - before < 20


async def test_what_comes_later_is_found_beside_the_readings(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.remove("solarcharger")
        async with reading(sim, tmp_path, look=True) as gx:
            assert "dut-solar1" not in await gx.read_all()
            sim.bring_back()
            for _ in range(1000):
                await gx._look_on()
                if "dut-solar1" in gx.registers:
                    break
            found = await gx.read_all()
    assert found["dut-solar1"]["PvPower"] == 1200.0
    assert set(found) == ALL


# -------------------------------------------------------------------------------- what is unknown


async def test_a_meter_that_goes_away_makes_the_grid_unknown(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.fault = "meter_gone"
        found = await gx.read_all()
        assert "dut-grid" not in found
        assert found["dut"]["GridPower"] is None
        assert found["dut"]["LoadPower"] is None
        assert found["dut"]["PvPower"] == 3000.0
        sim.fault = None
        found = await gx.read_all()
        assert found["dut"]["GridPower"] is not None
        assert "dut-grid" in found


async def test_a_battery_that_reads_0_is_unknown(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.fault = "battery_gone"
        found = await gx.read_all()
    names = ("BatteryPower", "BatterySoc", "BatteryVoltage", "BatteryCurrent")
    for device in ("dut", "dut-battery"):
        assert {found[device][name] for name in names} == {None}
    assert found["dut"]["BatteryState"] is None
    assert found["dut"]["GridPower"] is not None


async def test_a_pv_inverter_that_sleeps_is_offline_and_the_others_go_on(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.remove("pvinverter")
        found = await gx.read_all()
        assert gx.status_of("dut-pv1") == "offline"
        assert set(found) == ALL - {"dut-pv1"}
        sim.bring_back()
        assert set(await gx.read_all()) == ALL


async def test_older_firmware_is_read_by_its_older_registers(tmp_path: Path) -> None:
    async with Simulator(old=True) as sim, reading(sim, tmp_path) as gx:
        whole = await gx.read_once()
        assert balance(whole) == pytest.approx(800.0, abs=3.0)
        assert whole["LoadPowerL1"] == 400.0
        assert set(gx.refused) == {"settings_settings_cgwacs_run_without_grid_meter"}
        await gx.write_control("MaxDischargePower", 1500.0, device="dut")
        assert sim.house.max_discharge == 1500.0
        await gx.write_control("BatterySetpoint", 1000.0, device="dut")
        assert (await gx.read_once())["BatteryPower"] == pytest.approx(1000.0, abs=5.0)
        assert 37 in {address for _, address, _ in sim.bank.writes}


async def test_a_generator_is_no_surplus(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        sim.plant.pv, sim.plant.soc = 0.0, 5.0
        sim.house.source = 2
        whole = await gx.read_once()
    assert whole["GeneratorPower"] == pytest.approx(800.0, abs=2.0)
    assert whole["GridPower"] == pytest.approx(800.0, abs=2.0)
    assert whole["GridPowerL1"] == pytest.approx(400.0, abs=2.0)


async def test_a_host_that_is_no_gx_is_said(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.bank.units.pop(100)
        actor = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():  # type: ignore[attr-defined]
            with pytest.raises(DeviceRefused, match="no such unit"):
                await actor.read_once()  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", sorted(set(UNITS.values()) - {"system"}))
async def test_any_service_may_be_missing(tmp_path: Path, service: str) -> None:
    async with Simulator(without=(service,)) as sim, reading(sim, tmp_path, look=True) as gx:
        found = await gx.read_all()
        assert len(found) == len(ALL) - 1
        assert balance(found["dut"]) == pytest.approx(800.0, abs=3.0)
        offered = set(gx._served["dut"].recipes)
        assert ("BatterySetpoint" in offered) == (service != "vebus")


async def test_a_poll_takes_no_more_requests_than_its_gaps_ask_for(tmp_path: Path) -> None:
    async with Simulator() as sim, reading(sim, tmp_path) as gx:
        await gx.read_all()
        sim.bank.log.clear()
        await gx.read_all()
        by_unit = dict.fromkeys(UNITS, 0)
        for unit, _, _ in sim.bank.reads:
            by_unit[unit] += 1
    # 21 rows of the system in 6 reads instead of one each, and so on.
    assert by_unit == {100: 6, 228: 4, 225: 5, 30: 2, 238: 7, 20: 4, 40: 2}


async def test_a_device_whose_id_would_be_too_long_is_left_out(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor = make(KIND, settings_for(KIND, sim), tmp_path)
        actor.id = "x" * 28
        async with actor.direct():  # type: ignore[attr-defined]
            found = await actor.read_all()  # type: ignore[attr-defined]
    assert {name.partition("-")[2] for name in found} == {"", "pv1", "ev1"}
