"""The client against the simulator: headers, verbs, pace, codes, clock."""

from __future__ import annotations

import itertools
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.devices.alphaess.client import NAME, Unanswered
from actors.devices.alphaess.codes import Said
from actors.devices.alphaess.sim import APP_SECRET, FAULTS, Simulator
from actors.devices.alphaess.simulator.account import GET, POST
from bridge.cloud.budget import BudgetSpent
from bridge.config.secret import Secret
from bridge.errors import DeviceError, DeviceGarbled
from bridge.http.client import HttpClient, HttpRefused
from tests.alphaess.rig import SN, client_of
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path

    from actors.devices.alphaess.client import Client

DAY = date(2026, 11, 19)


async def all_calls(client: Client) -> None:
    """Each endpoint once, in an order that leaves the system bound."""
    await client.systems()
    await client.live(SN)
    await client.sums(SN)
    await client.day_power(SN, DAY)
    await client.day_energy(SN, DAY)
    await client.set_charging(SN, await client.charging(SN))
    await client.set_discharging(SN, await client.discharging(SN))
    found = await client.schedule(SN)
    group = {"beginTime": "01:00", "endTime": "02:00", "chargeLimit": 90}
    lists = {"chargeTimeList": [group], "dischargeTimeList": [group | {"beginTime": "02:00"}]}
    lists["dischargeTimeList"][0]["endTime"] = "03:00"
    await client.set_schedule(SN, {"executeCycleType": 0, **lists})
    assert found["executeCycleType"] == 1
    (charger,) = await client.chargers(SN)
    await client.charger_status(SN, charger["evchargerSn"])
    await client.set_charger_current(SN, (await client.charger_current(SN))["currentsetting"])
    await client.control_charger(SN, charger["evchargerSn"], start=False)
    await client.unbind(SN)
    await client.verification_code(SN, "CHECK01")
    assert await client.bind(SN, "1000")
    assert not await client.bind(SN, "1000")


async def test_all_19_endpoints_with_the_verbs_that_the_service_wants(tmp_path: Path) -> None:
    async with Simulator(chargers=1, entitled=True) as sim, client_of(tmp_path, sim) as client:
        await all_calls(client)
    asked = set(sim.requests)
    assert asked == {f"GET {path}" for path in GET} | {f"POST {path}" for path in POST}
    assert len(asked) == 19
    # Faults of an older library: the current was sent as GET, a path without its slash.
    assert "POST setEvChargerCurrentsBySn" in asked
    assert "POST remoteControlEvCharger" in asked
    assert "GET getVerificationCode" in asked


async def test_another_verb_and_an_unknown_path_are_no_answers_of_the_service(
    tmp_path: Path,
) -> None:
    async with Simulator() as sim, HttpClient(sim.url, name="it") as http:
        with pytest.raises(HttpRefused) as caught:
            await http.get("/setEvChargerCurrentsBySn")
        assert caught.value.status == 405
        assert b'"error"' in caught.value.body
        assert b'"code"' not in caught.value.body
        with pytest.raises(HttpRefused) as caught:
            await http.get("/getMeterOffsetConfigInfo")
        assert caught.value.status == 404


async def test_the_simulator_checks_who_asks(tmp_path: Path) -> None:
    async with Simulator() as sim, HttpClient(sim.url, name="it") as http:
        assert (await http.get("/getEssList"))["code"] == 6010
    async with Simulator() as sim, client_of(tmp_path, sim, app_secret=Secret("no")) as client:
        with pytest.raises(Said) as caught:
            await client.systems()
        assert caught.value.code == 6007
        assert "app_secret" in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_shows_a_secret_or_a_serial_in_an_address(
    tmp_path: Path, fault: str
) -> None:
    async with Simulator() as sim, client_of(tmp_path, sim, timeout=0.3) as client:
        sim.fault = fault
        said = NAME
        try:
            await client.live(SN)
        except DeviceError as error:
            said = str(error)
        assert said.startswith(NAME)
        assert APP_SECRET not in said
        assert "http" not in said.lower().replace("(http", "")


@pytest.mark.parametrize(("skew", "side"), [(412.0, "behind"), (-412.0, "ahead of")])
async def test_a_wrong_clock_is_told_in_seconds(tmp_path: Path, skew: float, side: str) -> None:
    async with Simulator(skew=skew) as sim, client_of(tmp_path, sim) as client:
        with pytest.raises(Said) as caught:
            await client.systems()
        assert caught.value.code == 6006
        seconds = re.search(rf"is (\d+) s {side} that of {NAME}", str(caught.value))
        assert seconds is not None
        assert abs(int(seconds[1]) - 412) <= 2


