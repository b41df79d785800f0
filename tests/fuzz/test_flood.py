"""One consumer that never stops talking must not be felt by the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.e2e.house import EXTERNAL_HOUSE, House
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.mosquitto import Mosquitto

SECONDS = 10
RATE = 1000


def resident(pid: int) -> float:
    """Memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no VmRSS")


def talk() -> Iterator[tuple[str, bytes]]:
    """Fields and JSON, good and bad, each a little different from the one before."""
    number = 0
    while True:
        number += 1
        yield "Request", b"%d" % (number % 3000)
        yield "Consumption", b"%d" % (number % 7)
        yield "", b'{"Request": %d, "IsAutomatic": true}' % (number % 3000)
        yield "Request", b"%d W" % number
        yield f"Field{number}", b"x" * 200


async def flood(port: int, counted: list[int]) -> None:
    """RATE messages a second from one client."""
    async with link(endpoint(port), "chatterbox") as chatterbox:
        words = talk()
        begun = anyio.current_time()
        while True:
            due = int((anyio.current_time() - begun) * RATE)
            while counted[0] < due:
                name, payload = next(words)
                topic = f"heliograph/Requests/chatterbox/{name}".rstrip("/")
                chatterbox.connection.send(topic, payload, qos=0)
                counted[0] += 1
            await anyio.sleep(0.01)


class Quiet:
    """A consumer that hears only what concerns it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.delays: list[float] = []

    async def run(self) -> None:
        """Change the request again and again; note how long each decision takes."""
        topic = "heliograph/Requests/quiet/Allowance"
        async with link(endpoint(self.port), "quiet", filters=(topic,)) as them:
            wanted = 500

            def say(name: str, value: object) -> None:
                them.connection.send(f"heliograph/Requests/quiet/{name}", str(value).encode())

            say("IsAutomatic", "true")
            say("Consumption", 0)
            say("Priority", 1)
            end = anyio.current_time() + SECONDS
            while anyio.current_time() < end:
                wanted = 501 if wanted == 500 else 500
                begun = anyio.current_time()
                say("Request", wanted)
                payload = str(wanted).encode()
                await them.until(lambda: them.got and them.got[-1].payload == payload)  # noqa: B023
                self.delays.append(anyio.current_time() - begun)
                await anyio.sleep(0.1)


async def meter(port: int) -> None:
    async with link(endpoint(port), "meter") as them:
        while True:
            them.connection.send("heliograph/Devices/meter/GridPower", b"-2000")
            await anyio.sleep(0.5)


@pytest.mark.slow
async def test_a_thousand_messages_a_second_from_one_consumer(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    bridge = House(mosquitto.port, tmp_path, EXTERNAL_HOUSE)
    bridge.start()
    assert bridge.process is not None
    topic = "heliograph/Actors/distributor/+"
    async with (
        link(endpoint(mosquitto.port), "eyes", filters=(topic,)) as them,
        anyio.create_task_group() as tasks,
    ):
        try:
            tasks.start_soon(meter, mosquitto.port)
            await them.until(lambda: b"online" in [each.payload for each in them.got])
            await anyio.sleep(1)
            before = resident(bridge.process.pid)
            counted = [0]
            tasks.start_soon(flood, mosquitto.port, counted)
            quiet = Quiet(mosquitto.port)
            await quiet.run()
            assert counted[0] > 0.8 * SECONDS * RATE
            assert len(quiet.delays) > SECONDS
            assert max(quiet.delays) < 1, quiet.delays
            assert resident(bridge.process.pid) - before < 50
            assert b"offline" not in [each.payload for each in them.got]
            assert len(bridge.lines) < 50, bridge.lines
            assert await bridge.end() == 0
        finally:
            bridge.process.kill()
            bridge.process.wait()
            tasks.cancel_scope.cancel()
