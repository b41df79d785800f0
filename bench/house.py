"""A bridge under measurement: its own process, an external meter, consumers that we play."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import anyio

from bench.echo import NODELAY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CONFIG = """\
base: bench
broker: {{url: "mqtt://127.0.0.1:{port}"}}
discovery: {{enabled: {discovery}}}
state: {state}
site: {{grid: meter}}
actors:
  meter: {meter}
  distributor: {{kind: distributor, strategy: surplus}}  # it answers each word of the meter at once
"""
EXTERNAL = "{kind: external}"


@contextlib.contextmanager
def bridge(port: int, meter: str = EXTERNAL, *, discovery: bool = False) -> Any:
    """Run `heliograph run` with a config for the broker on `port`; yields the process."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "bench.yaml")
        text = CONFIG.format(port=port, meter=meter, state=folder, discovery=str(discovery).lower())
        config.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "bridge", "run", "--config", str(config)]
        child = subprocess.Popen([*command, "--log-level", "warning"])
        try:
            yield child
        finally:
            child.terminate()
            child.wait(20)


class Player:
    """A bare client that publishes requests and meter values and waits for answers."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.latest: dict[str, bytes] = {}
        self._news = anyio.Event()

    async def listen(self) -> None:
        """Keep the newest payload of every topic."""
        async for message in self.client.messages:
            self.latest[message.topic.value] = bytes(message.payload)
            self._news.set()
            self._news = anyio.Event()

    async def until(self, topic: str, payloads: set[bytes], limit: float = 10) -> None:
        """Wait until `topic` carries one of `payloads`."""
        await self.until_true(lambda: self.latest.get(topic) in payloads, limit)

    async def until_true(self, check: Callable[[], bool], limit: float = 20) -> None:
        """Wait until `check`, looked at after each message, is true."""
        with anyio.fail_after(limit):
            while not check():
                await self._news.wait()

    async def publish(self, topic: str, value: object) -> None:
        """QoS 0 and at once, as a small client does."""
        await self.client.publish(topic, str(value), qos=0)

    async def meter(self, watts: float) -> None:
        """One live value of the external grid meter."""
        await self.publish("bench/Devices/meter/GridPower", watts)

    async def keep_meter(self, watts: list[float]) -> None:
        """Repeat the newest value of `watts` each second, so that the meter stays fresh."""
        while True:
            await self.meter(watts[-1])
            await anyio.sleep(1)

    async def request(self, consumer: str, **fields: object) -> None:
        """The request of one consumer, one plain topic each."""
        for name, value in fields.items():
            await self.publish(f"bench/Requests/{consumer}/{name}", value)


@contextlib.asynccontextmanager
async def player(port: int) -> AsyncIterator[Player]:
    """A connected player that hears everything below the base and the bare echo."""
    async with (
        aiomqtt.Client("127.0.0.1", port, socket_options=NODELAY) as client,
        anyio.create_task_group() as tasks,
    ):
        found = Player(client)
        await client.subscribe([("bench/#", 1), ("bare/#", 1)])
        tasks.start_soon(found.listen)
        yield found
        tasks.cancel_scope.cancel()


def clock() -> float:
    """Seconds for measuring."""
    return time.perf_counter()