async def test_a_clock_that_is_a_little_wrong_is_told_before_it_matters(tmp_path: Path) -> None:
    async with Simulator(skew=-100) as sim, client_of(tmp_path, sim) as client:
        await client.systems()
        assert "s ahead of" in (client.clock_trouble() or "")
        sim.skew = 1
        await client.systems()
        assert client.clock_trouble() is None


async def test_what_changes_something_is_sent_once(tmp_path: Path) -> None:
    async with Simulator() as sim, client_of(tmp_path, sim, timeout=0.3) as client:
        for fault in ("slow", "close", "html"):
            sim.fault = fault
            before = len(sim.requests)
            with pytest.raises(Unanswered, match="look whether it was done"):
                await client.unbind(SN)
            assert len(sim.requests) == before + 1
        sim.fault = "502"
        before = len(sim.requests)
        with pytest.raises(DeviceError):
            await client.verification_code(SN, "CHECK01")
        assert len(sim.requests) == before + 1


async def test_two_clients_of_an_account_keep_the_gap_together(tmp_path: Path) -> None:
    days = Days()
    async with (
        Simulator(gap=10, clock=days) as sim,
        client_of(tmp_path, sim, clock=days, gap=10) as one,
        client_of(tmp_path, sim, clock=days, gap=10) as other,
    ):
        await one.systems()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other.live, SN)
            tasks.start_soon(one.sums, SN)
            await days.advance(25)
        assert sim.too_fast == 0
        assert len(sim.at) == 3
        assert all(later - at >= 10 for at, later in itertools.pairwise(sim.at))


async def test_after_too_fast_the_whole_account_rests_longer_and_longer(tmp_path: Path) -> None:
    days = Days()
    async with Simulator(clock=days) as sim, client_of(tmp_path, sim, clock=days, gap=10) as one:
        sim.fault = "too_fast"
        waits = []
        for _ in range(3):
            with pytest.raises(Said):
                await one.systems()
            before = len(sim.requests)
            async with client_of(tmp_path, sim, clock=days, gap=10) as other:
                other._service.patience = 0.0
                with pytest.raises(BudgetSpent) as caught:
                    await other.systems()
            assert len(sim.requests) == before
            waits.append(caught.value.wait)
            await days.advance(caught.value.wait + 1)
        assert waits == pytest.approx([30, 60, 120], abs=2)


async def test_half_an_answer_and_none_are_told_apart(tmp_path: Path) -> None:
    async with Simulator() as sim, client_of(tmp_path, sim) as client:
        sim.fault = "truncated"
        with pytest.raises(DeviceGarbled):
            await client.live(SN)
        sim.fault = None
        # A day that is not there is no error.
        assert await client.day_power(SN, date(2999, 1, 1)) is None


async def test_the_simulator_refuses_what_the_service_refuses(tmp_path: Path) -> None:
    async with Simulator(systems=1) as sim, client_of(tmp_path, sim) as client:
        charging: dict[str, Any] = await client.charging(SN)
        cases: list[tuple[Any, int]] = [
            (client.live("AL70110990000X"), 6038),
            (client.live("AL7011099000099"), 6005),
            (client.verification_code("AL7011099000099", "WRONG"), 6004),
            (client.bind("AL7011099000099", "1"), 6046),
            (client.set_charging(SN, {"gridCharge": 1}), 6001),
            (client.set_charging(SN, charging | {"batHighCap": 101}), 6001),
            (
                client.set_charging(SN, charging | {"timeChaf2": "01:00", "timeChae2": "02:00"}),
                6008,
            ),
            (client.set_schedule(SN, {"chargeTimeList": [], "dischargeTimeList": []}), 6001),
            (client.set_schedule(SN, {}), 10001),
            (client.schedule(SN), 6017),
            (client.control_charger(SN, "none", start=True), 6001),
        ]
        for call, code in cases:
            with pytest.raises(Said) as caught:
                await call
            assert caught.value.code == code
        # As with the real one, times off the grid get a yes and change nothing.
        await client.set_charging(SN, charging | {"timeChaf1": "01:07"})
        assert await client.charging(SN) == charging
