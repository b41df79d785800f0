"""What is under deploy/ works with the programs it is written for."""

from __future__ import annotations

import configparser
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.broker.passwords import password_line
from bridge.cli.main import EXIT_CONFIG, EXIT_SECOND_BRIDGE, parser
from tests.support.mosquitto import BINARY, free_port, needs_mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
PASSWORD = "correct horse"


def test_the_service_starts_a_command_that_exists() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # the documented way to keep case
    unit.read(DEPLOY / "systemd" / "heliograph.service", encoding="utf-8")
    service = unit["Service"]
    program, *arguments = service["ExecStart"].split()
    assert program.endswith("/bin/heliograph")
    args = parser().parse_args(arguments)
    assert args.command == "run"
    assert args.config == Path("/etc/heliograph/heliograph.yaml")
    codes = {int(code) for code in service["RestartPreventExitStatus"].split()}
    assert codes == {EXIT_CONFIG, EXIT_SECOND_BRIDGE}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a mosquitto with our file included, as Debian's own configuration does."""
    port = free_port()
    included = tmp_path / "conf.d"
    included.mkdir()
    text = (DEPLOY / "mosquitto" / "heliograph.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/mosquitto", str(tmp_path))
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    (included / "heliograph.conf").write_text(text, encoding="utf-8")
    users = ("heliograph", "kettle", "pool")
    lines = "".join(password_line(user, PASSWORD).rstrip("\n") + "\n" for user in users)
    (tmp_path / "heliograph.passwords").write_text(lines, encoding="utf-8")
    command = [sys.executable, "-m", "bridge", "topics", "--format", "acl"]
    rules = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    (tmp_path / "heliograph.acl").write_bytes(rules)
    main = tmp_path / "mosquitto.conf"
    own = "user root\n" if os.geteuid() == 0 else ""
    main.write_text(
        f"{own}persistence true\npersistence_location {tmp_path}/\ninclude_dir {included}\n",
        encoding="utf-8",
    )
    with subprocess.Popen([str(BINARY), "-c", str(main)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    """Until the broker answers; ten seconds at most."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if publish(port, "heliograph/x", user="heliograph") != "refused":
            return
    raise TimeoutError


def publish(port: int, topic: str, *, user: str | None) -> str:
    """How a publish by `user` ends: ok, denied by the access list, stranger, or refused."""
    login = ["-u", user, "-P", PASSWORD] if user else []
    # MQTT 5 and QoS 1: a broker says there when an access list forbids a publish.
    command = ["mosquitto_pub", "-V", "5", "-q", "1", "-p", str(port), *login, "-t", topic]
    done = subprocess.run([*command, "-m", "1"], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).lower()
    with contextlib.suppress(StopIteration):
        return next(
            word
            for mark, word in {
                "connection refused": "refused",
                "publish 1 failed": "denied",
                "not authori": "stranger",
            }.items()
            if mark in said
        )
    return "ok" if done.returncode == 0 else said


@needs_mosquitto
def test_mosquitto_takes_our_configuration_and_access_list(broker: int) -> None:
    request = "heliograph/Requests/kettle/Request"
    assert publish(broker, request, user="kettle") == "ok"
    assert publish(broker, request, user="pool") == "denied"
    assert publish(broker, "heliograph/Requests/kettle/Allowance", user="kettle") == "denied"
    assert publish(broker, "heliograph/Requests/kettle/Allowance", user="heliograph") == "ok"
    assert publish(broker, request, user=None) == "stranger"
