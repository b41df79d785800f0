"""The actor against its simulator: which one it is, units, setpoints, the night."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.sma import actor as module
from actors.devices.sma.recipes import Setpoint
from actors.devices.sma.sim import Simulator
from bridge.config.kinds import all_kinds
from bridge.errors import DeviceError, DeviceRefused
from bridge.simulators.plant import Plant
from tests.actors.kinds import last, make, running, settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

KIND = all_kinds()["sma"]


async def read(sim: Simulator, tmp_path: Path, **more: Any) -> tuple[Any, Mapping[str, Any]]:
    actor: Any = make(KIND, settings_for(KIND, sim, **more), tmp_path)
    async with actor.direct():
        return actor, await actor.read_once()


# -------------------------------------------------------------------------------- which one it is


@pytest.mark.parametrize("name", ["sunny_island", "sbs", "stp"])
@pytest.mark.parametrize("codes", ["known", "unknown type", "nothing"])
async def test_it_finds_out_which_one_it_is(name: str, codes: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {} if codes == "known" else {"device_type": 12345}
    if codes == "nothing":
        more = {"device_type": None, "device_class": None}
    async with Simulator(map=name, **more) as sim:
        actor, values = await read(sim, tmp_path)
        assert actor.bound[0].table.name == name
        assert values["GridFrequency"] == 49.98
        assert sim.bank.writes == []


async def test_an_unclear_one_says_so_and_can_be_named(tmp_path: Path) -> None:
    dark = Plant(pv=0, has_battery=False)
    async with Simulator(map="stp", device_type=None, device_class=None, plant=dark) as sim:
        with pytest.raises(DeviceRefused, match=r"set `map` to sunny_island, sbs, stp"):
            await read(sim, tmp_path)
        _, values = await read(sim, tmp_path, map="stp")
        assert values["PvPower"] == 0


async def test_a_hybrid_is_not_taken_for_something_else(tmp_path: Path) -> None:
    async with Simulator(map="sbs", device_class=8009, device_type=19051) as sim:
        with pytest.raises(DeviceRefused, match="is a hybrid inverter"):
            await read(sim, tmp_path)


async def test_another_unit_id_is_found_out(tmp_path: Path) -> None:
    async with Simulator(unit=7) as sim:
        actor, values = await read(sim, tmp_path)
        assert values["BatterySoc"] == 55
        assert actor.bound[0].table["battery_soc"].station == 7


async def test_a_wrong_unit_is_said_in_words(tmp_path: Path) -> None:
    async with Simulator(unit=7) as sim:
        with pytest.raises(DeviceRefused, match="check `unit`, it says that it has 7"):
            await read(sim, tmp_path, unit=5)
        _, values = await read(sim, tmp_path, unit=7)
        assert values["BatterySoc"] == 55
        sim.bank.units.pop(1)
        with pytest.raises(DeviceRefused, match="check `unit`, SMA's own default is 3"):
            await read(sim, tmp_path)


async def test_a_unit_that_goes_away_is_said_in_words(tmp_path: Path) -> None:
    async with Simulator() as sim:
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            await actor.read_once()
            sim.bank.units.pop(3)
            with pytest.raises(DeviceRefused, match="check `unit`"):
                await actor.read_once()


# --------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("name", ["sunny_island", "sbs", "stp"])
@pytest.mark.parametrize(("pv", "load"), [(3000.0, 800.0), (200.0, 2200.0), (0.0, 1500.0)])
async def test_the_balance_of_the_house_holds(
    name: str, pv: float, load: float, tmp_path: Path
) -> None:
    plant = Plant(pv=pv, load=load, has_battery=name != "stp")
    async with Simulator(map=name, plant=plant) as sim:
        _, values = await read(sim, tmp_path)
    battery = values.get("BatteryPower", 0.0)
    sun = pv if name == "sbs" else values["PvPower"]
    assert sun + values["GridPower"] + battery == pytest.approx(load, abs=2)
    assert battery == pytest.approx(plant.battery)
    if name == "sunny_island":
        assert values["LoadPower"] == pytest.approx(load, abs=2)


@pytest.mark.parametrize(("name", "most"), [("sunny_island", 4), ("sbs", 4), ("stp", 4)])
async def test_a_reading_takes_few_requests(name: str, most: int, tmp_path: Path) -> None:
    async with Simulator(map=name) as sim:
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            await actor.read_once()
            before = len(sim.bank.reads)
            await actor.read_once()
            asked = sim.bank.reads[before:]
            assert 1 <= len(asked) <= most
            assert all(count <= 125 for _, _, count in asked)


async def test_a_device_that_refuses_gaps_is_read_all_the_same(tmp_path: Path) -> None:
    async with Simulator(map="sbs") as sim:
        own = {place for row in sim.inverter.table.registers for place in row.places}
        for address in set(sim.inverter.words) - own:
            del sim.inverter.words[address]
        actor, values = await read(sim, tmp_path)
        assert values["BatterySoc"] == 55
        assert values["BatteryPower"] == -2200
        assert actor.refused == {}


async def test_night_falls_on_a_tripower(tmp_path: Path) -> None:
    async with Simulator(map="stp") as sim:
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            assert (await actor.read_once())["PvPower"] == 3000
            sim.plant.pv = 0.0
            dark = await actor.read_once()
    assert dark["PvPower"] == dark["InverterPower"] == 0
    unknown = ("PvPowerL1", "PvString1Power", "PvString1Voltage", "GridFrequency")
    assert [dark[name] for name in unknown] == [None] * 4
    assert dark["GridPower"] == 800


async def test_a_power_that_was_refused_is_not_night(tmp_path: Path) -> None:
    async with Simulator(map="stp") as sim:
        sim.inverter.sealed |= {30773, 30774, 30775, 30776, 30961, 30962}
        _, values = await read(sim, tmp_path)
    assert values["PvPower"] is None


async def test_nothing_of_the_flash_is_read_unasked_or_written(tmp_path: Path) -> None:
    async with Simulator(map="sbs") as sim:
        await read(sim, tmp_path)
        flash = {row.address for row in sim.inverter.table.registers if row.persistent}
        for unit, address, count in sim.bank.reads:
            assert unit == 1 or not flash & set(range(address, address + count))


# --------------------------------------------------------------------------------------- control


def results(them: Link, control: str = "BatterySetpoint") -> list[Any]:
    return [json.loads(each) for each in them.payloads(f"heliograph/Devices/dut/{control}/Result")]


async def ask(them: Link, payload: str, control: str = "BatterySetpoint") -> dict[str, Any]:
    """Send a command and wait for what becomes of it."""
    before = len(results(them, control))
    address = f"heliograph/Devices/dut/{control}/Set"
    them.connection.send(address, payload.encode(), qos=1)
    await them.until(lambda: len(results(them, control)) > before, 5)
    found: dict[str, Any] = results(them, control)[-1]
    return found


async def online(them: Link) -> None:
    await them.until(lambda: last(them, "Devices/dut/BatteryPower"))


@pytest.mark.parametrize("name", ["sunny_island", "sbs"])
async def test_a_setpoint_is_followed_and_given_back_at_the_stop(
    name: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator(map=name) as sim:
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            await online(them)
            assert (await ask(them, "-1500"))["ok"] is True
            assert sim.plant.battery == -1500
            words = [0xFFFF, 0xFA24, 0, 802] + ([0, 0] if name == "sunny_island" else [])
            assert sim.bank.writes[-1] == (3, 40149, words)
            await them.until(lambda: last(them, "Devices/dut/BatteryPower") == "-1500", 2)
            assert last(them, "Devices/dut/BatterySetpoint") == "-1500"
            zero = await ask(them, "0")
            assert (zero["ok"], zero["value"], sim.plant.battery) == (True, 0, 0)
            assert (await ask(them, '{"value": 700, "ttl": 600}'))["ok"] is True
            assert sim.plant.battery == 700
        assert sim.plant.setpoint is None
        assert sim.bank.writes[-2:] == [(3, 40151, [0, 803]), (3, 40149, [0, 0])]
        assert last(them, "Devices/dut/BatterySetpoint") == ""


async def test_a_lease_that_lapses_ends_the_control(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        Simulator() as sim,
        running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them,
    ):
        await online(them)
        assert (await ask(them, '{"value": 1200, "ttl": 1}'))["ok"] is True
        assert sim.plant.setpoint == 1200
        await them.until(lambda: sim.plant.setpoint is None, 5)
        await them.until(lambda: last(them, "Devices/dut/BatterySetpoint") == "")


async def test_the_inverters_watchdog_is_fed(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hurried(Setpoint):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            assert self.watchdog == 60, "as the table says"
            self.watchdog = 0.6

    monkeypatch.setitem(module._RECIPES, "BatterySetpoint", Hurried)
    async with Simulator(fallback=0.6) as sim:
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            await online(them)
            assert (await ask(them, '{"value": 1000, "ttl": 60}'))["ok"] is True
            repeated = [(3, 40149, [0, 1000, 0, 802, 0, 0])] * 4
            await them.until(lambda: sim.bank.writes[:4] == repeated, 4)
            sim.tick()
            assert sim.plant.setpoint == 1000, "it never had to fall back"
        assert sim.plant.setpoint is None


async def test_what_a_crash_left_behind_is_given_back_at_the_start(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator() as sim:
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            await actor.read_once()
            actor.desk._writer.journal.lent("dut", "BatterySetpoint")
            await actor.write_control("BatterySetpoint", 2000.0, device="dut")
        assert sim.plant.setpoint == 2000
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            back = [(3, 40151, [0, 803]), (3, 40149, [0, 0])]
            await them.until(lambda: sim.bank.writes[1:3] == back, 5)
            assert sim.plant.setpoint is None


async def test_what_the_battery_cannot_do_is_refused(tmp_path: Path, mosquitto: Mosquitto) -> None:
    plant = Plant(max_charge=3300, max_discharge=4600)
    async with (
        Simulator(plant=plant) as sim,
        running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them,
    ):
        await online(them)
        for payload in ("-3301", "4601", "NaN", "1e9", "full"):
            found = await ask(them, payload)
            assert found["ok"] is False, payload
            assert found["error"], payload
        assert sim.bank.writes == []
        assert (await ask(them, "-3300"))["ok"] is True


async def test_an_inverter_without_limits_is_not_steered(tmp_path: Path) -> None:
    async with Simulator() as sim:
        blind = ("battery_max_charge_power", "max_active_power")
        sim.inverter.sealed |= {p for name in blind for p in sim.inverter.table[name].places}
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            await actor.read_once()
            with pytest.raises(DeviceError, match="does not tell its limits"):
                await actor.write_control("BatterySetpoint", 100.0, device="dut")
        assert sim.bank.writes == []


async def test_a_battery_that_does_not_follow_is_told(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.following.SETTLING", 0.3)
    async with Simulator() as sim:
        sim.fault = "unfollowed"
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            await online(them)
            assert (await ask(them, "2000"))["ok"] is True

            def warning() -> str:
                return last(them, "Actors/dut/Messages/Warning") or ""

            await them.until(lambda: "told 2000 W and delivers -2200 W" in warning(), 4)
            given_back = [each for each in sim.bank.writes if each[1] == 40151]
            assert given_back == [], "it is told, not given back"
            assert last(them, "Devices/dut/BatterySetpoint") == "2000"
            sim.fault = None
            sim.forward(0.1)
            await them.until(lambda: warning() == "", 4)


# ------------------------------------------------------------------------------------------ modes

MODES = [
    ("hold", lambda plant: (plant.max_discharge, plant.setpoint), (0, None)),
    ("charge", lambda plant: plant.battery, -5000),
    ("discharge", lambda plant: plant.battery, 5000),
]


@pytest.mark.parametrize(("word", "look", "found"), MODES, ids=[each[0] for each in MODES])
async def test_modes_of_a_sunny_boy_storage(
    word: str, look: Any, found: Any, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with (
        Simulator(map="sbs") as sim,
        running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them,
    ):
        await online(them)
        assert (await ask(them, word, "BatteryMode"))["ok"] is True
        assert look(sim.plant) == found
        assert {address for _, address, _ in sim.bank.writes} == {
            *(40236, 40793, 40795, 40797, 40799, 40801)
        }
        assert all(len(words) == 2 for _, _, words in sim.bank.writes)
        assert (await ask(them, "auto", "BatteryMode"))["ok"] is True
        assert sim.plant.setpoint is None
        assert sim.plant.max_discharge == 5000
        assert (await ask(them, "boost", "BatteryMode"))["ok"] is False


async def test_a_mode_lapses_in_the_inverter_by_itself(tmp_path: Path) -> None:
    async with Simulator(map="sbs") as sim:
        actor: Any = make(KIND, settings_for(KIND, sim), tmp_path)
        async with actor.direct():
            await actor.read_once()
            await actor.write_control("BatteryMode", "charge", device="dut")
            assert actor.watchdog["BatteryMode"] == 60
            sim.forward(29)
            await actor.write_control("BatteryMode", "charge", device="dut")
            sim.forward(59)
            assert sim.plant.setpoint == -5000
            sim.forward(2)
            assert sim.plant.setpoint is None


async def test_one_way_of_steering_at_a_time(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        Simulator(map="sbs") as sim,
        running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them,
    ):
        await online(them)
        assert (await ask(them, "hold", "BatteryMode"))["ok"] is True
        refused = await ask(them, "500")
        assert refused["ok"] is False
        assert "while BatteryMode is held" in refused["error"]
        assert (await ask(them, "", "BatteryMode"))["ok"] is True
        assert (await ask(them, "500"))["ok"] is True
        refused = await ask(them, "charge", "BatteryMode")
        assert "while BatterySetpoint is held" in refused["error"]
        assert sim.plant.setpoint == 500


async def test_a_pv_inverter_has_nothing_to_control(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator(map="stp") as sim:
        async with running(KIND, settings_for(KIND, sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/PvPower") == "3000")
            info = json.loads(last(them, "Devices/dut/Info") or "{}")
            assert info == {
                "manufacturer": "SMA",
                "model": "STP 10.0-3AV-40",
                "serial": "3012345678",
                "firmware": "2.10.65.R",
            }
        assert sim.bank.writes == []
