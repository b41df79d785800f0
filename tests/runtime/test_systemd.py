"""What systemd is told, over a real datagram socket."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import anyio
import pytest

from bridge import systemd
from bridge.config import Config
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.supervisor import Supervisor
from tests.runtime.links import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Stands in for systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        address = str(tmp_path / "notify")
        listener.bind(address)
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listener


def heard(listener: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(listener.recv(1024).decode())
        except BlockingIOError:
            return found


def test_a_word_reaches_the_socket(manager: socket.socket) -> None:
    systemd.notify("READY=1")
    assert heard(manager) == ["READY=1"]


def test_an_abstract_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"heliograph-test-{tmp_path.name}-{id(tmp_path)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        listener.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        systemd.notify("STOPPING=1")
        assert listener.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all"])
def test_without_systemd_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30000000", 10.0), ("", None), ("0", None), ("soon", None), ("-5", None)]
)
def test_signs_of_life_come_three_times_as_often_as_needed(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", text)
    assert systemd.watchdog_interval() == seconds
    monkeypatch.delenv("WATCHDOG_USEC")
    assert systemd.watchdog_interval() is None


async def test_the_supervisor_says_ready_alive_and_stopping(
    manager: socket.socket, mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    config = Config(state=tmp_path / "state", discovery=DiscoverySettings(enabled=False))
    supervisor = Supervisor(config, endpoint(mosquitto.port), load_contract())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.run)
        with anyio.fail_after(5):
            await supervisor.started.wait()
        await anyio.sleep(0.5)
        words = heard(manager)
        assert words[0] == "READY=1"
        assert words.count("WATCHDOG=1") >= 2
        supervisor.stop()
    assert heard(manager).count("STOPPING=1") == 1
