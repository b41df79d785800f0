"""A leashed process lives and dies as it should; both ways of tying it are tested on Linux."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from bridge.broker.lifeline import Leashed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WAYS = [
    pytest.param(
        False,
        id="kernel",
        marks=pytest.mark.skipif(
            not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux only"
        ),
    ),
    pytest.param(True, id="shell"),
]
# Writes its process id, then sleeps; says `term` when asked to end.
CHILD = ["/bin/sh", "-c", "trap 'echo term; exit 7' TERM; echo $$; while :; do sleep 0.05; done"]
PARENT = """
import sys, time
from pathlib import Path
from bridge.broker.lifeline import Leashed
child = Leashed({command!r}, output=Path({output!r}), watcher={watcher})
while True:
    time.sleep(1)
"""


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet collected does not."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(found.stdout.strip()) and not found.stdout.startswith("Z")


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        threading.Event().wait(0.02)


def until_written(output: Path) -> str:
    until(lambda: output.exists() and output.read_text().endswith("\n"), 10)
    return output.read_text()


def until_gone(pid: int) -> None:
    until(lambda: not lives(pid))


@pytest.mark.parametrize("watcher", WAYS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(tmp_path: Path, watcher: bool, number: int) -> None:
    output = tmp_path / "out"
    code = PARENT.format(command=CHILD, output=str(output), watcher=watcher)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        pid = int(until_written(output))
        assert lives(pid)
    finally:
        parent.send_signal(number)
        parent.wait(5)
    until_gone(pid)


@pytest.mark.parametrize("watcher", WAYS)
def test_it_is_asked_to_end_and_tells_how_it_ended(tmp_path: Path, watcher: bool) -> None:
    output = tmp_path / "out"
    child = Leashed(CHILD, output=output, watcher=watcher)
    pid = int(until_written(output))
    assert child.exit_code() is None
    assert not child.reap(0)
    child.terminate()
    assert child.reap(5)
    assert child.exit_code() == 7
    assert "term" in output.read_text()
    until_gone(pid)


@pytest.mark.parametrize("watcher", WAYS)
def test_it_can_be_killed(tmp_path: Path, watcher: bool) -> None:
    output = tmp_path / "out"
    child = Leashed(CHILD, output=output, watcher=watcher)
    pid = int(until_written(output))
    child.kill()
    assert child.reap(5)
    assert child.exit_code() != 0
    until_gone(pid)


@pytest.mark.parametrize("watcher", WAYS)
def test_ctrl_c_in_the_terminal_does_not_reach_it(tmp_path: Path, watcher: bool) -> None:
    child = Leashed(CHILD, output=tmp_path / "out", watcher=watcher)
    pid = int(until_written(tmp_path / "out"))
    assert os.getpgid(child.pid) != os.getpgid(0)
    assert os.getpgid(pid) != os.getpgid(0)
    assert os.getsid(pid) != os.getsid(0)
    child.kill()
    assert child.reap(5)


@pytest.mark.parametrize("watcher", WAYS)
def test_nothing_stays_behind_of_a_child_that_ends_by_itself(tmp_path: Path, watcher: bool) -> None:
    child = Leashed(["/bin/sh", "-c", "exit 3"], output=tmp_path / "out", watcher=watcher)
    assert child.reap(5)
    assert child.exit_code() == 3

    def left() -> bool:
        listed = subprocess.run(["ps", "-eo", "sid="], capture_output=True, text=True, check=True)
        return str(child.pid) in listed.stdout.split()

    until(lambda: not left())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can switch users")
@pytest.mark.parametrize("watcher", WAYS)
def test_another_user_is_tied_as_well(tmp_path: Path, watcher: bool) -> None:
    output = tmp_path / "out"
    command = ["/bin/sh", "-c", "id -u; while :; do sleep 0.05; done"]
    code = PARENT.format(command=command, output=str(output), watcher=watcher)
    code = code.replace("watcher=", "user=(65534, 65534), watcher=")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    assert (until_written(output)).strip() == "65534"
    mine = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    children = [int(line.split()[0]) for line in mine if line.split()[1:] == [str(parent.pid)]]
    assert children
    parent.kill()
    parent.wait(5)
    for pid in children:
        until_gone(pid)
