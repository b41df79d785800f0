"""Controls: read back, refused where they must be, and given back whatever happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.lg_ess import preferences, reserve
from actors.devices.lg_ess.sim import Simulator
from bridge.errors import DeviceRefused
from tests.lg_ess.rig import build, running, wait

if TYPE_CHECKING:
    from pathlib import Path

OURS = ("backup", "backup_soc", "auto_charge")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds of waking are longer than a test waits."""
    monkeypatch.setattr(reserve, "_WAKE", 0.1)


def of(sim: Simulator) -> tuple[str, ...]:
    return tuple(sim.plant.settings[name] for name in OURS)


FOUND = ("off", "30", "off")


@pytest.mark.parametrize(
    ("model", "control", "value", "shown", "written"),
    [
        ("home10", "WinterMode", "true", True, {"wintermode": "on"}),
        (
            "home10",
            "WinterPeriod",
            "10-15/03-01",
            "10-15/03-01",
            {"startdate": "1015", "stopdate": "0301"},
        ),
        ("home10", "ChargeStrategy", "fast_charge", "fast_charge", {"alg_setting": "1"}),
        ("home10", "ChargeStrategy", "weather_forecast", "weather_forecast", {"alg_setting": "2"}),
        ("home5", "ChargeStrategy", "fast_charge", "fast_charge", {"alg_setting": "on"}),
        ("home10", "BackupMode", "on", "on", {"backupmode": "on"}),
        ("home10", "BackupReserve", "45", 45, {"backup_soc": "45"}),
        ("home10", "GridCharge", "on", True, {"autocharge": "1"}),
        ("home15", "WinterMode", "on", True, {"wintermode": "on"}),
        ("home10", "Operation", "off", False, {"operation": "stop"}),
    ],
)
async def test_a_setting_is_written_and_read_back(
    tmp_path: Path, model: str, control: str, value: str, shown: Any, written: dict[str, str]
) -> None:
    async with Simulator(model) as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("WinterPeriod")
        await wait(lambda: control in rig.actor.desk.offered())
        outcome = await rig.ask(control, value)
        assert (outcome.error, outcome.value) == (None, shown)
        assert sim.writes == [written]
        sim.writes.clear()
        again = await rig.ask(control, value)
        assert (again.error, sim.writes) == (None, [])  # nothing is written twice


@pytest.mark.parametrize(
    ("control", "value", "words"),
    [
        ("ChargeStrategy", "normal", "not one of battery_care"),
        ("BackupReserve", "45.5", "whole percent"),
        ("BackupReserve", "101", "101"),
        ("BackupReserve", "-1", "-1"),
        ("WinterPeriod", "13-01/02-28", "period like"),
        ("WinterPeriod", "02-30/03-01", "period like"),
        ("WinterPeriod", "11-01", "period like"),
        ("BackupMode", "sometimes", "not one of off"),
        ("BatteryMode", "discharge", "not one of auto, hold, charge"),
        ("BatteryMode", "winter", "not one of auto, hold, charge"),
    ],
)
async def test_what_makes_no_sense_is_refused_unwritten(
    tmp_path: Path, control: str, value: str, words: str
) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("WinterPeriod")
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        outcome = await rig.ask(control, value)
        assert words in (outcome.error or "")
        assert sim.writes == []


def test_a_model_without_it_says_so() -> None:
    with pytest.raises(DeviceRefused, match="does not have BackupReserve"):
        preferences.body("BackupReserve", 20, {"winter_setting": "on"})


