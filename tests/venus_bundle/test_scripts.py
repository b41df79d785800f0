"""The scripts for a GX: understood by the shell of busybox, and by those who look at them."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.venus_bundle.machine import BUSYBOX, DEPLOY, needs_busybox

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = sorted([*DEPLOY.glob("*.sh"), *DEPLOY.glob("service/**/run")])
RUNS = [path for path in SCRIPTS if path.name == "run"]
SERVICES = sorted(path.name for path in (DEPLOY / "service").iterdir())
SHELLCHECK = shutil.which("shellcheck")
# What bash has and the ash of busybox may have not, or understands otherwise.
BASHISM = re.compile(
    r"(^|\s)\[\[\s|\bfunction\s|(?<![\w.])local\s|\bdeclare\s|\bsource\s|&>|<<<|=\$'"
    r"|\$\{\w+(\^|,|/)|(^|\s)\[ [^]]*==|\bpgrep\b"
)


def name(path: Path) -> str:
    return path.relative_to(DEPLOY).as_posix()


def code(path: Path) -> list[str]:
    """The lines that do something."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def test_all_are_here() -> None:
    assert SERVICES == ["heliograph", "heliograph-injector"]
    assert len(RUNS) == 4
    assert {"install.sh", "uninstall.sh", "common.sh", "boot.sh"} <= set(map(name, SCRIPTS))


@needs_busybox
@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_busybox_understands_it(path: Path) -> None:
    assert BUSYBOX is not None
    subprocess.run([BUSYBOX, "sh", "-n", path], check=True)


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_it_is_plain_shell(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "\r" not in text
    assert text.endswith("\n")
    assert [line for line in code(path) if BASHISM.search(line)] == []
    if path.name != "common.sh":
        assert text.startswith("#!/bin/sh\n")
        assert path.stat().st_mode & 0o111 == 0o111


def test_a_bashism_is_noticed() -> None:
    for line in ("[[ -f x ]]", "local x=1", '[ "$a" == b ]', "source x", "cmd &> x", "${x//a/b}"):
        assert BASHISM.search(line), line


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    assert SHELLCHECK is not None
    command: list[Path | str] = [SHELLCHECK, "-s", "dash", "-x", "-P", str(DEPLOY), *SCRIPTS]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", RUNS, ids=name)
def test_the_signals_reach_the_program(path: Path) -> None:
    lines = code(path)
    assert lines[0] == "exec 2>&1"
    assert lines[-1].startswith("exec ")
    # Whoever waits for long is the process itself, and ends by the same signal.
    for line in lines:
        if re.search(r"sleep (60|300)", line):
            assert "exec sleep" in line


@pytest.mark.parametrize("service", SERVICES)
def test_it_has_the_limits_of_victrons_services(service: str) -> None:
    last = code(DEPLOY / "service" / service / "run")[-1]
    assert last.startswith("exec softlimit -d 100000000 -s 1000000 -a ")
    log = code(DEPLOY / "service" / service / "log" / "run")
    assert log[-1] == 'exec multilog t s25000 n4 "$log"'
    assert f"/var/log/{service}" in log[1]
