"""A whole bridge as its users run it: a process, a broker, and eyes on every topic."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import msgspec

from tests.runtime.links import Link, endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BASE = """\
base: heliograph
broker: {{url: "mqtt://127.0.0.1:{port}"}}
state: {state}
"""
EXTERNAL_HOUSE = """\
site: {grid: meter}
actors:
  meter: {kind: external}
"""


class House:
    """One `heliograph run` and one client that hears everything below the base."""

    def __init__(self, port: int, folder: Path, body: str) -> None:
        self.port = port
        self.config = folder / "house.yaml"
        self.log = folder / "log"
        self.write(body, folder)
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder

    def write(self, body: str, folder: Path | None = None) -> None:
        """Write the configuration: broker and state, then `body`."""
        state = (folder or self._folder) / "state"
        self.config.write_text(BASE.format(port=self.port, state=state) + body)

    def start(self) -> None:
        """Start the process."""
        command = [sys.executable, "-m", "bridge", "run", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to it."""
        assert self.process is not None
        self.process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM, limit: float = 15) -> int:
        """Send a signal and wait for its end; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return await self.ended(limit)

    async def ended(self, limit: float = 15) -> int:
        """Wait for its end; the exit code."""
        assert self.process is not None
        with anyio.fail_after(limit):
            while self.process.poll() is None:  # noqa: ASYNC110 - a process has no event to wait for
                await anyio.sleep(0.02)
        return int(self.process.returncode)

    @property
    def lines(self) -> list[str]:
        """Everything it has said so far."""
        return self.log.read_text().splitlines()


class Eyes:
    """What stands on the broker: the newest payload of every topic, and each in order."""

    def __init__(self, seen: Link) -> None:
        self._link = seen

    def __getitem__(self, address: str) -> bytes | None:
        found = self._link.payloads(f"heliograph/{address}")
        return found[-1] if found else None

    def text(self, address: str) -> str:
        """The newest payload as text, empty when there is none."""
        return (self[address] or b"").decode()

    def json(self, address: str) -> Any:
        """The newest payload as JSON, None when there is none."""
        payload = self[address]
        return msgspec.json.decode(payload) if payload else None

    def history(self, address: str) -> list[bytes]:
        """All payloads of an address."""
        return self._link.payloads(f"heliograph/{address}")

    def forget(self) -> None:
        """Begin anew."""
        self._link.got.clear()

    async def until(self, address: str, wanted: object, limit: float = 15) -> None:
        """Wait for a payload: bytes or text exactly, a function of the text, or anything (True)."""

        def check() -> bool:
            payload = self[address]
            if payload is None:
                return False
            if callable(wanted):
                return bool(wanted(payload.decode()))
            if wanted is True:
                return bool(payload)
            return payload == (wanted if isinstance(wanted, bytes) else str(wanted).encode())

        try:
            await self._link.until(check, limit)
        except TimeoutError:
            raise AssertionError(f"{address} stayed {self[address]!r}") from None

    async def until_outside(self, topic: str, wanted: bytes, limit: float = 15) -> None:
        """Wait for the newest payload of a topic that is not below the base."""
        payloads = self._link.payloads
        try:
            await self._link.until(lambda: payloads(topic)[-1:] == [wanted], limit)
        except TimeoutError:
            raise AssertionError(f"{topic} stayed {payloads(topic)[-1:]!r}") from None

    async def publish(self, address: str, payload: object, *, retain: bool = False) -> None:
        """As a small client does: QoS 0, any payload."""
        raw = payload if isinstance(payload, bytes) else str(payload).encode()
        self._link.connection.send(f"heliograph/{address}", raw, retain=retain)
        await anyio.lowlevel.checkpoint()

    async def request(self, consumer: str, **fields: object) -> None:
        """One plain topic per field."""
        for name, value in fields.items():
            await self.publish(f"Requests/{consumer}/{name}", value)

    async def keep_meter(self, watts: list[float], device: str = "meter") -> None:
        """Publish the newest of `watts` twice a second; an empty list is a silent meter."""
        while True:
            if watts:
                await self.publish(f"Devices/{device}/GridPower", f"{watts[-1]:g}")
            await anyio.sleep(0.5)


@contextlib.asynccontextmanager
async def house(
    port: int, folder: Path, body: str = EXTERNAL_HOUSE, *, start: bool = True
) -> AsyncIterator[tuple[House, Eyes]]:
    """A running house; it is ended with the test, however that ends."""
    found = House(port, folder, body)
    async with link(endpoint(port), f"eyes-{time.monotonic_ns()}", filters=("#",)) as seen:
        eyes = Eyes(seen)
        try:
            if start:
                found.start()
                await eyes.until("Actors/distributor/Status", "online", 20)
            yield found, eyes
        finally:
            process = found.process
            if process is not None and process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()


def mosquitto_pub(port: int, address: str, payload: str, *options: str) -> None:
    """The command of the same name, as a user types it."""
    command = ["mosquitto_pub", "-p", str(port), "-t", f"heliograph/{address}", "-m", payload]
    subprocess.run([*command, *options], check=True, timeout=10)