async def test_a_device_that_only_says_that_it_obeys_is_found_out(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("WinterMode", "false")
        sim.fault = "deaf"
        outcome = await rig.ask("WinterMode", "true")
        assert outcome.error == "WinterMode was set to true, but the device has false"
        assert rig.value("WinterMode") == "false"


async def test_stopping_stops_all_and_starting_starts_it(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("Operation", "true")
        assert (await rig.ask("Operation", "false")).error is None
        await rig.until("InverterState", "off")
        await rig.until("PvPower", "0")
        await rig.until("GridPower", "540")
        assert (await rig.ask("Operation", "true")).error is None
        await rig.until("InverterState", "running")
    assert sim.plant.running


# ---------------------------------------------------------------------------- hold and charge


async def test_hold_stops_the_battery_and_is_given_back_awake(tmp_path: Path) -> None:
    async with (
        Simulator(battery=800, pv=0) as sim,
        running(build(tmp_path, sim)) as rig,
    ):
        await rig.until("BatteryPower", "800")
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        outcome = await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
        assert (outcome.error, outcome.value) == (None, "hold")
        assert of(sim) == ("on", "48", "off")  # 47.9 % now
        await rig.until("BatteryPower", "0")
        assert sim.plant.asleep
        noted = json.loads((tmp_path / "ess" / "reserve.json").read_bytes())
        assert noted["found"] == {"backupmode": "off", "backup_soc": "30", "autocharge": "0"}
        assert (await rig.ask("BatteryMode", "")).error is None
        assert of(sim) == FOUND
        assert not sim.plant.asleep
        assert sim.writes[-2:] == [
            {"backupmode": "on", "backup_soc": "100", "autocharge": "0"},
            {"backupmode": "off", "backup_soc": "30", "autocharge": "0"},
        ]
        await rig.until("BatteryPower", "800")
        await rig.until("BatteryMode", "")


async def test_a_battery_that_is_held_again_soon_is_woken_again(tmp_path: Path) -> None:
    async with Simulator(battery=800, pv=0) as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        for _ in range(2):
            await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
            assert sim.plant.asleep
            await rig.ask("BatteryMode", "")
            assert not sim.plant.asleep


async def test_charge_takes_from_the_grid_up_to_max_soc(tmp_path: Path) -> None:
    async with (
        Simulator(battery=300, pv=0) as sim,
        running(build(tmp_path, sim, max_soc=80.0)) as rig,
    ):
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        assert (await rig.ask("BatteryMode", {"value": "charge", "ttl": 600})).error is None
        assert of(sim) == ("on", "80", "on")
        await rig.until("BatteryPower", "-3000")
        assert rig.value("GridPower") == "3540"
        outcome = await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
        assert outcome.error is None
        assert of(sim) == ("on", "48", "off")
        assert (await rig.ask("BatteryMode", "auto")).error is None
        assert of(sim) == FOUND


async def test_a_lease_that_is_over_is_given_back(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        await rig.ask("BatteryMode", {"value": "charge", "ttl": 0.5})
        assert of(sim) == ("on", "95", "on")
        await wait(lambda: of(sim) == FOUND, 4)


async def test_the_owners_own_backup_comes_back_as_it_was(tmp_path: Path) -> None:
    async with Simulator() as sim:
        mine = {"backup": "on", "backup_soc": "20", "auto_charge": "on"}
        sim.plant.settings |= mine
        async with running(build(tmp_path, sim)) as rig:
            await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
            await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
            assert of(sim) == ("on", "48", "off")
            await rig.ask("BatteryMode", "")
            assert of(sim) == tuple(mine.values())


async def test_its_parts_are_not_for_others_meanwhile(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
        for control, value in (("BackupReserve", "77"), ("BackupMode", "simple")):
            outcome = await rig.ask(control, value)
            assert "give that back first" in (outcome.error or "")
        assert of(sim) == ("on", "48", "off")
        assert (await rig.ask("WinterMode", "true")).error is None


async def test_somebody_else_who_changes_it_twice_ends_the_lease(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
        rig.actor.clock.moved += 3  # type: ignore[attr-defined]  # what was written has settled
        sim.plant.settings["backup_soc"] = "10"
        await wait(lambda: sim.plant.settings["backup_soc"] == "48")
        rig.actor.clock.moved += 3  # type: ignore[attr-defined]
        await anyio.sleep(0.5)
        assert rig.value("BatteryMode") == "hold"  # a reading that agrees forgives the first


async def test_a_stop_gives_back_at_once_and_the_next_start_wakes(tmp_path: Path) -> None:
    async with Simulator(battery=800, pv=0) as sim:
        async with running(build(tmp_path, sim)) as rig:
            await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
            await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
            sim.writes.clear()
        assert sim.writes == [{"backupmode": "off", "backup_soc": "30", "autocharge": "0"}]
        assert of(sim) == FOUND
        assert sim.plant.asleep
        # The owner changes his mind before the next start: that is what is kept then.
        sim.plant.settings["backup_soc"] = "25"
        async with running(build(tmp_path, sim)) as rig:
            await wait(lambda: not sim.plant.asleep)
            await wait(lambda: of(sim) == ("off", "25", "off"))
            await rig.until("BatteryPower", "800")
        sim.writes.clear()
        async with running(build(tmp_path, sim)) as rig:
            await rig.until("Status", "online")
            await anyio.sleep(0.2)
        assert sim.writes == []  # once is enough


async def test_what_a_killed_run_left_is_put_back_at_the_start(tmp_path: Path) -> None:
    async with Simulator(battery=800, pv=0) as sim:
        actor = build(tmp_path, sim)
        async with running(actor) as rig:
            await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
            await rig.ask("BatteryMode", {"value": "charge", "ttl": 600})
            kept = {path: path.read_bytes() for path in (tmp_path / "ess").glob("*.json")}
        for path, content in kept.items():  # as if the stop had never come
            path.write_bytes(content)
        sim.plant.settings |= {"backup": "on", "backup_soc": "95", "auto_charge": "on"}
        async with running(build(tmp_path, sim)) as rig:
            await wait(lambda: of(sim) == FOUND)
            await rig.until("BatteryPower", "800")
            leases = tmp_path / "ess" / "leases.json"
            await wait(lambda: not json.loads(leases.read_bytes())["held"])


@pytest.mark.parametrize(
    "note", ['{"found": {"backupm', "[]", '{"found": {"backupmode": "on"}, "asleep": false}']
)
async def test_with_a_damaged_note_nothing_goes_on_charging(tmp_path: Path, note: str) -> None:
    state = tmp_path / "ess"
    state.mkdir()
    (state / "leases.json").write_text('{"held": [["ess", "BatteryMode"]]}')
    (state / "reserve.json").write_text(note)
    async with Simulator(battery=800, pv=0) as sim:
        sim.plant.settings |= {"backup": "on", "backup_soc": "95", "auto_charge": "on"}
        async with running(build(tmp_path, sim)) as rig:
            await wait(lambda: of(sim) == ("off", "95", "off"))
            warning = lambda: rig.last("Actors/ess/Messages/Warning") or ""
            await wait(lambda: "set BackupMode again" in warning())
            await wait(lambda: not json.loads((state / "leases.json").read_bytes())["held"])
            await rig.until("BackupMode", "off")
            assert (await rig.ask("BackupMode", "on")).error is None
            await wait(lambda: "BackupMode" not in warning())
        assert of(sim) == ("on", "95", "off")


async def test_a_device_that_is_away_at_the_end_gets_it_back_later(tmp_path: Path) -> None:
    async with Simulator() as sim:
        async with running(build(tmp_path, sim, timeout=0.2)) as rig:
            await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
            await rig.ask("BatteryMode", {"value": "charge", "ttl": 600})
            await sim.stop()
        assert of(sim)[0] == "on"
        await sim.start()
        async with running(build(tmp_path, sim)):
            await wait(lambda: of(sim) == FOUND)


async def test_a_lend_that_fails_writes_nothing_back(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim, timeout=0.2)) as rig:
        await wait(lambda: "BatteryMode" in rig.actor.desk.offered())
        sim.plant.settings |= {"backup": "on", "backup_soc": "20"}
        sim.fault = "stall"
        outcome = await rig.ask("BatteryMode", {"value": "hold", "ttl": 600})
        assert "did not answer" in (outcome.error or "")
        sim.fault = None
        await anyio.sleep(0.3)
        assert of(sim)[:2] == ("on", "20")
        assert sim.writes == []


async def test_an_old_firmware_is_not_steered(tmp_path: Path) -> None:
    async with (
        Simulator(firmware="10.05.6053") as sim,
        running(build(tmp_path, sim)) as rig,
    ):
        await rig.until("BackupReserve", "30")
        await wait(lambda: "10.05.7430" in (rig.last("Actors/ess/Messages/Operational") or ""))
        assert "BatteryMode" not in rig.actor.desk.offered()
        outcome = await rig.ask("BatteryMode", "hold")
        assert outcome.error is not None
        assert sim.writes == []


async def test_flash_is_spared(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("BackupReserve", "30")
        rig.actor.desk.writes.counts["BackupReserve"] = 50
        outcome = await rig.ask("BackupReserve", "31")
        assert "written 50 times today" in (outcome.error or "")
        assert sim.writes == []
