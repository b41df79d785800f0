"""What a sink says when its bounds are met, and what it does with a clock that is not set."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import bridge.sinks.sink as module
from actors.sinks.influx.actor import Influx
from actors.sinks.influx.settings import Settings
from bridge.config.kinds import find_kind
from bridge.mqtt.connection import Incoming
from bridge.sinks.report import Report
from bridge.sinks.spool import Spool
from tests.actors.kinds import last, make, running
from tests.sinks.parts import FakeInflux, read_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

KIND = find_kind("influx")
pytestmark = pytest.mark.usefixtures("quick")


def settings(server: FakeInflux, **more: Any) -> Settings:
    return Settings(**{"url": server.url, "interval": 0.1, "timeout": 1.0, **more})


def message(value: float, *, retained: bool = False) -> Incoming:
    return Incoming("heliograph/Devices/meter/GridPower", b"%g" % value, retained)


def shown(them: Link, wanted: str) -> bool:
    return last(them, "Devices/m299/GridPower") == wanted


def warning(them: Link) -> str:
    return last(them, "Actors/dut/Messages/Warning") or ""


def lost(them: Link) -> int:
    return int(warning(them).split()[1])


@pytest.mark.slow
async def test_a_full_spool_drops_the_oldest_and_says_how_many(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        await server.stop()
        padding = {f"tag{n}": "x" * 120 for n in range(12)}
        chosen = settings(server, spool=1, batch=10_000, tags=padding)
        async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Actors/dut/Messages/Operational"))
            for burst in range(5):
                for number in range(300):
                    topic = f"heliograph/Devices/m{number}/GridPower"
                    them.connection.send(topic, b"%d" % burst)
                await them.until(partial(shown, them, str(burst)))
            await them.until(lambda: "lost because the spool is full" in warning(them))
            folder = tmp_path / "dut" / "spool"
            assert sum(path.stat().st_size for path in folder.iterdir()) < 1_300_000
            await server.start()
            await them.until(lambda: not list(folder.iterdir()), 15)
            # Every value was delivered or is counted as lost.
            await them.until(lambda: lost(them) == 5 * 300 - len(set(server.written)), 4)
            health = json.loads(last(them, "Actors/dut/Health") or "")
            assert health["state"] == "ok"
    found = [read_line(line) for line in dict.fromkeys(server.written)]
    assert lost(them) > 300
    # The newest are there, all of them.
    assert len([each for each in found if each["value"] == 4]) == 300


async def test_a_disk_that_refuses_is_told_and_nothing_is_lost(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    (tmp_path / "dut").write_text("a file where the folder should be")
    async with (
        FakeInflux() as server,
        running(KIND, settings(server), tmp_path, mosquitto.port) as them,
    ):
        await them.until(lambda: "the spool cannot be written" in warning(them))
        them.connection.send("heliograph/Devices/meter/GridPower", b"5")
        await them.until(lambda: len(server.written) == 1)
    assert read_line(server.written[0])["value"] == 5


async def test_a_disk_that_cannot_be_read_for_a_moment_costs_nothing(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.05)
    waits = Spool(tmp_path / "dut" / "spool", "influx", most_bytes=10**6, segment_lines=10)
    waits.append([b"Devices,device=m GridPower=%d 5" % number for number in range(10)], 0.0)
    waits.close()
    real, troubles = Spool.read, [OSError(errno.EMFILE, "Too many open files")] * 8

    def read(spool: Spool, segment: Any) -> list[bytes]:
        if troubles:
            spool.trouble = "Too many open files"
            raise troubles.pop()
        return real(spool, segment)

    monkeypatch.setattr(Spool, "read", read)
    async with (
        FakeInflux() as server,
        running(KIND, settings(server), tmp_path, mosquitto.port) as them,
    ):
        await them.until(lambda: "written or read: Too many open files" in warning(them))
        await them.until(lambda: not list((tmp_path / "dut" / "spool").iterdir()))
    assert [read_line(line)["value"] for line in server.written] == list(range(10))


class Unset:
    """A clock as a small computer has it before it found the time."""

    def __init__(self, real: Any) -> None:
        self.now, self.sleep = real.now, real.sleep
        self.moment = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)

    def utc(self) -> datetime:
        return self.moment


async def test_a_clock_that_is_not_set_stamps_nothing(tmp_path: Path) -> None:
    actor = make(KIND, Settings(url="http://localhost:1"), tmp_path)
    assert isinstance(actor, Influx)
    clock = Unset(actor.clock)
    actor.clock = clock  # type: ignore[assignment]
    actor._on_message(message(1))
    assert (actor.waiting, actor.report.unset_clock) == (0, 1)
    clock.moment = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
    actor._on_message(message(2))
    assert actor._pending[0].endswith(b"GridPower=2 1795262400123000000")


async def test_what_comes_faster_than_the_disk_takes_it_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PENDING", 10)
    actor = make(KIND, Settings(url="http://localhost:1"), tmp_path)
    assert isinstance(actor, Influx)
    for number in range(15):
        actor._on_message(message(number))
    actor._on_message(message(99, retained=True))
    assert (actor.waiting, actor.report.overrun) == (10, 5)
    assert read_line(actor._pending[0].decode())["value"] == 5


async def test_warnings_stand_together_and_end(tmp_path: Path) -> None:
    actor = make(KIND, Settings(url="http://localhost:1"), tmp_path)
    assert isinstance(actor, Influx)
    said: list[str | None] = []
    now = 0.0

    async def tell(level: str, text: str | None) -> None:
        if level == "Warning":
            said.append(text)

    actor.message = tell  # type: ignore[method-assign]
    actor.clock.now = lambda: now  # type: ignore[method-assign]
    report = Report(actor)
    await report.look(0, actor.spool)
    assert said == []
    actor.spool.dropped = 3
    report.unset_clock = 1
    await report.look(0, actor.spool)
    assert said[-1] == (
        "3 values were lost because the spool is full; "
        "values are left out: the clock of this computer is not set"
    )
    now = 300.0
    actor.spool.dropped = 4
    await report.look(0, actor.spool)
    now = 700.0
    await report.look(0, actor.spool)
    assert said[-1] == "4 values were lost because the spool is full"
    now = 1000.0
    await report.look(0, actor.spool)
    assert said[-1] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_files_of_root_go_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    actor = make(KIND, Settings(url="http://localhost:1"), tmp_path)
    assert isinstance(actor, Influx)
    actor.spool.open()
    actor.spool.append([b"x"], 0.0)
    (path,) = (tmp_path / "dut" / "spool").iterdir()
    assert {each.stat().st_uid for each in (path, path.parent, path.parent.parent)} == {12345}
