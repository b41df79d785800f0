"""The first reading of a life is heard, however slow the broker is, and comes without one too."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio
import pytest

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.config.settings import DiscoverySettings
from bridge.contract import load_contract
from bridge.device import Device
from bridge.runner import Runner
from tests.runtime.links import endpoint, link
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.mqtt import Endpoint
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.anyio
POWER = "heliograph/Devices/dut/GridPower"


class Seldom(Device):
    """Answers at once, and is asked once an hour."""

    kind = "seldom"
    quantities = ("GridPower",)
    asked: anyio.Event

    async def run(self) -> None:
        await self.poll(interval=3600.0)

    async def read_once(self) -> dict[str, float | str | None]:
        self.asked.set()
        return {"GridPower": 1234.0}


@contextlib.asynccontextmanager
async def living(where: Endpoint, state: Path) -> AsyncIterator[anyio.Event]:
    """Such a device under supervision; the event tells that it was asked."""
    asked = anyio.Event()
    config = Config(state=state, discovery=DiscoverySettings(enabled=False))

    def make(context: Context) -> Seldom:
        device = Seldom(context)
        device.asked = asked
        return device

    async def report(*_: object) -> None:
        """Nobody wants to know."""

    runner = Runner(
        lambda restarts: Context("dut", None, config, load_contract(), where, Clock(), restarts),
        make,
        name="dut",
        stops_first=False,
        report=report,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        yield asked
        runner.stop()
        await runner.finished.wait()


async def test_it_waits_until_somebody_can_hear_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Else it would be lost, and the next one is an hour away."""
    async with (
        link(endpoint(mosquitto.port), "watcher", filters=(POWER,)) as watcher,
        living(endpoint(mosquitto.port), tmp_path),
    ):
        await watcher.until(lambda: watcher.payloads(POWER) == [b"1234"], limit=30)


async def test_without_a_broker_the_device_is_read_all_the_same(tmp_path: Path) -> None:
    async with living(endpoint(free_port()), tmp_path) as asked:
        with anyio.fail_after(30):
            await asked.wait()
