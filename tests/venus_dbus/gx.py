"""A GX for a test: a real dbus-daemon, settings, a reader, and the injector beside them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from tests.venus_dbus.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import MQTTMessage

ROOT = Path(__file__).parents[2]
KIND = ROOT / "actors" / "venus" / "venus_dbus"
DAEMON = shutil.which("dbus-daemon")
SETTINGS = "com.victronenergy.settings"
NULL = ["ai", []]
LIMIT = 15.0
_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <listen>tcp:host=127.0.0.1,port={port},family=ipv4</listen>
  <auth>EXTERNAL</auth>
  <auth>ANONYMOUS</auth>
  <allow_anonymous/>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


# The same program with its pauses cut to a quarter, for tests that do not measure them.
_HURRIED = """\
import sys
from injector import app, export, house, instances, link, main
app._TICK = export._BATCH = 0.25
app._RESERVE_AGAIN = instances._RETRY = 1.0
export._WAITS = (0.25, 0.5, 1.0)
link._LATEST = 1
house.ORPHANED = 2.0
sys.exit(main.main())
"""


def grant(**values: Any) -> dict[str, Any]:
    """As the distributor tells a consumer's."""
    found = {"allowance": 0, "ttl": 30, "seq": 1, "at": "2026-11-21T12:00:00Z", "reason": "x"}
    return {**found, "consumption": 0, "request": 0, "automatic": True, **values}


def name_of(kind: str, what: str, id_: str) -> str:
    """The bus name of a service of ours."""
    return f"com.victronenergy.{kind}.heliograph_{what}_{id_}"


def pause(seconds: float) -> None:
    """Wait, where no event loop is."""
    threading.Event().wait(seconds)


def until(check: Callable[[], Any], what: str, limit: float = LIMIT) -> Any:
    """What `check` gives once it gives something."""
    end = time.monotonic() + limit
    while not (found := check()):
        assert time.monotonic() < end, f"this did not come: {what}"
        pause(0.02)
    return found


