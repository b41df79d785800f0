"""`kill -9` of a whole bridge while the database is away: what it had heard arrives later."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.chaos.parts import until
from tests.e2e.house import House, house
from tests.sinks.parts import FakeInflux, read_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
BODY = """\
site: {{grid: meter}}
actors:
  meter: {{kind: external}}
  history: {{kind: influx, url: "http://127.0.0.1:{port}", interval: 0.5, batch: 100}}
"""


def waits(folder: Path, line: bytes) -> bool:
    return any(line in path.read_bytes() for path in (folder / "state/history/spool").glob("*"))


async def test_a_killed_bridge_delivers_what_it_had_heard(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with FakeInflux() as server:
        await server.stop()
        body = BODY.format(port=server.port)
        sent = 0
        async with house(mosquitto.port, tmp_path, body) as (first, eyes):
            bridge: House = first
            for rest in (1, 0):
                await eyes.until("Actors/history/Messages/Operational", True)
                for _ in range(150):
                    sent += 1
                    await eyes.publish("Devices/meter/GridImportEnergy", sent)
                    await anyio.sleep(0.002)
                newest = b"GridImportEnergy=%d " % sent
                await until(partial(waits, tmp_path, newest), 10, "the last value is kept")
                await bridge.end(signal.SIGKILL)
                if not rest:
                    await server.start()
                bridge = House(mosquitto.port, tmp_path, body)
                bridge.start()
                eyes.forget()
            try:
                await eyes.until("Actors/history/Messages/Operational", True)
                await until(partial(has, server, sent), 30, "everything is delivered")
                await bridge.end()
            finally:
                if bridge.process is not None and bridge.process.poll() is None:
                    bridge.process.kill()
                    bridge.process.wait()
    assert energies(server) == set(range(1, sent + 1))
    assert not list((tmp_path / "state/history/spool").glob("*"))
    assert "Traceback" not in bridge.log.read_text()


def has(server: FakeInflux, count: int) -> bool:
    return len(energies(server)) == count


def energies(server: FakeInflux) -> set[float]:
    found = map(read_line, server.written)
    return {each["value"] for each in found if each["field"] == "GridImportEnergy"}
