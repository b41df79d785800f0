"""The actor against the simulator: what it publishes, how it writes, what it does about faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from actors.devices.alphaess.agenda import Agenda, Job
from actors.devices.alphaess.naming import Names
from actors.devices.alphaess.sim import Simulator
from tests.alphaess.rig import SN, build, running, wait

if TYPE_CHECKING:
    from pathlib import Path

CAR = "ess-EVC01001"


async def test_it_publishes_powers_sums_and_settings(tmp_path: Path) -> None:
    async with Simulator(hour=10) as sim, running(build(tmp_path, sim)) as rig:
        sim.account.stations[SN].charge["gridCharge"] = 0
        await rig.until("GridCharge", "false")
        await wait(lambda: rig.state().get("PvEnergy") is not None)
        for name, value in (("MinSoc", "10"), ("DischargeSchedule", "off")):
            await rig.until(name, value)
        await wait(lambda: rig.value("BatteryCapacity") is not None)
        await wait(lambda: rig.state()["BatteryPower"] == -3000)
        state = rig.state()
        # At ten the sun charges the battery: - is charging, - is export.
        assert state["BatteryPower"] == -3000.0
        assert state["GridPower"] < 0
        total = state["PvPower"] + state["GridPower"] + state["BatteryPower"]
        assert total == pytest.approx(state["LoadPower"])
        assert 1 < state["BatterySoc"] <= 100
        assert state["BatteryCapacity"] == 12006
        assert 0 <= state["SelfConsumptionToday"] <= 100
        await rig.until("BatteryPower", "-3000")
        assert rig.value("ChargeSchedule") == "01:00-05:15"
        assert rig.value("DischargeSchedule") == "off"
        info = json.loads(rig.value("Info") or "{}")
        assert (info["manufacturer"], info["serial"]) == ("AlphaESS", SN)


async def test_what_the_account_may_not_do_is_not_asked_again(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "GET getTimeChargeBySn" in sim.requests)
        await rig.until("MinSoc")
        assert Job("schedule", SN) not in rig.actor.agenda
        assert rig.actor.warnings == {}
        assert rig.value("Schedule") is None


async def test_a_setting_is_read_changed_written_whole_and_read_back(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("ChargeSchedule")
        # Somebody changes another part in the app meanwhile: it must stay.
        sim.account.stations[SN].charge["batHighCap"] = 77
        outcome = await rig.ask("ChargeSchedule", "2:00-4:00, 13:00-14:30")
        assert outcome.error is None
        (path, body), *more = sim.account.writes
        assert (path, more) == ("updateChargeConfigInfo", [])
        assert body == {
            "sysSn": SN,
            "gridCharge": 1,
            "batHighCap": 77,
            "timeChaf1": "02:00",
            "timeChae1": "04:00",
            "timeChaf2": "13:00",
            "timeChae2": "14:30",
        }
        await rig.until("GridChargeMaxSoc", "77")
        # Also the other side, which an older library could not set at all.
        assert (await rig.ask("MinSoc", "15")).value == 15.0
        assert sim.account.writes[-1][1]["batUseCap"] == 15
        assert sim.account.writes[-1][0] == "updateDisChargeConfigInfo"


async def test_nothing_is_written_when_nothing_changes(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("ChargeSchedule")
        for control, value in (
            ("GridCharge", "on"),
            ("MinSoc", "10"),
            ("DischargeSchedule", "off"),
        ):
            assert (await rig.ask(control, value)).error is None
        assert sim.account.writes == []


@pytest.mark.parametrize(
    ("control", "value", "why"),
    [
        ("MinSoc", "0.9", "write 90 for 90 %"),
        ("GridChargeMaxSoc", "0.5", "write 50 for 50 %"),
        ("GridChargeMaxSoc", "55.5", "whole number"),
        ("ChargeSchedule", "01:07-02:00", "the inverter would ignore it"),
        ("DischargeSchedule", "01:00-03:00, 02:00-04:00", "overlap"),
        ("Schedule", "charge 01:00-02:00 90%", "needs a group with 'discharge'"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(
    tmp_path: Path, control: str, value: str, why: str
) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim, interval=100, gap=0.01)) as rig:
        await rig.until("ChargeSchedule")
        await wait(lambda: "GET getEvChargerConfigList" in sim.requests)
        before = len(sim.requests)
        outcome = await rig.ask(control, value)
        assert why in (outcome.error or "")
        assert len(sim.requests) == before


async def test_a_newer_model_lives_in_the_schedule_alone(tmp_path: Path) -> None:
    async with Simulator(model="scheduled") as sim, running(build(tmp_path, sim)) as rig:
        line = "charge 01:00-05:00 mon-fri 3000W 90%; discharge 17:00-21:00 mon-fri 3000W 20%"
        await rig.until("Schedule", line)
        assert rig.value("MinSoc") is None
        assert "it has a schedule instead" in ((await rig.ask("MinSoc", "20")).error or "")
        wanted = "charge 02:00-04:00 80%; discharge 18:00-20:00 2500W 25%"
        assert (await rig.ask("Schedule", wanted)).error is None
        body = sim.account.writes[-1][1]
        assert body["executeCycleType"] == 0
        assert body["chargeTimeList"] == [
            {"beginTime": "02:00", "endTime": "04:00", "chargeLimit": 80}
        ]
        await wait(lambda: rig.actor.rounds.only_scheduled(SN))
        assert (await rig.ask("TimedDischarge", "off")).error is None
        assert sim.account.writes[-1][1]["ctrDisCycle"] == 0
        assert sim.account.writes[-1][1]["gridChargeCycle"] == 1


async def test_several_systems_are_devices_of_their_own(tmp_path: Path) -> None:
    async with Simulator(systems=2) as sim, running(build(tmp_path, sim)) as rig:
        for serial in (SN, "AL7011099000002"):
            await rig.until("GridPower", device=f"ess-{serial}")
        assert rig.value("GridPower") is None
        assert (await rig.ask("MinSoc", "15", f"ess-{SN}")).error is None
        assert sim.account.writes[-1][1]["sysSn"] == SN
    async with Simulator(systems=2) as sim:
        picked = build(tmp_path / "other", sim, serial="AL7011099000002")
        async with running(picked) as rig:
            await rig.until("GridPower")
            assert not any(SN in path for path, _ in rig.sent)
    missing = build(tmp_path / "third", sim, serial="AL0")
    async with sim, running(missing) as rig:
        await wait(lambda: rig.actor.error is not None)
        assert "AL0" in (rig.actor.error or "") or "no such serial" in (rig.actor.error or "")


def test_the_first_system_keeps_its_name_when_others_come() -> None:
    names = Names("ess", None)
    assert names.seen(["B"])
    assert names.device("B") == "ess"
    assert names.seen(["A", "B"])
    again = Names("ess", names.kept())
    assert (again.device("A"), again.device("B")) == ("ess-A", "ess")
    assert not again.seen(["A", "B"])
    both = Names("ess", None)
    both.seen(["A", "B"])
    assert (both.device("A"), both.device("B")) == ("ess-A", "ess-B")
    assert len(both.device("S" * 64)) == 32


async def test_one_system_that_is_offline_leaves_the_others(tmp_path: Path) -> None:
    async with Simulator(systems=2) as sim, running(build(tmp_path, sim)) as rig:
        one, other = f"ess-{SN}", "ess-AL7011099000002"
        await rig.until("Status", "online", one)
        await rig.until("Status", "online", other)
        sim.account.stations[SN].online = False
        await rig.until("Status", "offline", one)
        assert rig.value("Status", other) == "online"
        assert "6042" in (rig.actor.error or "")
        sim.account.stations[SN].online = True
        await rig.until("Status", "online", one)
        await wait(lambda: rig.actor.error is None)


# -------------------------------------------------------------------------------- chargers


async def test_a_charger_is_read_stopped_and_given_back(tmp_path: Path) -> None:
    async with Simulator(chargers=1, hour=20) as sim, running(build(tmp_path, sim)) as rig:
        await rig.until("VehicleState", "charging", CAR)
        assert rig.state(CAR)["Power"] == rig.state()["ChargerPower"] == 16 * 230
        await wait(lambda: rig.state().get("ChargingCurrent") == 16)
        car = sim.account.stations[SN].cars[0]
        assert (await rig.ask("ChargeEnable", "off", CAR)).error is None
        assert car.status == 6
        assert (await rig.ask("ChargeCurrent", "10")).error is None
        assert sim.account.stations[SN].current == 10
        assert (await rig.ask("ChargeEnable", "", CAR)).error is None
        assert car.status == 3
        assert (await rig.ask("ChargeCurrent", "")).error is None
        assert sim.account.stations[SN].current == 16


async def test_what_a_killed_bridge_left_is_put_back_at_the_next_start(tmp_path: Path) -> None:
    async with Simulator(chargers=1) as sim:
        killed = build(tmp_path, sim)
        async with killed.direct():
            killed.names.seen([SN])
            killed.state.save("plugs", {SN: ["EVC01001"]})
            killed.desk._writer.journal.lent(CAR, "ChargeEnable")
            assert await killed.lending.enable(SN, "EVC01001", value=False) is False
        killed.state.save("systems", killed.names.kept())
        car = sim.account.stations[SN].cars[0]
        assert car.status == 6
        async with running(build(tmp_path, sim)):
            await wait(lambda: car.status == 3)


async def test_without_a_charger_there_is_nothing_to_control(tmp_path: Path) -> None:
    async with Simulator() as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "GET getEvChargerConfigList" in sim.requests)
        await rig.until("MinSoc")
        assert "no control" in ((await rig.ask("ChargeCurrent", "10")).error or "")
        assert "GET getEvChargerCurrentsBySn" not in sim.requests


# -------------------------------------------------------------------------------- what is wrong


async def test_a_wrong_clock_is_a_warning(tmp_path: Path) -> None:
    async with Simulator(skew=-90) as sim, running(build(tmp_path, sim)) as rig:
        await wait(lambda: "ahead of" in rig.actor.warnings.get("clock", ""))
        await rig.until("Status", "online")


async def test_a_wrong_secret_is_said_at_once_and_not_hammered(tmp_path: Path) -> None:
    async with Simulator() as sim:
        sim.fault = "sign"
        actor = build(tmp_path, sim, gap=0.01, interval=0.02)
        async with running(actor) as rig:
            await rig.until("Status", "offline")
            assert "app_secret" in (rig.actor.error or "")
            assert len(sim.requests) == 1


# -------------------------------------------------------------------------------- the pace


def test_one_system_goes_at_its_own_pace_and_several_share() -> None:
    def planned(systems: int) -> Agenda:
        agenda = Agenda(10)
        for number in range(systems):
            serial = f"AL{number}"
            agenda.add(Job("live", serial), 30)
            for what, every in (("sums", 900), ("charge", 300), ("discharge", 300)):
                agenda.add(Job(what, serial), every)
        return agenda

    assert planned(1).stretch == 1
    assert planned(4).pace(Job("live", "AL0")) > 50
    for systems in (1, 2, 4, 8):
        agenda, count = planned(systems), dict.fromkeys(planned(systems).jobs(), 0)
        for tick in range(0, 24 * 3600, 10):
            job = agenda.next(float(tick))
            if job is not None:
                agenda.asked(job, float(tick))
                count[job] += 1
        assert sum(count.values()) <= 0.9 * 8640
        lives = [n for job, n in count.items() if job.what == "live"]
        assert max(lives) - min(lives) <= 0.02 * max(lives)
        assert min(count.values()) > 0


def test_what_rests_is_not_asked() -> None:
    agenda, live = Agenda(10), Job("live", "A")
    agenda.add(live, 30)
    assert agenda.next(0) == live
    agenda.asked(live, 0)
    assert agenda.next(20) is None
    agenda.rest(live, 100)
    assert agenda.next(60) is None
    assert agenda.next(100) == live
    agenda.drop(live)
    assert agenda.next(1000) is None
