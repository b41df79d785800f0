"""Logging in, staying logged in, and resting: over real TLS against the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.devices.lg_ess.client import BATTERY, COMMON, HOME
from actors.devices.lg_ess.sim import PASSWORD, Simulator
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from tests.lg_ess.rig import MovedClock, client_of

if TYPE_CHECKING:
    from actors.devices.lg_ess.client import Client


async def refused(client: Client, page: str = HOME) -> str:
    with pytest.raises(DeviceRefused) as caught:
        await client.read(page)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


async def test_one_login_serves_all_requests() -> None:
    async with Simulator() as sim, client_of(sim) as client:
        for page in (HOME, COMMON, BATTERY, HOME):
            assert await client.read(page)
        assert sim.logins == 1
        assert sim.clocks == []


async def test_a_session_that_is_over_is_renewed_silently() -> None:
    async with Simulator() as sim, client_of(sim) as client:
        await client.read(HOME)
        sim.expire()
        assert "statistics" in await client.read(HOME)
        sim.expire()
        await client.write(BATTERY, {"wintermode": "on"})
        assert sim.writes == [{"wintermode": "on"}]
        assert sim.logins == 3


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_a_session_is_over_also_when_that_is_said_with_another_status(status: int) -> None:
    async with Simulator() as sim, client_of(sim) as client:
        await client.read(HOME)
        sim.expired_status = status
        sim.expire()
        assert "statistics" in await client.read(HOME)
        assert sim.logins == 2


async def test_two_programs_that_log_in_do_not_stop_each_other() -> None:
    async with Simulator() as sim, client_of(sim) as one, client_of(sim) as other:
        for _ in range(3):
            assert await one.read(HOME)
            assert await other.read(HOME)
        assert sim.logins == 6


async def test_sessions_that_end_at_once_are_left_alone_for_15_30_60_s() -> None:
    clock = MovedClock()
    async with Simulator() as sim, client_of(sim, clock=clock) as client:
        sim.fault = "session"
        for pause in (15, 30, 60, 60):
            logins = sim.logins
            assert "ends each session at once" in await refused(client)
            assert sim.logins == logins + 2 if pause == 15 else sim.logins > logins
            logins = sim.logins
            clock.moved += pause - 1
            assert "ends each session at once" in await refused(client)
            assert sim.logins == logins
            clock.moved += 1
        sim.fault = None
        assert await client.read(HOME)


async def test_a_wrong_password_is_tried_once_a_minute() -> None:
    clock = MovedClock()
    async with Simulator() as sim, client_of(sim, "0123456789ab", clock=clock) as client:
        for _ in range(3):
            sentence = await refused(client)
            assert "refuses the password" in sentence
            assert "get-password" in sentence
            assert "0123456789ab" not in sentence
        assert sim.logins_refused == 1
        clock.moved += 61
        await refused(client)
        assert sim.logins_refused == 2


async def test_the_clock_is_set_only_when_that_is_wished() -> None:
    async with Simulator() as sim, client_of(sim, timesync=True) as client:
        await client.read(HOME)
        assert len(sim.clocks) == 1
        assert sim.clocks[0][:3] == "202"


async def test_a_connection_that_was_closed_meanwhile_is_no_failure() -> None:
    async with Simulator() as sim, client_of(sim) as client:
        await client.read(HOME)
        await sim.stop()
        await sim.start()
        assert await client.read(HOME)


async def test_a_write_that_is_not_taken_is_told() -> None:
    async with Simulator() as sim, client_of(sim) as client:
        with pytest.raises(DeviceRefused, match="refuses to set nonsense"):
            await client.write(BATTERY, {"nonsense": "1"})


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("stall", DeviceTimeout, "did not answer within 0.3 s"),
        ("html", DeviceGarbled, "web page instead of data"),
        ("truncated", DeviceGarbled, "cannot be read"),
        ("list", DeviceGarbled, "something else"),
        ("cut", DeviceGarbled, "broke off"),
        ("500", DeviceRefused, "failed inside"),
        ("429", DeviceRefused, "asked too often"),
        ("redirect", DeviceGarbled, "redirects"),
        ("oversized", DeviceGarbled, "more than"),
    ],
)
async def test_a_fault_is_a_sentence(fault: str, kind: type[DeviceError], words: str) -> None:
    async with Simulator() as sim, client_of(sim, timeout=0.3) as client:
        sim.fault = fault
        with pytest.raises(kind, match=words) as caught:
            await client.read(HOME)
        assert "the LG ESS at 127.0.0.1" in str(caught.value)


async def test_a_write_is_never_repeated() -> None:
    async with Simulator() as sim, client_of(sim) as client:
        await client.read(HOME)
        sim.fault = "close"
        asked = len(sim.requests)
        with pytest.raises(DeviceTimeout):
            await client.write(BATTERY, {"wintermode": "on"})
        assert len(sim.requests) == asked + 1


async def test_a_slow_device_is_waited_for() -> None:
    async with Simulator(delay=0.4) as sim, client_of(sim, timeout=1.0) as client:
        assert await client.read(HOME)


async def test_the_password_is_told_on_its_own_wifi_only() -> None:
    async with Simulator() as sim, client_of(sim, "") as client:
        assert await client.ask_password() is None
        sim.own_wifi = True
        assert await client.ask_password() == PASSWORD
        assert sim.logins == 0


async def test_no_secret_is_in_a_sentence_or_an_address() -> None:
    async with Simulator() as sim, client_of(sim, timeout=0.2) as client:
        await client.read(HOME)
        key = client._key
        assert key is not None
        for fault in ("stall", "html", "500", "session", "cut"):
            sim.fault = fault
            with pytest.raises(DeviceError) as caught:
                await client.read(HOME)
            assert not {PASSWORD, key} & set(str(caught.value).split())
            assert PASSWORD not in str(caught.value)
        assert not any(PASSWORD in each for each in sim.requests)
