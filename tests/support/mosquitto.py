"""A real mosquitto for a test: private, on a free port, with the options the test asks for.

    with Mosquitto(users={"esp": "secret"}) as broker: ...
    async with Mosquitto(acl="topic read #") as broker: ...

Starting takes about 20 ms and is not awaited even in the async form: the process is tied to the
thread that started it, so no worker thread may do it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from bridge.broker.lifeline import Leashed
from bridge.broker.passwords import password_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = os.pathsep.join(
    (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
)
BINARY = shutil.which("mosquitto", path=_PATH)
NOT_INSTALLED = "mosquitto is not installed"
needs_mosquitto = pytest.mark.skipif(BINARY is None, reason=NOT_INSTALLED)
_START = 5.0
_ATTEMPTS = 5


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One broker. `port` is fixed for its life, over `restart()` too.

    tls         (certificate file, key file): a second listener on `tls_port`
    websockets  a further listener on `ws_port`
    persistence a folder: retained messages and sessions survive `stop()` and `start()`
    acl         the text of an ACL file; `users` turns anonymous access off
    extra       further lines for the config file
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        tls: tuple[str | Path, str | Path] | None = None,
        websockets: bool = False,
        persistence: str | Path | None = None,
        extra: str = "",
    ) -> None:
        self._fixed_port = port
        self.port = port or free_port()
        self.tls_port = free_port() if tls else None
        self.ws_port = free_port() if websockets else None
        self._users, self._acl, self._tls = users, acl, tls
        self._persistence, self._extra = persistence, extra
        self._folder: Path | None = None
        self._process: Leashed | None = None

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:PORT`."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        assert self._process is not None, "mosquitto is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return (self._home / "log").read_text(errors="replace")

    @property
    def _home(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="test-mosquitto-"))
        return self._folder

    def _write(self, name: str, text: str) -> Path:
        path = self._home / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def _config(self) -> str:
        # As root it would drop to its own user: the tie to us is lost, our files unreadable.
        lines = ["user root"] if os.geteuid() == 0 else []
        lines += ["log_dest stderr", "log_type all", "set_tcp_nodelay true"]
        lines.append(f"allow_anonymous {'false' if self._users else 'true'}")
        if self._users:
            passwords = "".join(f"{password_line(*pair)}\n" for pair in self._users.items())
            lines.append(f"password_file {self._write('passwords', passwords)}")
        if self._acl is not None:
            lines.append(f"acl_file {self._write('acl', self._acl)}")
        if self._persistence:
            location = f"{Path(self._persistence).resolve()}/"
            lines += ["persistence true", f"persistence_location {location}"]
        else:
            lines.append("persistence false")
        lines += [self._extra, f"listener {self.port} 127.0.0.1"]
        if self._tls:
            lines += [f"listener {self.tls_port} 127.0.0.1"]
            lines += [f"certfile {self._tls[0]}", f"keyfile {self._tls[1]}"]
        if self.ws_port:
            lines += [f"listener {self.ws_port} 127.0.0.1", "protocol websockets"]
        return "\n".join(lines) + "\n"

    def start(self) -> None:
        """Start it and wait until it accepts connections; skips the test when it is missing."""
        if BINARY is None:
            pytest.skip(NOT_INSTALLED)
        first = not (self._home / "log").exists()
        for attempt in range(_ATTEMPTS):
            config = self._write("mosquitto.conf", self._config())
            command = [BINARY, "-c", str(config)]
            self._process = Leashed(command, output=self._home / "log")
            if self._wait_ready():
                return
            taken = "Address already in use" in self.log
            self.kill()
            if not taken or self._fixed_port or not first or attempt == _ATTEMPTS - 1:
                break
            self.port = free_port()
        message = f"mosquitto did not start:\n{self.log}"
        raise RuntimeError(message)

    def _wait_ready(self) -> bool:
        assert self._process is not None
        ports = [port for port in (self.port, self.tls_port, self.ws_port) if port]
        end = time.monotonic() + _START
        while ports and time.monotonic() < end and self._process.exit_code() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", ports[0]), timeout=1).close()
                ports.pop(0)
                continue
            time.sleep(0.01)  # noqa: TID251 - no event loop needed here, and it is over at once
        return not ports and self._process.exit_code() is None

    def stop(self) -> None:
        """SIGTERM; it says goodbye, saves what is persistent and ends."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None or process.exit_code() is not None:
            return
        os.kill(process.pid, number)
        os.kill(process.pid, signal.SIGCONT)  # a paused one would not hear SIGTERM
        if not process.reap(_START):
            os.kill(process.pid, signal.SIGKILL)
            process.reap(_START)

    def restart(self, *, kill: bool = False) -> None:
        """End it (`kill`: with SIGKILL) and start it again on the same ports."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it at once (a goodbye takes it 0.1 s, and nobody listens) and remove its folder."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
