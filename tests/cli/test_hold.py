"""Only one process commands a device, and whoever dies has let go."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.control.leftovers import left_behind
from bridge.hold import BRIDGE, SET, Hold
from bridge.log import get_logger
from bridge.runner import Runner
from bridge.state import StateFolder
from tests.actors.kinds import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_HOLDER = """\
import sys, time
from pathlib import Path
from bridge.hold import Hold
hold = Hold(Path(sys.argv[1]), "ess", "bridge")
print(hold.take(), flush=True)
input()
"""


def test_a_device_is_held_once(tmp_path: Path) -> None:
    first, second = Hold(tmp_path, "ess", "bridge"), Hold(tmp_path, "ess", "set")
    assert first.take() is None
    assert first.take() is None, "what is ours stays ours"
    holder = second.take()
    assert holder is not None
    assert (holder.who, holder.pid, holder.is_bridge) == (BRIDGE, os.getpid(), True)
    assert str(holder) == f"the running bridge (process {os.getpid()})"
    assert not second.taken
    assert Hold(tmp_path, "other", "set").take() is None
    first.release()
    first.release()
    assert second.take() is None
    holder = first.take()
    assert holder is not None
    assert (holder.who, holder.is_bridge) == (SET, False)


def test_who_has_not_signed_is_another_program(tmp_path: Path) -> None:
    first = Hold(tmp_path, "ess", "bridge")
    assert first.take() is None
    for content in (b"", b"\xff\xfe", b"12x bridge\n"):
        first.path.write_bytes(content)
        assert str(Hold(tmp_path, "ess", "set").take()) == "another program"


def test_the_kernel_lets_go_of_what_a_dead_process_held(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "None\n"
        hold = Hold(tmp_path, "ess", "set")
        holder = hold.take()
        assert holder is not None
        assert holder.pid == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert hold.take() is None
    finally:
        process.kill()
        process.communicate()


def test_a_folder_that_cannot_be_made_is_said_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    hold = Hold(tmp_path / "file", "ess", "bridge")
    assert hold.take() is None
    assert not hold.taken
    assert hold.why_not is not None
    assert "hold.lock" in hold.why_not


def test_a_lock_that_can_only_be_read_is_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Hold(tmp_path, "ess", "bridge"), Hold(tmp_path, "ess", "set")
    first.path.parent.mkdir()
    first.path.touch()
    real = os.open

    def read_only(path: str, flags: int, *more: int) -> int:
        if flags & (os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", read_only)
    assert first.take() is None
    assert first.taken
    assert second.take() is not None
    first.release()
    assert second.take() is None
    second.release()


class Lives:
    """Stands for an actor class: counts lives, each of which crashes at once."""

    begun = 0

    def __call__(self, _: object) -> Any:
        self.begun += 1
        raise RuntimeError("its code has a fault")


async def waiting(hold: Hold, lives: Lives, told: list[tuple[str, str | None]]) -> Runner:
    async def report(_: str, state: str, __: int, error: str | None) -> None:
        told.append((state, error))

    return Runner(
        lambda _: None,  # type: ignore[arg-type, return-value]
        lives, name="ess", stops_first=False, report=report, hold=hold,
    )  # fmt: skip


async def test_an_actor_does_not_begin_while_another_process_commands_its_device(
    tmp_path: Path,
) -> None:
    told: list[tuple[str, str | None]] = []
    other = Hold(tmp_path, "ess", "set")
    assert other.take() is None
    lives = Lives()
    hold = Hold(tmp_path, "ess", "bridge")
    runner = await waiting(hold, lives, told)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        await anyio.sleep(0.3)
        sentence = (
            f"ess is held by a `heliograph set` (process {os.getpid()}) and starts when that "
            "has ended"
        )
        assert told == [("starting", sentence)], "said once, not with each try"
        assert lives.begun == 0
        other.release()
        with anyio.fail_after(5):
            while lives.begun < 2:  # noqa: ASYNC110 - a counter has no event
                await anyio.sleep(0.01)
        assert other.take() is not None, "it is held between two lives, too"
        runner.stop()
        await runner.finished.wait()
    assert other.take() is None
    other.release()


async def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    told: list[tuple[str, str | None]] = []
    other = Hold(tmp_path, "ess", "set")
    assert other.take() is None
    runner = await waiting(Hold(tmp_path, "ess", "bridge"), lives := Lives(), told)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        await anyio.sleep(0.1)
        with anyio.fail_after(1):
            runner.stop()
            await runner.finished.wait()
    assert lives.begun == 0
    assert [state for state, _ in told] == ["starting", "stopped"]
    other.release()


def test_what_an_actor_that_is_gone_has_left_is_told(tmp_path: Path) -> None:
    def journal(actor: str, content: object) -> None:
        (tmp_path / actor).mkdir()
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / actor / "leases.json").write_text(text)

    journal("old", {"held": [["old", "BatterySetpoint"], ["old-b", "BatteryMode"]]})
    journal("ess", {"held": [["ess", "BatterySetpoint"]]})
    journal("clean", {"held": []})
    journal("broken", "{")
    journal("strange", [1])
    (tmp_path / "empty").mkdir()
    (sentence,) = left_behind(tmp_path, {"ess": 1})
    assert sentence.startswith(
        "BatterySetpoint of old and BatteryMode of old-b was not given back before old left"
    )
    assert "\n" not in sentence
    assert list(left_behind(tmp_path / "nowhere", ())) == []


@pytest.mark.parametrize(("uid", "given"), [(0, True), (1000, False)])
def test_what_root_writes_belongs_to_the_owner_of_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, given: bool
) -> None:
    chowned: set[str] = set()
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(os, "chown", lambda path, *_: chowned.add(path.suffix or path.name))
    hold = Hold(tmp_path, "ess", "set")
    assert hold.take() is None
    assert StateFolder(tmp_path, "ess", get_logger("ess")).save("leases", {"held": []})
    hold.release()
    assert chowned == ({"ess", ".lock", ".tmp"} if given else set())
