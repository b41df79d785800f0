"""The services as a GX runs them: started, watched and limited by the real daemontools."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import free_port
from tests.venus_bundle.daemons import (
    MARKS,
    NAME,
    SHOWN,
    STATUS,
    Running,
    configure,
    limits,
    online,
    prefers_its_own,
    program,
    retained,
    says,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.mosquitto import Mosquitto
    from tests.venus_bundle.machine import Machine

pytestmark = MARKS


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
