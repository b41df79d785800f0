"""One consumer that never stops talking must not be felt by the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.e2e.house import house
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.house import Eyes
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


async def decisions(eyes: Eyes) -> list[float]:
    """Seconds from each change of a request to its allowance, while the flood runs."""
    found = []
    end = anyio.current_time() + SECONDS
    wanted = 500
    while anyio.current_time() < end:
        wanted = 501 if wanted == 500 else 500
        begun = anyio.current_time()
        await eyes.publish("Requests/quiet/Request", wanted)
        await eyes.until("Requests/quiet/Allowance", str(wanted), 5)
        found.append(anyio.current_time() - begun)
        await anyio.sleep(0.1)
    return found


@pytest.mark.slow
async def test_a_thousand_messages_a_second_from_one_consumer(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with (
        house(mosquitto.port, tmp_path) as (bridge, eyes),
        anyio.create_task_group() as tasks,
    ):
        assert bridge.process is not None
        tasks.start_soon(eyes.keep_meter, [-2000.0])
        await eyes.request("quiet", IsAutomatic="true", Request=500, Consumption=0, Priority=1)
        await eyes.until("Requests/quiet/Allowance", "500", 8)
        before = resident(bridge.process.pid)
        counted = [0]
        tasks.start_soon(flood, mosquitto.port, counted)
        delays = await decisions(eyes)
        assert counted[0] > 0.8 * SECONDS * RATE
        assert len(delays) > SECONDS
        assert max(delays) < 1
        assert resident(bridge.process.pid) - before < 50
        assert eyes.text("Actors/distributor/Status") == "online"
        assert eyes.json("Actors/distributor/Health")["restarts"] == 0
        assert len(bridge.lines) < 50
        tasks.cancel_scope.cancel()
