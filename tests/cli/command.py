"""The command line as its users run it, in processes, with a kind made from the skeleton."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio

from tests.actors.kinds import COPY, ROOT, contributing_commands

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator
    from pathlib import Path

# The installed kinds, and beside them those of a newcomer's folder.
_LAUNCHER = """\
import sys
import actors.devices
folder = sys.argv.pop(1)
actors.__path__.append(folder + "/actors")
actors.devices.__path__.append(folder + "/actors/devices")
from bridge.cli.main import main
sys.exit(main())
"""
HOUSE = """\
base: heliograph
broker: {{url: "mqtt://127.0.0.1:{broker}"}}
state: {state}
actors:
  ess: {{kind: {kind}, host: 127.0.0.1, port: {port}, interval: 0.2, timeout: 0.5}}
"""


class Commands:
    """Runs `heliograph …` in one folder with one configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "house.yaml"
        self.state = folder / "state"
        self._started: list[subprocess.Popen[str]] = []
        (folder / "actors" / "devices").mkdir(parents=True)
        shutil.copytree(
            ROOT / "actors" / "_template",
            folder / "actors" / "_template",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for command in contributing_commands():
            subprocess.run(["sh", "-c", command], cwd=folder, check=True, timeout=10)
        (folder / "launcher.py").write_text(_LAUNCHER)

    def change(self, before: str, after: str) -> None:
        """Change the newcomer's actor."""
        path = self.folder / "actors" / "devices" / COPY / "actor.py"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    def configure(self, port: int, *, broker: int = 1, kind: str = COPY) -> None:
        """One device `ess` at `port`."""
        text = HOUSE.format(broker=broker, state=self.state, kind=kind, port=port)
        self.config.write_text(text)

    def start(
        self, *words: str, config: bool = True, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a command."""
        command = [sys.executable, str(self.folder / "launcher.py"), str(self.folder), *words]
        if config:
            command += ["--config", str(self.config)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
        )
        self._started.append(process)
        return process

    async def run(self, *words: str, config: bool = True) -> tuple[int, str, str]:
        """Run a command to its end: exit code, what it printed, what it complained of."""
        return await ended(self.start(*words, config=config))

    def end(self) -> None:
        """Leave no process behind."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


async def ended(process: subprocess.Popen[str], limit: float = 15) -> tuple[int, str, str]:
    """Wait for the end of a process."""
    with anyio.fail_after(limit):
        while process.poll() is None:  # noqa: ASYNC110 - a process has no event to wait for
            await anyio.sleep(0.02)
    out, err = process.communicate()
    return process.returncode, out, err


async def line_of(process: subprocess.Popen[str], limit: float = 15) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    with anyio.fail_after(limit):
        return await anyio.to_thread.run_sync(process.stdout.readline, abandon_on_cancel=True)


async def told(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    return await ended(process)


@contextlib.contextmanager
def commands(folder: Path) -> Iterator[Commands]:
    """Commands whose processes end with the block."""
    found = Commands(folder)
    try:
        yield found
    finally:
        found.end()
