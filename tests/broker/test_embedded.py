"""The embedded broker's life: started, found, guarded, restarted, stopped."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import amqtt
import anyio
import pytest

from bridge.broker import EmbeddedSettings, embedded_broker, mosquitto
from bridge.broker.mosquitto import PrivateMosquitto
from bridge.errors import BrokerError
from tests.broker.brokers import client, collect, embedded, needs_mosquitto, port_of
from tests.broker.test_lifeline import lives, until, until_gone
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from structlog.typing import FilteringBoundLogger

KINDS = [pytest.param("mosquitto", marks=needs_mosquitto), "amqtt"]


class Notes:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str, **_: Any) -> None:
        self.lines.append(text)

    warning = error = debug = info

    @property
    def log(self) -> FilteringBoundLogger:
        return self  # type: ignore[return-value]


@pytest.fixture
def own_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that another user may pass through."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", name)
        monkeypatch.setenv("TMPDIR", name)
        yield Path(name)


def inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def user_of(pid: int | None) -> int:
    listed = subprocess.run(
        ["ps", "-o", "uid=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return int(listed.stdout)


async def soon(condition: Callable[[], object]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - it happens in another process
            await anyio.sleep(0.02)


async def works(port: int, **login: Any) -> bool:
    """A message makes the round trip."""
    async with client(port, **login) as one:
        await one.subscribe("a")
        await one.publish("a", "x", qos=1)
        return len(await collect(one, 1, 3)) == 1


def private(broker: Any) -> PrivateMosquitto:
    found = broker._backend
    assert isinstance(found, PrivateMosquitto)
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_it_listens_where_it_was_asked_to_and_leaves_nothing(
    kind: str, own_tmp: Path
) -> None:
    port = free_port()
    async with embedded(kind, listen=f"127.0.0.1:{port}") as broker:
        assert (broker.kind, broker.note) == (kind, None)
        assert broker.url == f"mqtt://127.0.0.1:{port}"
        assert (broker.username, broker.password) == (None, None)
        assert broker.alive
        assert await works(port)
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port)):
            pass
    assert inside(own_tmp) == []
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_taken_port_is_said_and_replaced(kind: str, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with embedded(kind, listen=f"{host}:{taken}", users={"esp": "x"}) as broker:
            port = port_of(broker)
            assert port != taken
            assert broker.note == f"port {taken} is taken, using {port} instead"
            assert await works(port, username="esp", password="x")


@pytest.mark.parametrize("kind", KINDS)
async def test_with_users_the_network_may_come_in(kind: str) -> None:
    port = free_port()
    async with embedded(kind, listen=f"0.0.0.0:{port}", users={"esp": "x"}) as broker:
        assert broker.url == f"mqtt://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.2", port)).close()


@pytest.mark.parametrize("kind", KINDS)
async def test_without_users_the_network_stays_out(kind: str) -> None:
    port = free_port()
    with pytest.raises(BrokerError, match="open to everyone on the network"):
        async with embedded(kind, listen=f"0.0.0.0:{port}"):
            pass


@pytest.mark.parametrize("kind", KINDS)
async def test_ipv6(kind: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with embedded(kind, listen="[::1]:0") as broker:
        assert re.fullmatch(r"mqtt://\[::1\]:\d+", broker.url)
        socket.create_connection(("::1", port_of(broker))).close()


@pytest.mark.parametrize(
    ("listen", "sentence"),
    [
        ("192.0.2.1:1883", "this machine has no address 192.0.2.1 to listen on"),
        ("kitchen:1883", "must be an IP address and a port"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_an_impossible_address_is_one_sentence(kind: str, listen: str, sentence: str) -> None:
    with pytest.raises(BrokerError, match=sentence):
        async with embedded(kind, listen=listen, users={"esp": "x"}):
            pass


@needs_mosquitto
async def test_mosquittos_files_are_for_its_own_eyes(own_tmp: Path) -> None:
    async with embedded("mosquitto", users={"esp": "geheim"}) as broker:
        (folder,) = inside(own_tmp)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        files = {path.name: path for path in inside(folder)}
        assert set(files) == {"mosquitto.conf", "passwords", "log"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
        assert "geheim" not in files["passwords"].read_text()
        assert broker.password is not None
        assert broker.password not in files["passwords"].read_text()
        assert user_of(private(broker).pid) != 0


@needs_mosquitto
async def test_a_dead_mosquitto_is_started_again_on_its_port() -> None:
    notes = Notes()
    settings = EmbeddedSettings(listen="127.0.0.1:0", users={"esp": "x"})
    async with (
        embedded_broker(settings, notes.log) as broker,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(broker.watch)
        port, first = port_of(broker), private(broker).pid
        for number in (signal.SIGKILL, signal.SIGTERM):
            pid = private(broker).pid
            assert pid is not None
            os.kill(pid, number)
            with anyio.fail_after(5):
                await broker.wait_closed()
            await soon(lambda: len(notes.lines) % 2)
            await soon(lambda: len(notes.lines) % 2 == 0)
            assert port_of(broker) == port
            assert await works(port, username="esp", password="x")
            assert await works(port, username=broker.username, password=broker.password)
        assert private(broker).pid != first
        assert notes.lines == [
            "the embedded broker is lost: mosquitto was ended by signal 9; starting it again",
            "the embedded broker is back",
            "the embedded broker is lost: mosquitto ended by itself; starting it again",
            "the embedded broker is back",
        ]
        tasks.cancel_scope.cancel()


@needs_mosquitto
async def test_while_its_port_is_taken_it_keeps_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto, "_BACKOFF", (0.2,))
    notes = Notes()
    settings = EmbeddedSettings(listen="127.0.0.1:0")
    async with (
        embedded_broker(settings, notes.log) as broker,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(broker.watch)
        port, pid = port_of(broker), private(broker).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until_gone(pid)
        with socket.create_server(("127.0.0.1", port)):
            await anyio.sleep(1.0)
            assert not broker.alive
        await soon(lambda: len(notes.lines) == 2)
        assert broker.alive
        assert await works(port)
        tasks.cancel_scope.cancel()


BRIDGE = """
import anyio, os, signal, socket, sys
from bridge.broker import EmbeddedSettings, embedded_broker
from bridge.log import get_logger

