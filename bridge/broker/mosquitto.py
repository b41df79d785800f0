"""A mosquitto of our own: found, configured, started, watched and stopped."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from typing import TYPE_CHECKING

import anyio

from bridge.broker.folder import PrivateFolder, clean_leftovers
from bridge.broker.lifeline import Leashed
from bridge.broker.passwords import password_line
from bridge.broker.ports import answers, free_address
from bridge.errors import BrokerError
from bridge.log import Outage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Never

    from structlog.typing import FilteringBoundLogger

    from bridge.broker.settings import Address

# Debian and others keep it where only root's PATH looks.
_FURTHER_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_MAX_PACKET = 262_144
_READY = 2.0
_LOOK = 0.01
_WATCH = 0.2
_STOP = 2.0
_BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
_GOOD_RUN = 60.0
_PORT_ATTEMPTS = 5
_STAMP = re.compile(r"^\d+: (Error: )?")


def find_mosquitto() -> str | None:
    """The path of an installed mosquitto, or None."""
    folders = [os.environ.get("PATH", os.defpath), *_FURTHER_FOLDERS]
    return shutil.which("mosquitto", path=os.pathsep.join(folders))


class PrivateMosquitto:
    """One mosquitto process that belongs to this one and dies with it."""

    kind = "mosquitto"

    def __init__(
        self,
        binary: str,
        address: Address,
        logins: Mapping[str, str],
        log: FilteringBoundLogger,
    ) -> None:
        self._binary = binary
        self._wanted = address
        self._address = address
        self._logins = dict(logins)
        self._log = log
        self._user = _unprivileged()
        self._folder: PrivateFolder | None = None
        self._process: Leashed | None = None
        self._obstacle = ""
        self.note: str | None = None

    @property
    def url(self) -> str:
        """Where clients on this machine find it."""
        return self._address.url()

    @property
    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self._process is not None and self._process.exit_code() is None

    async def start(self) -> None:
        """Start it and wait until it accepts connections; raises BrokerError when it does not."""
        clean_leftovers()
        try:
            await self._start_somewhere()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.stop()
            raise

    async def _start_somewhere(self) -> None:
        for _ in range(_PORT_ATTEMPTS):
            self._address, self.note = free_address(self._wanted)
            if await self._launch():
                return
            if "in use" not in self._complaint() and not answers(self._address):
                break
        why = self._complaint() or "it gives no reason"
        raise BrokerError(f"mosquitto does not start: {why}")

    async def stop(self) -> None:
        """Ask it to end, insist after 2 s, and remove its files."""
        process, self._process = self._process, None
        if process is not None and process.exit_code() is None:
            process.terminate()
            with anyio.move_on_after(_STOP):
                await _ended(process, _LOOK)
            if process.exit_code() is None:
                process.kill()
        if process is not None:
            process.reap(_STOP)
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    async def wait_closed(self) -> None:
        """Return when the process has ended, for whatever reason."""
        if self._process is not None:
            await _ended(self._process, _WATCH)

    async def watch(self) -> Never:
        """Start it again on the same port whenever it dies; one log line each way."""
        outage = Outage(self._log, "the embedded broker")
        attempt, since = 0, anyio.current_time()
        while True:
            await self.wait_closed()
            if not outage.lost and anyio.current_time() - since > _GOOD_RUN:
                attempt = 0
            outage.gone(f"mosquitto {self._how_it_ended()}; starting it again")
            await anyio.sleep(_BACKOFF[min(attempt, len(_BACKOFF) - 1)])
            attempt += 1
            if self._process is not None:
                self._process.reap(0)
            if await self._launch():
                since = anyio.current_time()
                outage.back()

    # ---------------------------------------------------------------- one process

    async def _launch(self) -> bool:
        """Start a process on the address in hand; true when it accepts connections."""
        if answers(self._address):  # somebody else came in between: it would not be ours
            return False
        try:
            self._process = self._spawn()
        except OSError as error:
            self._obstacle = f"{error.strerror or error}"
            return False
        with anyio.move_on_after(_READY):
            while self.alive:
                if answers(self._address):
                    return self.alive
                await anyio.sleep(_LOOK)
        if self.alive:
            self._process.kill()
        self._process.reap(_STOP)
        return False

    def _spawn(self) -> Leashed:
        if self._folder is not None and not self._folder.path.is_dir():
            self._folder.remove()  # something tidied up /tmp
            self._folder = None
        self._folder = self._folder or PrivateFolder(self._user)
        self._obstacle = ""
        config = self._folder.write("mosquitto.conf", self._config(self._folder))
        output = self._folder.write("log", "")
        return Leashed([self._binary, "-c", str(config)], output=output, user=self._user)

    def _config(self, folder: PrivateFolder) -> str:
        lines = [
            f"listener {self._address.port} {self._address.host}",
            f"allow_anonymous {'false' if self._logins else 'true'}",
            "persistence false",
            f"max_packet_size {_MAX_PACKET}",
            "max_queued_messages 10000",
            "set_tcp_nodelay true",
            "connection_messages false",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
        ]
        if self._logins:
            passwords = (password_line(name, word) for name, word in self._logins.items())
            path = folder.write("passwords", "".join(f"{line}\n" for line in passwords))
            lines.append(f"password_file {path}")
        return "\n".join(lines) + "\n"

    def _complaint(self) -> str:
        """The last line it wrote, without its time stamp."""
        if self._obstacle or self._folder is None:
            return self._obstacle
        try:
            log = self._folder.path / "log"
            lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            lines = []
        said = [_STAMP.sub("", line) for line in lines if line.strip()]
        return said[-1] if said else ""

    def _how_it_ended(self) -> str:
        code = self._process.exit_code() if self._process is not None else None
        if code is not None and code < 0:
            return f"was ended by signal {-code}"
        why = self._complaint()
        return f"ended by itself ({why})" if why else "ended by itself"


async def _ended(process: Leashed, interval: float) -> None:
    """Wait for the end of a process."""
    while process.exit_code() is None:  # noqa: ASYNC110 - not every system has an event for it
        await anyio.sleep(interval)


def _unprivileged() -> tuple[int, int] | None:
    """Whom to be when we are root: mosquitto's own user, else nobody.

    Left to itself mosquitto would switch users after its start, and the kernel would then forget
    that it has to die with us.
    """
    if os.geteuid() != 0:
        return None
    for name in ("mosquitto", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    return None
