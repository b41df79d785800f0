"""A GX whose services the real daemontools start, watch and limit."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.venus_bundle.machine import BUSYBOX, Machine, needs_busybox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

TOOLS = ("svscan", "supervise", "svc", "svstat", "svok", "multilog", "softlimit")
MISSING = [name for name in TOOLS if shutil.which(name) is None]
MARKS = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    needs_busybox,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
NOT_FOUND = 127
NAME = "heliograph-injector"
STATUS, SHOWN = "heliograph/Venus/gx/Status", "heliograph/Venus/gx/Shown"
# S, for machines that have much else to do; what is waited for comes in a few.
LIMIT = 180


def prefers_its_own() -> bool:
    """Whether this busybox takes its own svc, made for runit, before one on the PATH."""
    if BUSYBOX is None:
        return False
    command = [BUSYBOX, "sh", "-c", "svc"]
    done = subprocess.run(command, check=False, capture_output=True, env={"PATH": "/nowhere"})
    return done.returncode != NOT_FOUND


class Running:
    """A GX on which svscan runs."""

    def __init__(self, gx: Machine) -> None:
        self.gx = gx
        for name in TOOLS:
            found = shutil.which(name)
            assert found is not None
            (gx.programs / name).symlink_to(found)
        self._svscan: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """What Venus OS does before it runs rc.local."""
        command = [self.gx.programs / "svscan", self.gx.root / "service"]
        self._svscan = subprocess.Popen(
            command, env=self.gx.environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """End svscan and all that it has started."""
        if self._svscan is not None:
            self._svscan.kill()
            self._svscan.wait()
            self._svscan = None
        for status in self.gx.root.rglob("supervise/status"):
            self.svc("-dxk", status.parents[1])

    def svc(self, what: str, folder: Path) -> None:
        subprocess.run([self.gx.programs / "svc", what, folder], check=False, capture_output=True)

    def pid(self, name: str = NAME) -> int | None:
        """Of the program; None while it does not run."""
        folder = self.gx.home / "service" / name
        command = [self.gx.programs / "svstat", folder]
        said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        _, _, rest = said.partition("(pid ")
        return int(rest.partition(")")[0]) if rest else None

    def log(self, name: str = NAME) -> str:
        """What multilog has written."""
        path = self.gx.root / "var" / "log" / name / "current"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def until(met: Callable[[], bool], why: Callable[[], str]) -> None:
    end = time.monotonic() + LIMIT
    while not met():
        assert time.monotonic() < end, why()
        time.sleep(0.1)  # noqa: TID251 - other processes are waited for, no loop runs here


def retained(broker: Mosquitto, topic: str) -> str:
    """What the broker keeps there, or nothing."""
    command = ["mosquitto_sub", "-p", str(broker.port), "-C", "1", "-W", "5", "-t", topic]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def says(broker: Mosquitto, topic: str, word: str, running: Running, name: str = NAME) -> None:
    """Wait until the broker keeps this word there: a busy machine may be slow in asking, too."""
    until(lambda: retained(broker, topic) == word, lambda: running.log(name))


def online(broker: Mosquitto, running: Running) -> None:
    says(broker, STATUS, "online", running)


def configure(running: Running, broker: Mosquitto, *more: str) -> None:
    running.gx.install("--broker", broker.url, "--venus", "gx", *more)
    # Never the D-Bus of the machine that runs the tests.
    with (running.gx.home / "etc" / "injector.conf").open("a") as file:
        file.write("BUS='unix:path=/nowhere/at/all'\n")


def program(pid: int) -> list[str]:
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:  # noqa: PTH123 - no file of ours
        return file.read().split("\0")


def limits(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:  # noqa: PTH123 - no file of ours
        return {line[:26].strip(): line[26:].split()[0] for line in file.readlines()[1:]}
