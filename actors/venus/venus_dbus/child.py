"""The injector as a child of the bridge: it ends, cleanly, when the bridge does."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bridge.errors import HeliographError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import ByteReceiveStream, Process

    from bridge.mqtt import Endpoint

_FOLDER = Path(__file__).parent
_PASSWORD = "HELIOGRAPH_BROKER_PASSWORD"  # noqa: S105 - the name of a variable
_NEEDED = ("dbus_fast", "paho.mqtt")
_END = 5.0
_LONGEST = 500


class ChildError(HeliographError):
    """The injector cannot run here; one plain sentence."""


def broker_url(endpoint: Endpoint) -> str:
    """The broker's address in one word, without a login."""
    scheme = "ws" if endpoint.websocket_path else "mqtt"
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    path = endpoint.websocket_path or ""
    return f"{scheme}{'s' if endpoint.tls else ''}://{host}:{endpoint.port}{path}"


def missing_package() -> str | None:
    """One sentence about a package that the injector needs and this machine lacks, or None."""
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            return (
                f"the package {name.replace('_', '-')} is missing: "
                "install Heliograph with its extra 'venus'"
            )
    return None


class Child:
    """One process at a time. `said` is called with each line that it writes."""

    def __init__(
        self, endpoint: Endpoint, base: str, venus: str, bus: str, said: Callable[[str], None]
    ) -> None:
        self._endpoint, self._said = endpoint, said
        self._arguments = ["--base", base, "--venus", venus, "--bus", bus, "--with-parent"]
        self._process: Process | None = None

    async def run(self) -> str:
        """Run it until it ends by itself; why it did, in one sentence. Raises ChildError."""
        missing = missing_package()
        if missing is not None:
            raise ChildError(missing)
        last = ""
        process = self._process = await self._start()
        assert process.stderr is not None  # noqa: S101 - it was asked for
        async for line in _lines(process.stderr):
            last = line
            self._said(line)
        code = await process.wait()
        self._process = None
        return f"the injector ended with {code}" + (f": {last}" if last else "")

    async def _start(self) -> Process:
        endpoint = self._endpoint
        command = [sys.executable, "-m", "injector", "--broker", broker_url(endpoint)]
        if endpoint.username is not None:
            command += ["--username", endpoint.username]
        if endpoint.ca is not None:
            command += ["--ca", str(endpoint.ca)]
        environment = {**os.environ, "PYTHONPATH": str(_FOLDER)}
        if endpoint.password is not None:
            # Not among the arguments, where everybody on the machine could read it.
            environment[_PASSWORD] = str(endpoint.password)
        try:
            return await anyio.open_process(
                [*command, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=_FOLDER,
                start_new_session=True,
            )
        except OSError as error:
            raise ChildError(f"the injector cannot be started: {error}") from error

    async def stop(self) -> None:
        """End it: values unknown, names released; the hard way when that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with anyio.move_on_after(_END) as scope:
            await process.wait()
        if scope.cancelled_caught:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        with contextlib.suppress(Exception):
            await process.aclose()


async def _lines(stream: ByteReceiveStream) -> AsyncIterator[str]:
    rest = b""
    async for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").strip()[:_LONGEST]
        rest = rest[-_LONGEST:]
    if rest:
        yield rest.decode(errors="replace").strip()
