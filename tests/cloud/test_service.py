"""A service over real HTTP: what is sent, how it is refused, and no word of a secret."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import trustme
from aiohttp import web

from bridge.cloud import BudgetSpent, Limits, Service
from bridge.cloud.files import place
from bridge.errors import DeviceError, DeviceRefused
from tests.cloud.server import Server
from tests.cloud.stand import KEY, service_of
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path


async def test_json_is_given_and_headers_are_sent(tmp_path: Path) -> None:
    days = Days()
    stamps = iter("123")
    async with Server() as server:
        service = service_of(server, tmp_path, days, headers=lambda: {"X-Stamp": next(stamps)})
        async with service:
            assert await service.get("/a", query={"day": "x"}, headers={"X-Own": "1"}) == {
                "number": 1
            }
            answer = await service.ask("POST", "/b", json={"a": 1})
            assert (answer.status, answer.json()) == (200, {"number": 2})
            await service.ask("POST", "/c", form={"a": "b"})
    first, second, third = server.asked
    assert (first.method, first.path, first.query) == ("GET", "/a", {"day": "x"})
    assert [each.headers["x-stamp"] for each in server.asked] == ["1", "2", "3"]
    assert first.headers["x-own"] == "1"
    assert (second.method, second.body) == ("POST", b'{"a":1}')
    assert third.body == b"a=b"


async def test_nothing_there_is_none(tmp_path: Path) -> None:
    async with (
        Server(lambda _: web.Response(status=204)) as server,
        service_of(server, tmp_path, Days()) as service,
    ):
        assert await service.get("/tomorrow", fresh_for=60) is None
        assert await service.get("/tomorrow", fresh_for=60) is None
    assert len(server.asked) == 2  # nothing is nothing worth keeping


@pytest.mark.parametrize("base", ["http://api.example.org", "https://a:b@api.example.org"])
def test_a_base_that_cannot_be_used_is_refused(base: str, tmp_path: Path) -> None:
    with pytest.raises(DeviceRefused, match="'url' must"):
        Service(base, name="it", account="x", limits=Limits(), folder=tmp_path)


async def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    base = f"https://127.0.0.1:{runner.addresses[0][1]}"
    rules = Limits(per_day=1)
    try:
        async with Service(base, name="it", account="x", limits=rules, folder=tmp_path) as service:
            with pytest.raises(DeviceRefused, match="certificate"):
                await service.get("/x")
            assert await service.left_today() == 1
    finally:
        await runner.cleanup()


def look_through(folder: Path) -> int:
    """How many files there are, all private and without the key."""
    files = 0
    for path in folder.rglob("*"):
        assert KEY not in str(path)
        if path.is_dir():
            assert path.stat().st_mode & 0o777 == 0o700
            continue
        files += 1
        assert path.stat().st_mode & 0o777 == 0o600
        assert KEY.encode() not in path.read_bytes()
    return files


async def test_no_secret_is_left_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    days = Days()
    answers = iter([200, 429])
    headers = {"Set-Cookie": f"session={KEY}", "X-Echo": KEY, "Retry-After": "900"}
    server = Server(lambda _: web.json_response({}, status=next(answers), headers=headers))
    sentences = []
    async with server:
        secret = {"Authorization": f"Bearer {KEY}"}
        async with service_of(
            server, tmp_path, days, headers=secret, limits=Limits(gap=1)
        ) as service:
            await service.ask(
                "POST",
                f"/{KEY}/x",
                query={"key": KEY},
                json={"password": KEY},
                headers={"X-Key": KEY},
                fresh_for=60,
                again=True,
            )
            await days.advance(5)
            for _ in range(2):
                with pytest.raises(DeviceError) as caught:
                    await service.get(f"/{KEY}", query={"key": KEY})
                sentences.append(str(caught.value))
    assert look_through(tmp_path) >= 4
    out = capsys.readouterr()
    assert KEY not in " ".join([*sentences, out.out, out.err, caplog.text])


async def test_a_folder_that_cannot_be_written_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where the folder should be")
    days = Days()
    async with Server() as server:
        async with service_of(server, blocked, days, limits=Limits(gap=10)) as service:
            assert await service.get("/a", fresh_for=60) == {"number": 1}
            assert await service.get("/a", fresh_for=60) == {"number": 1}
            await service.pause(600)
        async with service_of(server, blocked, days, limits=Limits(gap=10)) as other:
            assert other.share == service.share
            with pytest.raises(BudgetSpent):
                await other.get("/b")
    lines = capsys.readouterr().out.splitlines()
    for part in ("the shared budget", "the folder of answers", "installation"):
        assert len([line for line in lines if part in line]) <= 2
        assert any(part in line for line in lines)


async def test_what_root_makes_belongs_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a command run with sudo would take the budget away from the service."""
    given: set[int] = set()  # as inodes: a file is written under another name first
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.chown", lambda path, *_: given.add(path.stat().st_ino))
    rules = Limits(gap=1)
    async with Server() as server, service_of(server, tmp_path, Days(), limits=rules) as service:
        await service.get("/a", fresh_for=60)
    made = [place(tmp_path), *place(tmp_path).rglob("*")]
    assert len(made) == 6
    assert [path for path in made if path.stat().st_ino not in given] == []