class Bus:
    """A private dbus-daemon that also listens on TCP, without any proof of who one is."""

    def __init__(self, folder: Path, port: int) -> None:
        if DAEMON is None:
            pytest.skip("dbus-daemon is not installed")
        self.path = folder / "bus"
        self.tcp = f"tcp:host=127.0.0.1,port={port}"
        self._config = folder / "bus.conf"
        self._config.write_text(_CONFIG.format(path=self.path, port=port))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self.path}"

    def start(self) -> None:
        assert DAEMON is not None
        self.path.unlink(missing_ok=True)
        command = [DAEMON, f"--config-file={self._config}", "--nofork", "--nopidfile"]
        self._process = subprocess.Popen(command)
        until(self.path.exists, "the socket of the bus")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Told:
    """The bridge's side of the broker: publishes, and remembers what came."""

    def __init__(self, port: int, base: str) -> None:
        self.base = base
        self.got: list[tuple[str, bytes, bool]] = []
        ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(f"{base}/#", 1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(LIMIT)

    def _on_message(self, _client: object, _data: object, message: MQTTMessage) -> None:
        topic = message.topic.removeprefix(f"{self.base}/")
        self.got.append((topic, bytes(message.payload), bool(message.retain)))

    def say(self, topic: str, value: Any, *, retain: bool = False) -> None:
        """Publish; an object as JSON, everything else as its text."""
        payload = json.dumps(value) if isinstance(value, (dict, list)) else str(value)
        self._client.publish(f"{self.base}/{topic}", payload, 1, retain).wait_for_publish(LIMIT)

    def again(self) -> None:
        """Wait until it is back at a broker that was away, and hears everything."""
        self.got.clear()
        until(self._client.is_connected, "the broker")
        self.say("Requests/nobody/CustomName", "x")
        until(lambda: self.last("Requests/nobody/CustomName"), "what was said itself")

    def state(self, device: str, *, retain: bool = False, **values: Any) -> None:
        """One reading of a device."""
        self.say(f"Devices/{device}/State", {"at": "2026-11-21T12:00:00Z", **values}, retain=retain)

    def last(self, topic: str) -> Any:
        """What came last on a topic, as JSON or text; None when nothing did."""
        found = [payload for each, payload, _ in self.got if each == topic]
        if not found:
            return None
        try:
            return json.loads(found[-1])
        except ValueError:
            return found[-1].decode()

    def orders(self, device: str, control: str) -> list[bytes]:
        """All commands on a control."""
        topic = f"Devices/{device}/{control}/Set"
        return [payload for each, payload, _ in list(self.got) if each == topic]

    def shown(self, key: str) -> dict[str, Any]:
        """What the injector tells of one service."""
        found = self.last("Venus/gx/Shown") or {"services": {}}
        return found["services"].get(key, {})

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Injector:
    """The process, started as on a GX: from a folder that holds nothing but itself."""

    def __init__(
        self, folder: Path, port: int, bus: str, base: str, python: Path | None = None
    ) -> None:
        self._home = folder / "alone"
        if not self._home.exists():
            shutil.copytree(
                KIND / "injector",
                self._home / "injector",
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        self.hurried = False
        self._python = str(python or sys.executable)
        self._arguments = [
            *("--broker", f"mqtt://127.0.0.1:{port}", "--base", base),
            *("--venus", "gx", "--bus", bus, "--verbose"),
        ]
        self._log = folder / "injector.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        program = ("-c", _HURRIED) if self.hurried else ("-m", "injector")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, *program, *self._arguments, *more],
                cwd=self._home,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
            )

    def send(self, number: int) -> None:
        """A signal, after which it goes on."""
        assert self._process is not None
        self._process.send_signal(number)

    def orphan(self) -> int:
        """Close its standard input, as the death of its parent does; its exit code."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(LIMIT)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def memory(self) -> float:
        """Resident MB."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """End it; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        if process.stdin is not None:
            process.stdin.close()
        try:
            return process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


class Gx:
    """All of it, and `plan` to say what shall be shown."""

    def __init__(self, folder: Path, broker: int, port: int, base: str = "heliograph") -> None:
        self.folder, self.broker = folder, broker
        self.bus = Bus(folder, port)
        self.told = Told(broker, base)
        self.base = base
        self._settings: subprocess.Popen[str] | None = None
        self._reader: Reader | None = None
        self.injector = Injector(folder, broker, self.bus.address, base)

    @property
    def reader(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self.bus.path)
        return self._reader

    def settings(self, *taken: str, wait: bool = True) -> None:
        """Start com.victronenergy.settings, with instances that others have already."""
        file = self.folder / "settings.json"
        self._settings = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.venus_dbus.settings_of_gx"),
                *(str(self.bus.path), str(file), *taken),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        if wait:
            self.settled()

    def settled(self) -> None:
        """Wait until the settings are on the bus."""
        assert self._settings is not None
        assert self._settings.stdout is not None
        assert self._settings.stdout.readline() == "ready\n"

    def pause_settings(self, number: int) -> None:
        """SIGSTOP: they answer nothing; SIGCONT: they do again."""
        assert self._settings is not None
        self._settings.send_signal(number)

    def no_settings(self) -> None:
        if self._settings is not None:
            self._settings.kill()
            self._settings.communicate()
            self._settings = None

    def plan(self, *services: dict[str, Any], wait: bool = True, **more: Any) -> None:
        """Say what shall be shown; with `wait`, until each has its instance."""
        self.told.say("Venus/gx/Services", {"services": list(services), **more}, retain=True)
        if wait:
            self.ready(*(f"{each['what']}/{each['id']}" for each in services))

    def ready(self, *keys: str) -> None:
        """Wait until each of these services has an instance, and its topics are heard."""

        def check() -> bool:
            return all(self.told.shown(key).get("instance") is not None for key in keys)

        until(check, f"instances for {keys}\n{self._said}")

    def there(self, name: str) -> dict[str, Any]:
        """Wait until a service is on the bus; its items."""
        found: dict[str, Any] = until(lambda: self.reader.items(name), f"{name}\n{self._said}")
        return found

    def gone(self, name: str) -> None:
        """Wait until a service has left the bus."""
        until(lambda: name not in self.reader.names(), f"the end of {name}")

    def holds(self, name: str, path: str, value: Any) -> None:
        """Wait until a path has a value; without its signature."""

        def check() -> bool:
            found = self.reader.items(name).get(path)
            return found is not None and found[1] == value

        until(check, f"{path} = {value} in {name}, it is {self.reader.items(name).get(path)}")

    @property
    def _said(self) -> str:
        with contextlib.suppress(OSError):
            return self.injector.log[-2000:]
        return ""

    def close(self) -> None:
        self.injector.stop(signal.SIGKILL)
        self.no_settings()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self.bus.stop()
        self.told.close()

    def lose_reader(self) -> None:
        """The reader's connection died with the bus: the next question makes a new one."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> Self:
        self.bus.start()
        # It takes a moment to start, and nearly everybody asks it something.
        self._reader = Reader(self.bus.path)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
