"""Staying away when a service says so, trying again where that is safe, and what counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from aiohttp import web

from bridge.cloud import BudgetSpent, HttpRefused, Limits
from bridge.cloud.wire import Wire
from bridge.errors import DeviceTimeout
from tests.cloud.server import Asked, Server
from tests.cloud.stand import done, refusing, service_of
from tests.support.days import BEGIN, Days

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.http import Answer


async def test_429_stops_the_account_everywhere_and_after_a_restart(tmp_path: Path) -> None:
    days = Days()
    async with Server(refusing(429, 1, Retry_After="600")) as server:
        async with service_of(server, tmp_path, days) as service:
            with pytest.raises(HttpRefused) as caught:
                await service.get("/a")
            assert (caught.value.status, caught.value.retry_after) == (429, 600)
        await days.advance(300)
        async with service_of(server, tmp_path, days) as other:
            with pytest.raises(BudgetSpent, match=r"wants to be left alone.*in 5 min") as spent:
                await other.ask("POST", "/b")
            assert spent.value.wait == pytest.approx(300)
            assert len(server.asked) == 1
            # Less than its patience is waited for.
            await days.advance(250)
            assert await done(days, 55, lambda: other.get("/a")) == {"ok": True}
        async with service_of(server, tmp_path, days, account="another") as free:
            assert await free.get("/a") == {"ok": True}
    assert len(server.asked) == 3


async def test_a_short_wait_is_waited_for_by_reads_only(tmp_path: Path) -> None:
    days = Days()
    for method, count in (("GET", 2), ("POST", 1)):
        async with (
            Server(refusing(429, 1, Retry_After="5"), now=days.now) as server,
            service_of(server, tmp_path, days, account=method) as service,
        ):
            found = await done(days, 20, lambda: service.ask(method, "/a"))  # noqa: B023 - ended
            assert len(server.asked) == count
            assert isinstance(found, HttpRefused) is (method == "POST")
            if count == 2:
                assert server.times[1] - server.times[0] >= 5


async def test_429_without_a_word_waits_longer_each_time(tmp_path: Path) -> None:
    days = Days()
    async with Server(refusing(429, 3)) as server, service_of(server, tmp_path, days) as service:
        waits = []
        for _ in range(3):
            error = await done(days, 1, lambda: service.get("/a"))
            assert isinstance(error, HttpRefused)
            waits.append(error.retry_after)
            await days.advance(error.retry_after or 0)
        assert waits == [60, 120, 240]
        assert await service.get("/a") == {"ok": True}
        server.answer = refusing(429, 1)
        error = await done(days, 1, lambda: service.get("/a"))
        assert isinstance(error, HttpRefused)
        assert error.retry_after == 60


async def test_a_date_is_compared_with_the_date_of_the_service(tmp_path: Path) -> None:
    """A computer that believes in 1970 waits 90 s, not 56 years."""
    days = Days(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))

    def date(seconds: float) -> str:
        return format_datetime(BEGIN + timedelta(seconds=seconds), usegmt=True)

    async with (
        Server(refusing(503, 1, Retry_After=date(90), Date=date(0))) as server,
        service_of(server, tmp_path, days) as service,
    ):
        with pytest.raises(HttpRefused) as caught:
            await service.get("/a")
        assert caught.value.retry_after == 90
        assert len(server.asked) == 1
        with pytest.raises(BudgetSpent):
            await service.get("/a")


async def test_a_service_may_say_so_elsewhere(tmp_path: Path) -> None:
    days = Days()
    async with Server() as server, service_of(server, tmp_path, days) as service:
        await service.pause(3600)
        with pytest.raises(BudgetSpent, match="in 60 min"):
            await service.get("/a")
        await service.pause(10)  # a shorter word does not end a longer one
        with pytest.raises(BudgetSpent):
            await service.get("/a")
        await days.advance(3600)
        assert await service.get("/a") == {"number": 1}


@pytest.mark.parametrize(("status", "asked"), [(502, 2), (503, 2), (504, 2), (500, 1), (404, 1)])
async def test_only_a_busy_service_is_asked_again(status: int, asked: int, tmp_path: Path) -> None:
    days = Days()
    async with Server(refusing(status, 9)) as server, service_of(server, tmp_path, days) as service:
        error = await done(days, 5, lambda: service.get("/a"))
        assert isinstance(error, HttpRefused)
        assert len(server.asked) == asked
        error = await done(days, 5, lambda: service.ask("POST", "/a"))
        assert isinstance(error, HttpRefused)
        assert len(server.asked) == asked + 1


async def test_each_try_counts(tmp_path: Path) -> None:
    days = Days()
    rules = Limits(gap=10, per_day=5)
    async with (
        Server(refusing(503, 1), now=days.now) as server,
        service_of(server, tmp_path, days, limits=rules) as service,
    ):
        assert await done(days, 20, lambda: service.get("/a")) == {"ok": True}
        assert server.times[1] - server.times[0] >= 10
        assert await service.left_today() == 3


async def test_without_budget_for_another_try_the_failure_is_told(tmp_path: Path) -> None:
    days = Days()
    async with (
        Server(refusing(503, 9)) as server,
        service_of(server, tmp_path, days, limits=Limits(per_day=1)) as service,
    ):
        error = await done(days, 5, lambda: service.get("/a"))
        assert isinstance(error, HttpRefused)
        with pytest.raises(BudgetSpent, match="used up: it can be asked again in 12 h"):
            await service.get("/a")


async def test_what_was_never_sent_does_not_count(tmp_path: Path) -> None:
    days = Days()
    async with Server() as server:
        pass
    rules = Limits(per_day=2)
    async with service_of(server, tmp_path, days, limits=rules, retries=0) as service:
        for _ in range(4):
            with pytest.raises(DeviceTimeout, match="refuses the connection"):
                await service.get("/a")
        assert await service.left_today() == 2


async def test_what_was_sent_counts_though_nothing_came_back(tmp_path: Path) -> None:
    days = Days()
    release = anyio.Event()

    async def silent(_: Asked) -> web.Response:
        await release.wait()
        return web.Response()

    async with Server(silent) as server:
        given = {"limits": Limits(per_day=5), "timeout": 0.2, "retries": 0}
        async with service_of(server, tmp_path, days, **given) as service:
            with pytest.raises(DeviceTimeout):
                await service.get("/a")
            with anyio.move_on_after(0.05):
                await service.get("/a")
            assert await service.left_today() == 3
        release.set()


async def test_one_that_runs_out_of_time_does_not_cut_the_others(tmp_path: Path) -> None:
    release = anyio.Event()

    async def answer(asked: Asked) -> web.Response:
        if asked.path == "/slow":
            await anyio.sleep(0.3)
        if asked.path == "/silent":
            await release.wait()
        return web.json_response("here")

    found = []
    async with Server(answer) as server:
        async with service_of(server, tmp_path, Days(), timeout=0.4, retries=0) as service:

            async def silent() -> None:
                with pytest.raises(DeviceTimeout):
                    await service.get("/silent")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(silent)
                await anyio.sleep(0.2)
                found.append(await service.get("/slow"))
        release.set()
    assert found == ["here"]


async def test_a_slow_connection_keeps_the_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is when the service was asked, not when its turn had come."""
    days = Days()
    original = Wire._once

    async def slow(self: Wire, *given: Any) -> Answer:
        await days.sleep(7)
        return await original(self, *given)

    async with (
        Server(now=days.now) as server,
        service_of(server, tmp_path, days, limits=Limits(gap=10)) as service,
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Wire, "_once", slow)
            await done(days, 8, lambda: service.get("/a"))
        await done(days, 20, lambda: service.get("/a"))
        assert server.times[1] - server.times[0] >= 10
