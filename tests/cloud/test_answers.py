"""Answers that are kept, and asked for again only when they are old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from aiohttp import web

from bridge.cloud import HttpRefused
from bridge.errors import DeviceGarbled
from tests.cloud.server import Asked, Server
from tests.cloud.stand import service_of
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_restart_asks_nothing_it_knows(tmp_path: Path) -> None:
    days = Days()
    async with Server() as server:
        for hour in range(3):
            async with service_of(server, tmp_path, days) as service:
                assert await service.get("/a", query={"k": "1"}, fresh_for=7200) == {"number": 1}
            assert len(server.asked) == 1, hour
            await days.advance(3000)
        async with service_of(server, tmp_path, days) as service:
            assert await service.get("/a", query={"k": "1"}, fresh_for=7200) == {"number": 2}
            assert await service.get("/a", query={"k": "2"}, fresh_for=7200) == {"number": 3}
        async with service_of(server, tmp_path, days, account="another") as service:
            assert await service.get("/a", query={"k": "1"}, fresh_for=7200) == {"number": 4}


async def test_etag_and_date_ask_whether_it_still_holds(tmp_path: Path) -> None:
    def answer(asked: Asked) -> web.Response:
        if asked.headers.get("if-none-match") == '"v1"':
            assert asked.headers["if-modified-since"] == "Sat, 21 Nov 2026 10:00:00 GMT"
            return web.Response(status=304)
        marks = {"ETag": '"v1"', "Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT"}
        return web.json_response({"prices": [1]}, headers=marks)

    days = Days()
    async with Server(answer) as server:
        for fresh_for in (0.0, 60.0):
            async with service_of(server, tmp_path, days) as service:
                assert await service.get("/a", fresh_for=fresh_for) == {"prices": [1]}
            await days.advance(100)
        assert ["if-none-match" in each.headers for each in server.asked] == [False, True]
        async with service_of(server, tmp_path, days) as service:
            # The 304 has made it young again.
            assert await service.get("/a", fresh_for=150.0) == {"prices": [1]}
            assert len(server.asked) == 2


async def test_304_without_a_question_is_garbled(tmp_path: Path) -> None:
    async with (
        Server(lambda _: web.Response(status=304)) as server,
        service_of(server, tmp_path, Days()) as service,
    ):
        with pytest.raises(DeviceGarbled):
            await service.get("/a")


async def test_no_store_is_obeyed_unless_it_is_asked_for(tmp_path: Path) -> None:
    marks = {"ETag": '"v1"', "Cache-Control": "No-Store"}
    async with (
        Server(lambda _: web.json_response({}, headers=marks)) as server,
        service_of(server, tmp_path, Days()) as service,
    ):
        await service.get("/a")
        await service.get("/a")
        assert all("if-none-match" not in each.headers for each in server.asked)
        await service.get("/b", fresh_for=5)
        await service.get("/b", fresh_for=5)
        assert len(server.asked) == 3


async def test_a_post_is_kept_only_where_it_reads(tmp_path: Path) -> None:
    days = Days()
    async with Server() as server, service_of(server, tmp_path, days) as service:
        query = {"query": "{ prices }"}
        first = await service.ask("POST", "/gql", json=query, again=True, fresh_for=60)
        same = await service.ask("POST", "/gql", json=query, again=True, fresh_for=60)
        other = await service.ask("POST", "/gql", json={"query": "x"}, again=True, fresh_for=60)
        written = await service.ask("POST", "/gql", json=query, fresh_for=60)
        assert first.json() == same.json() == {"number": 1}
        assert (other.json(), written.json()) == ({"number": 2}, {"number": 3})


async def test_the_same_question_at_the_same_time_is_asked_once(tmp_path: Path) -> None:
    days, found = Days(), []

    async with Server() as server, service_of(server, tmp_path, days) as service:

        async def ask() -> None:
            found.append(await service.get("/a", fresh_for=60))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
        assert found == [{"number": 1}] * 5


async def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    answers = iter([500, 200])
    server = Server(lambda _: web.json_response({"ok": True}, status=next(answers)))
    async with server, service_of(server, tmp_path, Days()) as service:
        with pytest.raises(HttpRefused):
            await service.get("/a", fresh_for=60)
        assert await service.get("/a", fresh_for=60) == {"ok": True}
