"""The clocks of tests.support.days themselves."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest
from aiohttp import web

from bridge.errors import DeviceTimeout
from bridge.http import HttpClient
from tests.cloud.server import Asked, Server
from tests.support.days import BEGIN, Days, lived, week

if TYPE_CHECKING:
    from bridge.clock import Clock


async def test_sleepers_wake_in_order_and_each_at_its_moment() -> None:
    days, woken = Days(), []

    async def sleeper(name: str, seconds: float) -> None:
        begin = days.utc()
        await days.sleep(seconds)
        woken.append((name, (days.utc() - begin).total_seconds()))
        await days.sleep(100)
        woken.append((name, (days.utc() - begin).total_seconds()))

    async with anyio.create_task_group() as tasks:
        for name, seconds in (("slow", 90), ("quick", 5), ("middle", 30)):
            tasks.start_soon(sleeper, name, seconds)
        await days.advance(29)
        assert woken == [("quick", 5)]
        assert days.asleep == 3
        await days.advance(101.5)
        assert woken[1:] == [("middle", 30), ("slow", 90), ("quick", 105), ("middle", 130)]
        tasks.cancel_scope.cancel()
    assert days.asleep == 0
    assert days.utc() == BEGIN + timedelta(seconds=130.5)


async def test_http_ends_before_time_goes_on() -> None:
    days = Days()
    seen = []

    async def ask(client: HttpClient) -> None:
        while True:
            await client.get("/x")
            seen.append(days.now())
            await days.sleep(60)

    async with Server(now=days.now) as server, HttpClient(server.base, name="it") as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, client)
            await days.advance(600)
            tasks.cancel_scope.cancel()
        assert server.times == seen == [1000.0 + 60 * minute for minute in range(11)]


async def test_a_server_that_waits_for_the_clock_does_not_stop_it() -> None:
    days = Days()

    async def late(_: Asked) -> web.Response:
        await days.sleep(3)
        return web.json_response(days.now())

    got = []

    async def ask(client: HttpClient) -> None:
        got.append(await client.get("/x"))

    async with (
        Server(late) as server,
        HttpClient(server.base, name="it") as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(ask, client)
        await days.advance(10)
        assert got == [1003.0]


def test_the_wall_clock_alone_can_be_set() -> None:
    days = Days()
    days.jump(-86400)
    assert days.utc() == BEGIN - timedelta(days=1)
    assert days.now() == Days().now()


async def ask_each_quarter(server: Server, clock: Clock) -> None:
    async with HttpClient(server.base, name="it") as client:
        while True:
            await client.get("/x")
            await clock.sleep(900)


def test_a_week_is_counted_and_is_short() -> None:
    begun = time.monotonic()
    count = week(lambda clock: Server(now=clock.now), ask_each_quarter)
    assert count == 7 * 96
    assert week(lambda clock: Server(now=clock.now), ask_each_quarter) == count
    assert time.monotonic() - begun < 20  # a fault of the helper would take days


def test_a_loop_that_ends_is_noticed() -> None:
    async def once(server: Server, clock: Clock) -> None:
        return

    with pytest.raises(AssertionError, match="ended"):
        week(lambda _: Server(), once)


def test_timeouts_pass_as_quickly_as_sleeps() -> None:
    async def scenario(clock: Clock) -> float:
        async def silent(_: Asked) -> web.Response:
            await clock.sleep(1e6)
            return web.Response()

        async with Server(silent) as server:
            client = HttpClient(server.base, name="it", timeout=300, retries=0)
            with pytest.raises(DeviceTimeout):
                await client.get("/x")
            await client.close()
        return clock.now()

    begun = time.monotonic()
    assert 1300 <= lived(scenario) < 1400
    assert time.monotonic() - begun < 20


def test_the_day_it_begins_on_can_be_chosen() -> None:
    begin = datetime(2026, 3, 28, 11, tzinfo=UTC)

    async def scenario(clock: Clock) -> datetime:
        await clock.sleep(3600)
        return clock.utc()

    assert lived(scenario, begin=begin) == begin + timedelta(hours=1)
