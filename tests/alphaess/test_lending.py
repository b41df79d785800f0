"""What is lent out ends: quickly, with one call, and also after the bridge was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.devices.alphaess.lending import Lending
from actors.devices.alphaess.sim import Simulator
from actors.devices.alphaess.steering import Steering
from bridge.errors import DeviceError, DeviceRefused
from bridge.log import get_logger
from bridge.state import StateFolder
from tests.alphaess.rig import SN, build, client_of, running, wait
from tests.alphaess.test_steering import Leaper

if TYPE_CHECKING:
    from pathlib import Path

    from actors.devices.alphaess.client import Client

EVC = "EVC01001"
CAR = f"ess-{EVC}"


def lending(client: Client, folder: Path, clock: Leaper) -> Lending:
    state = StateFolder(folder, "ess", get_logger("ess"))
    return Lending(Steering(client, state, clock, rest=60), state)


async def test_giving_back_is_one_call_and_waits_for_no_rest(tmp_path: Path) -> None:
    clock = Leaper()
    async with (
        Simulator(chargers=1, clock=clock) as sim,
        client_of(tmp_path, sim, clock=clock) as client,
    ):
        car, station = sim.account.stations[SN].cars[0], sim.account.stations[SN]
        car.status = 2
        lent = lending(client, tmp_path, clock)
        assert await lent.enable(SN, EVC, value=True) is True
        assert await lent.current(SN, 10) == 10
        assert lent.out
        before = len(sim.requests)
        await lent.enable(SN, EVC, None)
        assert sim.requests[before:] == ["POST remoteControlEvCharger"]
        assert car.status == 6
        await lent.current(SN, None)
        assert sim.requests[before + 1 : before + 2] == ["POST setEvChargerCurrentsBySn"]
        assert station.current == 16
        assert not lent.out
        assert clock.slept == 0
        # Stopping waits for nothing either; starting once more does.
        await lent.enable(SN, EVC, value=False)
        assert clock.slept == 0
        await lent.enable(SN, EVC, value=True)
        assert clock.slept == pytest.approx(60, abs=1)


async def test_what_changed_nothing_is_given_back_without_a_call(tmp_path: Path) -> None:
    clock = Leaper()
    async with (
        Simulator(chargers=1, clock=clock) as sim,
        client_of(tmp_path, sim, clock=clock) as client,
    ):
        lent = lending(client, tmp_path, clock)
        await lent.enable(SN, EVC, value=True)
        await lent.current(SN, 16)
        assert sim.account.writes == []
        before = len(sim.requests)
        await lent.enable(SN, EVC, None)
        await lent.current(SN, None)
        assert len(sim.requests) == before
        assert not lent.out


async def test_a_kill_before_the_answer_is_put_back_too(tmp_path: Path) -> None:
    clock = Leaper()
    async with (
        Simulator(chargers=1, clock=clock) as sim,
        client_of(tmp_path, sim, clock=clock) as client,
    ):
        car = sim.account.stations[SN].cars[0]
        lent = lending(client, tmp_path, clock)
        send = client.control_charger

        async def unheard(serial: str, charger: str, *, start: bool) -> None:
            await send(serial, charger, start=start)
            raise DeviceError("nobody knows what became of it")

        client.control_charger = unheard  # type: ignore[method-assign]
        with pytest.raises(DeviceError):
            await lent.enable(SN, EVC, value=False)
        client.control_charger = send  # type: ignore[method-assign]
        assert car.status == 6
        next_life = lending(client, tmp_path, clock)
        await next_life.enable(SN, EVC, None)
        assert car.status == 3


@pytest.mark.parametrize("status", [7, 8, None])
async def test_a_charger_whose_state_is_unknown_can_be_stopped_only(
    tmp_path: Path, status: int | None
) -> None:
    clock = Leaper()
    async with (
        Simulator(chargers=1, clock=clock) as sim,
        client_of(tmp_path, sim, clock=clock) as client,
    ):
        sim.account.stations[SN].cars[0].status = status  # type: ignore[assignment]
        lent = lending(client, tmp_path, clock)
        with pytest.raises(DeviceRefused, match="does not tell what it does"):
            await lent.enable(SN, EVC, value=True)
        assert await lent.enable(SN, EVC, value=False) is False
        assert [body["controlMode"] for _, body in sim.account.writes] == [0]
        await lent.enable(SN, EVC, None)
        assert len(sim.account.writes) == 1


@pytest.mark.parametrize("amperes", [0.0, -6.0, 80.5, float("nan"), float("inf")])
async def test_a_current_that_no_charger_takes_asks_nobody(tmp_path: Path, amperes: float) -> None:
    clock = Leaper()
    async with (
        Simulator(chargers=1, clock=clock) as sim,
        client_of(tmp_path, sim, clock=clock) as client,
    ):
        with pytest.raises(DeviceRefused, match="A at most"):
            await lending(client, tmp_path, clock).current(SN, amperes)
        assert sim.requests == []


async def test_a_setting_never_keeps_the_end_of_a_lease_waiting(tmp_path: Path) -> None:
    async with Simulator(chargers=1) as sim:
        actor = build(tmp_path, sim)
        actor.names.seen([SN])
        actor.steering._rest = 60.0
        async with actor.direct():
            assert await actor.write_control("MinSoc", 15.0, device="ess") == 15
            await actor.lending.enable(SN, EVC, value=False)
            with pytest.raises(DeviceRefused, match="set a moment ago"):
                await actor.write_control("MinSoc", 20.0, device="ess")


async def test_a_normal_stop_puts_the_charger_back(tmp_path: Path) -> None:
    async with Simulator(chargers=1) as sim:
        car = sim.account.stations[SN].cars[0]
        async with running(build(tmp_path, sim)) as rig:
            await rig.until("VehicleState", "charging", CAR)
            assert (await rig.ask("ChargeEnable", {"value": False, "ttl": 3600}, CAR)).error is None
            assert car.status == 6
        assert car.status == 3
        # Where the service is silent then, the next start does it.
        async with running(build(tmp_path, sim)) as rig:
            await rig.until("VehicleState", "charging", CAR)
            assert (await rig.ask("ChargeEnable", {"value": False, "ttl": 3600}, CAR)).error is None
            sim.fault = "502"
        assert car.status == 6
        sim.fault = None
        async with running(build(tmp_path, sim)) as rig:
            await wait(lambda: car.status == 3)
