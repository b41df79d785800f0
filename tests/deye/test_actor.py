"""Reading a Deye: both maps, over Modbus and behind a stick, as the contract wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.deye.actor import Settings
from actors.devices.deye.sim import Simulator
from bridge.errors import DeviceError, DeviceRefused
from bridge.simulators.plant import Plant
from tests.actors.kinds import make
from tests.deye.parts import KIND, reading, settings_at

if TYPE_CHECKING:
    from pathlib import Path

MAPS: tuple[Any, ...] = ("sg04lp3", "sg0xlp1")
PATHS = ("modbus", "rtu_over_tcp", "solarman")


def surplus() -> Plant:
    return Plant(pv=9400.0, load=900.0, soc=61.0)


def night() -> Plant:
    return Plant(pv=0.0, load=2400.0, soc=61.0)


async def values_of(sim: Simulator, state: Path, **more: Any) -> dict[str, Any]:
    async with sim, reading(sim, state, **more) as actor:
        return dict(await actor.read_once())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("plant", [surplus, night])
async def test_signs_and_balance(name: Any, path: str, plant: Any, tmp_path: Path) -> None:
    house = plant()
    sim = Simulator(plant=house, transport=path, map=name)
    more = {} if path == "solarman" else {"transport": path}
    found = await values_of(sim, tmp_path, **more)
    assert found["PvPower"] == pytest.approx(house.sun, abs=1)
    assert found["BatteryPower"] == pytest.approx(house.battery, abs=1)
    assert found["GridPower"] == pytest.approx(house.grid, abs=2)
    assert found["LoadPower"] == pytest.approx(house.load, rel=0.01)
    balance = found["PvPower"] + found["GridPower"] + found["BatteryPower"]
    assert balance == pytest.approx(found["LoadPower"], rel=0.01)
    assert found["BatterySoc"] == 61
    assert (found["BatteryCurrent"] > 0) == (found["BatteryPower"] > 0)
    assert found["BatteryTemperature"] == pytest.approx(23.4)
    assert found["InverterTemperature"] == pytest.approx(41.2)
    assert found["InverterState"] == "running"
    assert found["GridFrequency"] == 50.02
    assert found["PvEnergy"] == 1234.5
    assert found["GridImportEnergy"] == 321.0
    assert found["GridExportEnergy"] == 654.0
    assert found["BatteryChargeEnergy"] == 222.0
    assert found["BatteryDischargeEnergy"] == 199.0
    assert found["LoadEnergy"] == 987.0
    assert found["PvEnergyToday"] == 0
    assert None not in found.values()


async def test_phases_add_up(tmp_path: Path) -> None:
    found = await values_of(Simulator(plant=surplus()), tmp_path)
    for name in ("GridPower", "InverterPower", "LoadPower"):
        assert sum(found[f"{name}L{phase}"] for phase in (1, 2, 3)) == pytest.approx(
            found[name], abs=2
        )
    assert found["GridCurrentL1"] < 0
    assert found["GridVoltageL3"] == 232.0
    assert found["PvString1Power"] + found["PvString2Power"] == found["PvPower"]
    assert found["PvString3Power"] == 0


async def test_powers_beyond_16_bits(tmp_path: Path) -> None:
    found = await values_of(Simulator(plant=Plant(pv=3000.0, load=69000.0, soc=5.0)), tmp_path)
    assert found["GridPower"] == 66000
    assert found["LoadPower"] == 69000


async def test_old_firmware_exports(tmp_path: Path) -> None:
    found = await values_of(Simulator(plant=surplus(), old_firmware=True), tmp_path)
    assert found["BatteryPower"] < 0
    assert found["LoadPower"] == pytest.approx(900, rel=0.01)


async def test_firmware_that_refuses_the_high_words(tmp_path: Path) -> None:
    sim = Simulator(plant=surplus())
    sim.plant.soc = 100.0
    sim.forward(0)
    for row in sim.table.registers:
        if row.short and row.places[0] > 686:
            sim.rows.sealed.add(row.places[0])
    found = await values_of(sim, tmp_path)
    assert found["GridPower"] == -8500
    assert found["LoadPower"] == pytest.approx(900, rel=0.01)


async def test_one_request_a_reading(tmp_path: Path) -> None:
    for name in MAPS:
        sim = Simulator(map=name)
        async with sim, reading(sim, tmp_path) as actor:
            sim.bank.log.clear()
            await actor.read_once()
            assert len(sim.bank.log) == 1


async def test_strict_gaps_are_found_once_and_remembered(tmp_path: Path) -> None:
    sim = Simulator(plant=surplus(), strict=True)
    async with sim, reading(sim, tmp_path) as actor:
        sim.bank.log.clear()
        found = await actor.read_once()
        assert None not in found.values()
        again = len(sim.bank.log)
        sim.bank.log.clear()
        await actor.read_once()
        assert len(sim.bank.log) == again
        assert again <= 20
        assert actor.refused == {}


# ------------------------------------------------------------------------------- which map fits


@pytest.mark.parametrize(
    ("device_type", "sentence"),
    [
        (6, "high-voltage battery"),
        (0x0601, "high-voltage battery"),
        (2, "string inverter"),
        (4, "micro inverter"),
        (77, "is of type 77, which is not known here"),
    ],
)
async def test_other_models_are_refused(device_type: int, sentence: str, tmp_path: Path) -> None:
    async with Simulator(device_type=device_type) as sim:
        actor = make(KIND, settings_at(sim), tmp_path)
        async with actor.direct():  # type: ignore[attr-defined]
            with pytest.raises(DeviceRefused, match=sentence):
                await actor.read_once()  # type: ignore[attr-defined]


@pytest.mark.parametrize("device_type", [5, 0x0500, 3, 0x0300])
async def test_the_map_is_found(device_type: int, tmp_path: Path) -> None:
    wanted: Any = "sg04lp3" if device_type in {5, 0x0500} else "sg0xlp1"
    sim = Simulator(map=wanted, device_type=device_type)
    async with sim, reading(sim, tmp_path) as actor:
        assert actor.bound[0].table.name == wanted


async def test_the_owner_may_name_the_map_but_never_for_high_voltage(tmp_path: Path) -> None:
    sim = Simulator(device_type=77)
    async with sim, reading(sim, tmp_path, map="sg04lp3") as actor:
        assert actor.bound[0].table.name == "sg04lp3"
    sim = Simulator(device_type=8)
    async with sim:
        with pytest.raises(DeviceRefused, match="high-voltage"):
            async with reading(sim, tmp_path, map="sg04lp3"):
                pass


async def test_register_0_that_is_refused(tmp_path: Path) -> None:
    sim = Simulator()
    sim.rows.sealed.add(0)
    async with sim:
        with pytest.raises(DeviceRefused, match="does not say what it is"):
            async with reading(sim, tmp_path):
                pass
        async with reading(sim, tmp_path, map="sg04lp3") as actor:
            assert (await actor.read_once())["BatterySoc"] == 55


async def test_without_a_battery_nothing_of_it_is_offered(tmp_path: Path) -> None:
    sim = Simulator()
    sim.rows["battery_mode"] = "none"
    async with sim, reading(sim, tmp_path) as actor:
        (bound,) = actor.bound
        assert bound.controls == ("ExportLimit", "ZeroExportPower", "WorkMode")
        sim.rows["battery_mode"] = "lithium"
        (bound,) = await actor.identify()
        assert bound.controls == actor.controls


# ------------------------------------------------------------------------------- generator port


@pytest.mark.parametrize(
    ("mode", "extra"),
    [
        ("generator", {"GeneratorPower": 700.0, "PvPower": 9400.0, "LoadPower": 1600.0}),
        ("micro_inverter", {"PvPower": 10100.0, "LoadPower": 1600.0}),
        ("smart_load", {"PvPower": 9400.0, "LoadPower": 900.0}),
    ],
)
async def test_what_the_generator_port_carries(
    mode: str, extra: dict[str, float], tmp_path: Path
) -> None:
    sim = Simulator(plant=surplus())
    sim.rows.put({"gen_port_mode": mode, "gen_total_power": 700})
    found = await values_of(sim, tmp_path)
    assert {name: found[name] for name in extra} == pytest.approx(extra, abs=2)
    assert ("GeneratorPower" in found) == (mode == "generator")


# ------------------------------------------------------------------------------- the stick


async def test_the_wrong_number_of_the_stick_is_a_plain_sentence(tmp_path: Path) -> None:
    sim = Simulator(transport="solarman")
    async with sim:
        sim.front.fault = "foreign_serial"
        with pytest.raises(DeviceError, match="has the serial number"):
            async with reading(sim, tmp_path, timeout=0.2):
                pass


async def test_an_inverter_asleep_behind_its_stick(tmp_path: Path) -> None:
    sim = Simulator(transport="solarman")
    async with sim, reading(sim, tmp_path) as actor:
        sim.fault = "empty"
        with pytest.raises(DeviceError, match="does not reach the inverter"):
            await actor.read_once()
        sim.fault = None
        assert (await actor.read_once())["BatterySoc"] == 55


async def test_a_stick_that_speaks_modbus_tcp(tmp_path: Path) -> None:
    sim = Simulator(transport="solarman")
    async with sim:
        sim.fault = "modbus_tcp"
        with pytest.raises(DeviceError, match="set 'transport: modbus'"):
            async with reading(sim, tmp_path):
                pass


# ------------------------------------------------------------------------------- settings


def test_the_usual_port_follows_the_transport() -> None:
    assert Settings(host="a").port == 502
    assert Settings(host="a", transport="solarman", serial=2712345678).port == 8899
    assert Settings(host="a", transport="solarman", serial=2712345678, port=1234).port == 1234


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"host": "a", "transport": "solarman"}, "serial", "needs 'serial'"),
        ({"host": "a", "transport": "solarman", "serial": 12345}, "serial", "ten digits"),
        ({"host": "a", "transport": "solarman", "serial": 9999999999}, "serial", "ten digits"),
        ({"host": "a", "serial": 2712345678}, "serial", "transport: solarman"),
        ({"transport": "solarman", "serial": 2712345678}, "host", "host"),
        ({"transport": "serial"}, "transport", "tty"),
    ],
)
def test_settings_that_do_not_fit(given: dict[str, Any], field: str, sentence: str) -> None:
    ((found, why),) = list(Settings(**given).check())
    assert found == field
    assert sentence in why


@pytest.mark.parametrize(("is_", "named"), [("sg0xlp1", "sg04lp3"), ("sg04lp3", "sg0xlp1")])
async def test_a_map_that_register_0_contradicts_is_refused(
    is_: Any, named: str, tmp_path: Path
) -> None:
    async with Simulator(map=is_) as sim:
        words = f"says that it has the registers of {is_} .*, not those of 'map: {named}'"
        with pytest.raises(DeviceRefused, match=words):
            async with reading(sim, tmp_path, map=named):
                pass
        async with reading(sim, tmp_path, map=is_) as actor:
            assert (await actor.read_once())["BatterySoc"] == 55


async def test_a_stick_that_never_answered_may_have_another_number(tmp_path: Path) -> None:
    async with Simulator(transport="solarman") as sim:
        sim.front.fault = "silence"
        with pytest.raises(DeviceError, match="did not answer at all: check 'serial'"):
            async with reading(sim, tmp_path, timeout=0.2):
                pass
        sim.front.fault = None
        async with reading(sim, tmp_path, timeout=0.2) as actor:
            sim.front.fault = "silence"
            with pytest.raises(DeviceError, match=r"did not answer within 0\.2 s"):
                await actor.read_once()