async def main():
    settings = EmbeddedSettings(listen="127.0.0.1:0", users={"esp": "x"}, prefer="mosquitto")
    async with embedded_broker(settings, get_logger()) as broker:
        print(broker._backend.pid, broker.url, flush=True)
        try:
            await anyio.sleep_forever()
        finally:
            port = int(broker.url.rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port)).close()
            print("said goodbye", flush=True)

# What runs in the background of a shell ignores the signal, and so do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    anyio.run(main)
except KeyboardInterrupt:
    print("ended", flush=True)
"""


@contextlib.contextmanager
def a_bridge() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with a broker, and the broker's pid; ended in any case."""
    bridge = subprocess.Popen(
        [sys.executable, "-c", BRIDGE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with bridge:
        try:
            assert bridge.stdout is not None
            yield bridge, int(bridge.stdout.readline().split()[0])
        finally:
            bridge.kill()


@needs_mosquitto
def test_kill_9_of_the_bridge_ends_mosquitto_and_the_next_start_tidies_up(own_tmp: Path) -> None:
    with a_bridge() as (_, pid):
        assert lives(pid)
    until_gone(pid)
    (left,) = own_tmp.iterdir()
    with a_bridge() as (_, pid):
        until(lambda: not left.exists())
        assert len(list(own_tmp.iterdir())) == 1
    until_gone(pid)


@needs_mosquitto
def test_ctrl_c_leaves_mosquitto_alive_until_the_bridge_has_said_goodbye(own_tmp: Path) -> None:
    with a_bridge() as (bridge, pid):
        os.killpg(bridge.pid, signal.SIGINT)
        assert bridge.stdout is not None
        assert bridge.stdout.read() == "said goodbye\nended\n"
    until_gone(pid)
    assert inside(own_tmp) == []


# ---------------------------------------------------------------- which broker


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a `mosquitto` of our own the only one that is found."""
    binary = folder / "mosquitto"
    binary.write_text(script)
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(mosquitto, "_FURTHER_FOLDERS", ())


async def test_without_mosquitto_it_is_amqtt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mosquitto, "_FURTHER_FOLDERS", ())
    notes = Notes()
    async with embedded_broker(EmbeddedSettings(listen="127.0.0.1:0"), notes.log) as broker:
        assert broker.kind == "amqtt"
    assert notes.lines == []
    with pytest.raises(BrokerError, match=r"^mosquitto is not installed$"):
        async with embedded("mosquitto"):
            pass


@needs_mosquitto
async def test_mosquitto_is_found_where_only_root_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    async with embedded("auto") as broker:
        assert broker.kind == "mosquitto"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("#!/bin/sh\necho '1700000000: Error: no luck today.' >&2\nexit 3\n", "no luck today."),
        ("#!/bin/sh\nexit 3\n", "it gives no reason"),
        ("#!/nonexistent/interpreter\n", "No such file or directory"),
    ],
)
async def test_a_mosquitto_that_fails_is_replaced_or_named(
    script: str, why: str, own_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(own_tmp, script, monkeypatch)
    notes = Notes()
    async with embedded_broker(EmbeddedSettings(listen="127.0.0.1:0"), notes.log) as broker:
        assert broker.kind == "amqtt"
        assert await works(port_of(broker))
    sentence = f"mosquitto does not start: {why}"
    assert notes.lines == [f"{sentence}; the simple broker inside Heliograph is used instead"]
    with pytest.raises(BrokerError, match=f"^{re.escape(sentence)}$"):
        async with embedded("mosquitto"):
            pass
    assert [path.name for path in inside(own_tmp)] == ["mosquitto"]


async def test_without_any_broker_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "bridge.broker.amqtt_embedded", None)
    with pytest.raises(BrokerError, match="install mosquitto, or the Python package amqtt"):
        async with embedded("amqtt"):
            pass


async def test_an_amqtt_we_do_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqtt, "__version__", "0.13.0")
    with pytest.raises(BrokerError, match=r"amqtt 0\.13\.0 is installed, but .* needs 0\.12\.1"):
        async with embedded("amqtt"):
            pass


async def test_amqtt_is_imported_only_when_it_serves() -> None:
    code = (
        "import sys, bridge.broker, bridge.broker.mosquitto;"
        "print([name for name in ('amqtt', 'aiomqtt', 'aiohttp') if name in sys.modules])"
    )
    done = await anyio.run_process(
        [sys.executable, "-c", code], env={"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.stdout.strip() == b"[]"
