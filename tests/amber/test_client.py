"""The client against the simulator over real HTTP: every question, every fault, every limit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.tariffs.amber.client import Client
from actors.tariffs.amber.download import download
from actors.tariffs.amber.history import MARKET
from actors.tariffs.amber.interval import interval_at, of_channel
from actors.tariffs.amber.sim import FAULTS, SITE, TOKEN, Simulator
from bridge.cloud import BudgetSpent, HttpRefused
from bridge.config.secret import Secret
from bridge.errors import DeviceError
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 11, 20, 8, 31, 10, tzinfo=UTC)
# Faults of the data that leave something to be read.
READABLE = {
    *("empty", "nulls", "strings", "no_feed_in", "no_bands", "no_estimate", "open", "stuck"),
}


def client(sim: Simulator, folder: Path, clock: Days | None = None, **more: Any) -> Client:
    given: dict[str, Any] = {"token": Secret(TOKEN), "timeout": 1.0} | more
    return Client(folder=folder, url=f"http://127.0.0.1:{sim.port}", clock=clock, **given)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_the_current_prices_with_those_before_and_after(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim, client(sim, tmp_path, days) as amber:
        (active,) = [site for site in await amber.sites() if site.status == "active"]
        found = of_channel(await amber.current(active.id, before=1, after=2), "general")
        assert [each.kind for each in found] == ["actual", "current", "forecast", "forecast"]
        assert interval_at(found, BEGIN) == found[1]
        assert (found[1].minutes, found[1].estimate) == (30, False)
        short = await amber.current(active.id, resolution=5)
        assert {each.minutes for each in short} == {5}
        assert sim.requests[-1] == f"/sites/{SITE}/prices/current?previous=0&next=0&resolution=5"


async def test_the_service_may_ignore_the_resolution(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days, resolution=False) as sim, client(sim, tmp_path, days) as amber:
        found = await amber.current(SITE, after=2, resolution=30)
        assert {each.minutes for each in found} == {5}


async def test_days_of_prices_and_usage(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days, length=5) as sim, client(sim, tmp_path, days) as amber:
        day = date(2026, 11, 17)
        prices = of_channel(await amber.prices(SITE, day, day), "general")
        assert len(prices) == 288
        assert prices[0].start == datetime(2026, 11, 17, tzinfo=MARKET)
        usage = of_channel(await amber.usage(SITE, day, day), "feedIn")
        assert len(usage) == 288
        assert sum(each.kwh or 0 for each in usage) < 0


async def test_just_before_midnight_a_start_is_sent(tmp_path: Path) -> None:
    days = Days(datetime(2026, 11, 20, 13, 55, tzinfo=UTC))
    async with Simulator(clock=days) as sim, client(sim, tmp_path, days) as amber:
        assert await amber.prices(SITE, date(2026, 11, 20), date(2026, 11, 20))


async def test_renewables_need_no_token_and_leave_the_limits_alone(tmp_path: Path) -> None:
    async with Simulator() as sim, client(sim, tmp_path, token=None) as amber:
        found = await amber.renewables("vic", before=1, after=1)
        assert [each.kind for each in found] == ["actual", "current", "forecast"]
        assert amber.limits is None
        with pytest.raises(DeviceError, match="no renewables of the state 'wa'"):
            await amber.renewables("wa")
        with pytest.raises(DeviceError, match="needs a token"):
            await amber.sites()
    async with Simulator() as sim, client(sim, tmp_path) as amber:
        await amber.sites()
        before = amber.limits
        assert before is not None
        await amber.renewables("nsw")
        assert amber.limits == before


async def test_the_limits_are_those_of_the_last_answer(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim, client(sim, tmp_path, days) as amber:
        assert amber.limits is None
        await amber.sites()
        await days.advance(100)
        await amber.sites()
        told = amber.limits
        assert told is not None
        assert (told.limit, told.remaining, told.reset, told.policy) == (50, 48, 200, "50;w=300")
        assert told.refreshed == BEGIN + timedelta(seconds=100)
        assert told.estimated_reset == BEGIN + timedelta(seconds=300)
        sim.fault = "broken"
        with pytest.raises(DeviceError):
            await amber.sites()
        assert amber.limits.remaining < 48


async def test_after_a_429_nobody_asks_until_the_reset(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        async with client(sim, tmp_path, days) as amber:
            await amber.sites()
            sim.fault = "busy"
            with pytest.raises(HttpRefused, match="this account is left alone for") as caught:
                await amber.sites()
            wait = caught.value.retry_after
            assert wait is not None
            assert 299 <= wait <= 300
            sim.fault = None
            asked = len(sim.requests)
        # Another program of this house, and after a restart.
        async with client(sim, tmp_path, days) as amber:
            for _ in range(4):
                with pytest.raises(BudgetSpent) as spent:
                    await amber.current(SITE)
                assert 0 < spent.value.wait <= wait
                await days.advance(59)
            assert len(sim.requests) == asked
            await days.advance(wait - 4 * 59 + 1)
            assert await amber.current(SITE)


async def test_after_a_429_that_says_nothing_it_is_a_minute(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim, client(sim, tmp_path, days) as amber:
        sim.fault = "busy_plain"
        with pytest.raises(HttpRefused) as caught:
            await amber.sites()
        wait = caught.value.retry_after
        assert wait is not None
        assert wait >= 60
        sim.fault = None
        await days.advance(1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(amber.sites)
            await days.advance(wait - 2)
            assert len(sim.requests) == 1
            await days.advance(3)
        assert len(sim.requests) == 2


async def test_a_count_that_is_used_up_is_not_overdrawn(tmp_path: Path) -> None:
    """Somebody else uses the account: nothing is left, and we do not try."""
    days = Days(BEGIN)
    async with Simulator(clock=days, limit=2) as sim, client(sim, tmp_path, days) as amber:
        await amber.sites()
        await amber.sites()
        with pytest.raises(BudgetSpent):
            await amber.sites()
        assert len(sim.requests) == 2
        await days.advance(301)
        assert await amber.sites()


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_is_one_sentence_without_the_token(tmp_path: Path, fault: str) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim, client(sim, tmp_path, timeout=0.3) as amber:
        assert await amber.current(SITE)
        sim.fault = fault
        if fault in READABLE:
            found = await amber.current(SITE, after=2)
            assert all(each.start < each.end for each in found)
            return
        with pytest.raises(DeviceError) as caught:
            await amber.current(SITE)
        sentence = str(caught.value)
        assert sentence.startswith("Amber ")
        assert sentence.isprintable()
        assert TOKEN not in sentence
        assert "psk_" not in repr(caught.value)


async def test_a_wrong_token_says_where_to_get_one(tmp_path: Path) -> None:
    async with Simulator() as sim, client(sim, tmp_path, token=Secret("psk_wrong")) as amber:
        with pytest.raises(DeviceError, match="refuses the token: make a new one"):
            await amber.sites()
    async with Simulator() as sim, client(sim, tmp_path) as amber:
        with pytest.raises(DeviceError, match="does not know that site"):
            await amber.current("01NOPE")
        with pytest.raises(DeviceError, match="cannot answer that question"):
            await amber.prices(SITE, date(2026, 11, 2), date(2026, 11, 1))


async def test_no_file_of_the_state_folder_holds_the_token(tmp_path: Path) -> None:
    async with Simulator() as sim, client(sim, tmp_path) as amber:
        await amber.sites(fresh_for=86400)
        await amber.sites(fresh_for=86400)
        assert len(sim.requests) == 1
    files = files_of(tmp_path)
    assert files
    for name, content in files.items():
        assert TOKEN.encode() not in content
        assert TOKEN not in name


async def test_a_long_download_waits_for_its_budget(tmp_path: Path) -> None:
    """A year has 53 pieces: more than is allowed at once, so it is spread."""
    days = Days(BEGIN)
    found: list[Any] = []
    async with Simulator(clock=days) as sim, client(sim, tmp_path, days) as amber:

        async def ask(first: date, last: date) -> Any:
            return await amber.prices(SITE, first, last)

        async def run() -> None:
            start, end = date(2025, 11, 1), date(2026, 10, 31)
            found.extend(await download(ask, start, end, clock=days, what="prices"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            for _ in range(14):
                await days.advance(60)
            assert found
        assert len(of_channel(found, "general")) == 365 * 48
        assert len(sim.requests) == 53
        for moment in sim.asked_at:
            assert sum(moment - 300 < each <= moment for each in sim.asked_at) <= 45
