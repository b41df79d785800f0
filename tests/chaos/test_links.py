"""The link to the broker: hung, silently cut, slow. The safety net is age, and it holds."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.chaos.parts import ACTORS, Consumer, external_meter, standing, until
from tests.e2e.house import EXTERNAL_HOUSE, House
from tests.support.mosquitto import Mosquitto
from tests.support.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SUN = -2000.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Scene:
    """A broker, a bridge behind a proxy, a meter and a consumer beside it."""

    def __init__(
        self, broker: Mosquitto, proxy: FaultProxy, bridge: House, consumer: Consumer
    ) -> None:
        self.broker, self.proxy, self.bridge, self.consumer = broker, proxy, bridge, consumer

    async def shares(self, limit: float = 15) -> float:
        """Wait until the consumer gets what it asks for; how long that took."""
        return await until(lambda: self.consumer.power == 900, limit, "the consumer gets 900 W")

    async def true_again(self, limit: float) -> None:
        """What the broker tells a newcomer is true."""
        wanted = {f"Actors/{name}/Status": b"online" for name in ACTORS}
        wanted |= {"Bridge/Status": b"online", "Requests/pool/Allowance": b"900"}
        found: dict[str, bytes] = {}
        with anyio.move_on_after(limit):
            while not wanted.items() <= found.items():
                found = await standing(self.broker.port)
        assert wanted.items() <= found.items()

    def never_crashed(self) -> bool:
        said = "\n".join(self.bridge.lines)
        return "crashed" not in said and "restarted" not in said and "Traceback" not in said


@contextlib.asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    folder.mkdir()  # noqa: ASYNC240 - at once
    with Mosquitto() as broker:
        async with (
            FaultProxy("127.0.0.1", broker.port) as proxy,
            anyio.create_task_group() as tasks,
        ):
            bridge = House(proxy.port, folder, EXTERNAL_HOUSE)
            bridge.start()
            consumer = Consumer("pool", 900)
            tasks.start_soon(external_meter, broker.port, [SUN])
            tasks.start_soon(consumer.run, broker.port)
            try:
                found = Scene(broker, proxy, bridge, consumer)
                await found.shares(20)
                yield found
                assert bridge.process is not None
                assert bridge.process.poll() is None
                assert found.never_crashed(), "\n".join(bridge.lines)
            finally:
                assert bridge.process is not None
                bridge.process.kill()
                bridge.process.wait()
                print("\n".join(bridge.lines))  # shown when the test fails
                tasks.cancel_scope.cancel()


async def hung_broker(folder: Path) -> None:
    async with scene(folder) as it:
        it.broker.pause()
        stopped = anyio.current_time()
        try:
            await until(lambda: it.consumer.power == 0, 31, "the consumer stops")
            assert anyio.current_time() - stopped <= 30.2
            assert it.consumer.distributor == "online"  # nobody could tell it otherwise
        finally:
            it.broker.resume()
        before = len(it.consumer.history)
        await it.shares(15)
        await it.true_again(10)
        # No burst of decisions that were made for a time long gone.
        assert {watts for _, watts in it.consumer.history[before:]} <= {0.0, 900.0}
        assert len(it.consumer.history) - before < 15


async def silent_partition(folder: Path) -> None:
    async with scene(folder) as it:
        it.proxy.up.drop = it.proxy.down.drop = True
        # Keepalive is 10 s: the broker misses the bridge after 15 s and says so; age does it too.
        await until(lambda: it.consumer.power == 0, 30.5, "the consumer stops")
        await until(lambda: "is lost" in "\n".join(it.bridge.lines), 25, "the bridge notices")
        wills = await standing(it.broker.port)
        assert wills["Bridge/Status"] == wills["Actors/distributor/Status"] == b"offline"
        it.proxy.up.drop = it.proxy.down.drop = False
        await it.shares(12)
        await it.true_again(10)
        said = [line for line in it.bridge.lines if "is lost" in line or "is back" in line]
        assert len(said) == 2


async def slow_link(folder: Path) -> None:
    async with scene(folder) as it:
        it.proxy.up.delay = it.proxy.down.delay = 1.0
        begun = len(it.consumer.history)
        await anyio.sleep(12)
        # Two seconds a round trip is late but not silent: nothing is taken away.
        assert {watts for _, watts in it.consumer.history[begun:]} == {900.0}
        # A value passes the link five times (meter, device, site, distributor, consumer): with 2 s
        # each way the meter is silent for longer than its 8 s while the delay sets in, not after.
        it.proxy.up.delay = it.proxy.down.delay = 2.0
        await anyio.sleep(12)
        await it.shares(15)
        it.consumer.request = 700
        await until(lambda: it.consumer.power == 700, 20, "a change is followed")
        assert not [line for line in it.bridge.lines if "the broker" in line and "lost" in line]


async def test_the_link_to_the_broker(tmp_path: Path) -> None:
    """Three houses side by side, each with its own broker: the waiting is done once."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hung_broker, tmp_path / "hung")
        tasks.start_soon(silent_partition, tmp_path / "silent")
        tasks.start_soon(slow_link, tmp_path / "slow")


async def test_a_reset_link_is_back_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path / "reset") as it:
        for _ in range(3):
            it.proxy.reset()
            await anyio.sleep(0.2)
            await it.true_again(10)
        it.proxy.refuse = True
        it.proxy.cut()
        await anyio.sleep(2)
        it.proxy.refuse = False
        await it.true_again(12)
