"""The services as a GX runs them: started, watched and limited by the real daemontools."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import free_port
from tests.venus_bundle.machine import BUSYBOX, Machine, make_bundle, needs_busybox, pythons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

TOOLS = ("svscan", "supervise", "svc", "svstat", "svok", "multilog", "softlimit")
MISSING = [name for name in TOOLS if shutil.which(name) is None]
pytestmark = [
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


@pytest.fixture(autouse=True)
def _shell() -> None:
    if prefers_its_own():
        pytest.skip("a busybox that uses the PATH is not installed (busybox-static does not)")


@pytest.fixture
def running(gx: Machine) -> Iterator[Running]:
    found = Running(gx)
    try:
        yield found
    finally:
        found.stop()


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


def test_a_life_on_the_gx(running: Running, mosquitto: Mosquitto) -> None:
    gx = running.gx
    configure(running, mosquitto)
    running.start()
    gx.boot()
    online(mosquitto, running)
    pid = running.pid()
    assert pid is not None
    # The process that svc signals is Python itself, under the limits.
    assert str(gx.home / "app" / "start.py") in program(pid)
    assert limits(pid)["Max data size"] == "100000000"
    assert limits(pid)["Max address space"] == "400000000"
    until(lambda: bool(json.loads(retained(mosquitto, SHOWN) or "{}").get("bus")), running.log)
    sentence = "the D-Bus at unix:path=/nowhere/at/all cannot be reached"
    until(lambda: sentence in running.log(), running.log)

    # Killed: it comes back by itself, after a pause.
    os.kill(pid, signal.SIGKILL)
    until(lambda: running.pid() not in {None, pid}, running.log)
    online(mosquitto, running)

    # A new program in its place: stopped with a goodbye, started again at once.
    before = running.pid()
    gx.install()
    until(lambda: running.pid() not in {None, before}, running.log)
    online(mosquitto, running)

    gx.uninstall("--purge")
    says(mosquitto, STATUS, "offline", running)
    assert running.pid() is None
    assert not gx.home.exists()
    assert not (gx.root / "var" / "log" / NAME).exists()


def test_without_a_broker_it_says_so_and_stays_quiet(running: Running) -> None:
    gx = running.gx
    said = gx.install()
    assert "It waits for its broker" in said
    running.start()
    until(lambda: "No broker is set" in running.log(), running.log)
    pid = running.pid()
    assert pid is not None
    assert "sleep" in " ".join(program(pid))
    # A broker is named: no need to wait for the five minutes.
    running.svc("-t", gx.home / "service" / NAME)
    until(lambda: running.pid() not in {None, pid}, running.log)


def test_a_broker_that_is_not_there_stands_in_the_log(running: Running) -> None:
    gx = running.gx
    gx.install("--broker", f"mqtt://127.0.0.1:{free_port()}")
    with (gx.home / "etc" / "injector.conf").open("a") as file:
        file.write("BUS='unix:path=/nowhere/at/all'\n")
    # A file of a moment in which nothing could be written.
    (gx.root / "run" / f"{NAME}.started").write_text("")
    running.start()
    until(lambda: "cannot be reached: Connection refused" in running.log(), running.log)


def test_what_fails_at_once_does_not_spin(running: Running) -> None:
    gx = running.gx
    gx.install("--broker", "http://not-mqtt")
    with (gx.home / "etc" / "injector.conf").open("a") as file:
        file.write("BUS='unix:path=/nowhere/at/all'\n")
    running.start()
    until(lambda: "url must be mqtt://" in running.log(), running.log)
    time.sleep(6)  # noqa: TID251 - other processes are watched, no loop runs here
    assert running.log().count("url must be mqtt://") == 1


def test_an_es_ess_that_does_not_exec_is_ended_too(running: Running) -> None:
    gx = running.gx
    service = gx.root / "data" / "es-ESS" / "service"
    service.mkdir(parents=True)
    script = service.parent / "es-ESS.py"
    script.write_text("import time\ntime.sleep(600)\n")
    (service / "run").write_text(f"#!/bin/sh\nexec 2>&1\npython3 {script}\necho over\n")
    (service / "run").chmod(0o755)
    (gx.root / "service" / "es-ESS").symlink_to(service)
    running.start()

    def living() -> set[str]:
        command = ["pgrep", "-f", str(script)]
        return set(
            subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()
        )

    until(lambda: bool(living()), lambda: "es-ESS does not start")
    gx.install("--es-ess", "off")
    until(lambda: not living(), lambda: "es-ESS lives on")
    assert not (gx.root / "service" / "es-ESS").is_symlink()
    gx.uninstall("--purge")
    until(lambda: bool(living()), lambda: "es-ESS is not back")


BRIDGE = """\
broker: {{url: "{url}"}}
site: {{grid: meter}}
actors:
  meter: {{kind: external}}
  gx: {{kind: venus_dbus, bus: "unix:path=/nowhere/at/all"}}
"""


@pytest.mark.skipif(
    platform.machine() != "x86_64" or "3.12" not in pythons(),
    reason="the whole bridge is bundled for Python 3.12, and tried on x86-64",
)
def test_the_whole_bridge(mosquitto: Mosquitto, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, "x86_64")
    gx = Machine(tmp_path, bundle, python=pythons()["3.12"])
    running = Running(gx)
    try:
        said = gx.install("--bridge")
        assert "It waits for its configuration" in said
        running.start()
        until(lambda: "no configuration" in running.log("heliograph"), running.log)
        config = gx.home / "etc" / "heliograph.yaml"
        config.write_text(BRIDGE.format(url=mosquitto.url))
        gx.install("--bridge")
        # Its child, started with the packages of the bundle, is there as well.
        for topic in ("heliograph/Bridge/Status", "heliograph/Actors/meter/Status", STATUS):
            says(mosquitto, topic, "online", running, "heliograph")
        pid = running.pid("heliograph")
        assert pid is not None
        assert str(gx.home / "app" / "env" / "bin" / "python") == program(pid)[0]
        # From the whole bridge to the injector alone, and nothing of the first is left.
        configure(running, mosquitto)
        assert not (gx.root / "service" / "heliograph").is_symlink()
        assert not (gx.home / "app" / "env").exists()
        says(mosquitto, "heliograph/Bridge/Status", "offline", running)
        assert config.exists()
    finally:
        running.stop()
