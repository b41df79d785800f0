"""The command line beside a running bridge: other processes, one account."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from aiohttp import web

from bridge.clock import Clock
from bridge.cloud import BudgetSpent, Limits, Service, ledger
from bridge.cloud.book import Book
from bridge.cloud.files import place
from tests.cloud.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
GAP = 0.3
RULES = Limits(gap=GAP, windows=((100, 600.0),))

# What the other process does: ask the server so many times, and print what became of it.
OTHER = """
import sys, pathlib, anyio
from bridge.cloud import Limits, Service
from bridge.errors import DeviceError

async def main(base, folder, count, gap):
    rules = Limits(gap=float(gap), windows=((100, 600.0),))
    service = Service(base, name="it", account="mine", limits=rules, folder=pathlib.Path(folder))
    async with service:
        print("share", service.share, flush=True)
        for _ in range(int(count)):
            try:
                await service.ask("POST", "/other")
                print("asked", flush=True)
            except DeviceError as error:
                print(type(error).__name__, error, flush=True)

anyio.run(main, *sys.argv[1:])
"""


@asynccontextmanager
async def other(server: Server, folder: Path, count: int, gap: float = GAP) -> AsyncIterator:
    """Another process that asks, started when it has said that it is there."""
    words = [sys.executable, "-c", OTHER, server.base, str(folder), str(count), str(gap)]
    async with await anyio.open_process(words, cwd=ROOT, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()


async def said(process: anyio.abc.Process, word: str) -> str:
    """All it has said, once a whole line with `word` is part of it."""
    text = ""
    with anyio.fail_after(20):
        while word not in text.rpartition("\n")[0]:
            assert process.stdout is not None
            text += (await process.stdout.receive()).decode()
    return text


def book_in(folder: Path) -> Book:
    """The one ledger there is, as it was written."""
    path = next(place(folder).glob("*.json"))
    return msgspec.json.decode(path.read_bytes(), type=Book)


@pytest.mark.slow
async def test_two_processes_keep_one_budget(tmp_path: Path) -> None:
    rules = RULES
    async with Server(now=Clock().now) as server, other(server, tmp_path, 5) as process:
        text = await said(process, "share")
        service = Service(server.base, name="it", account="mine", limits=rules, folder=tmp_path)
        async with service:
            assert f"share {service.share}" in text
            for _ in range(5):
                await service.ask("POST", "/own")
            with anyio.fail_after(20):
                await process.wait()
    paths = [each.path for each in server.asked]
    assert (paths.count("/own"), paths.count("/other")) == (5, 5)
    times = book_in(tmp_path).times
    assert len(times) == 10
    assert all(second - first >= GAP - 1e-3 for first, second in pairwise(times))
    # As the service sees it, with what the way may take on a busy computer.
    assert server.times[-1] - server.times[0] >= 1.0


async def test_what_one_is_told_stops_the_other(tmp_path: Path) -> None:
    refused = web.Response
    async with Server(lambda _: refused(status=429, headers={"Retry-After": "600"})) as server:
        async with other(server, tmp_path, 2, 0.01) as process:
            text = await said(process, "BudgetSpent")
        assert "HttpRefused it was asked too often" in text
        rules = Limits(gap=0.01)
        service = Service(server.base, name="it", account="mine", limits=rules, folder=tmp_path)
        async with service:
            with pytest.raises(BudgetSpent, match="in 10 min"):
                await service.get("/own")
        assert len(server.asked) == 1


@pytest.mark.slow
async def test_one_that_is_killed_while_it_waits_holds_up_nobody(tmp_path: Path) -> None:
    """What it had reserved passes as a call; the lock ends with its holder."""
    gap = 1.0
    rules = Limits(gap=gap, windows=((100, 600.0),))
    async with Server(now=Clock().now) as server:
        async with other(server, tmp_path, 5, gap) as process:
            await said(process, "asked")
            await anyio.sleep(0.1)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        service = Service(server.base, name="it", account="mine", limits=rules, folder=tmp_path)
        async with service:
            with anyio.fail_after(10):
                await service.ask("POST", "/own")
    assert server.asked[-1].path == "/own"
    times = book_in(tmp_path).times
    assert times[-1] - times[0] >= 2 * gap - 1e-3  # the killed one's turn passed unused


async def test_one_that_hangs_with_the_lock_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger, "_LOCK_PATIENCE", 0.2)
    async with Server() as server:
        rules = Limits(windows=((1, 600.0),))
        service = Service(server.base, name="it", account="mine", limits=rules, folder=tmp_path)
        path = place(tmp_path) / f"{service._ledger._path.stem}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            async with service:
                assert await service.get("/own") == {"number": 1}
                with pytest.raises(BudgetSpent):
                    await service.get("/own")
        finally:
            os.close(descriptor)
        assert capsys.readouterr().out.count("is lost") == 1
