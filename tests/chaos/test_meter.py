"""A meter that fails in one way or another: every allowance is 0 within 10 s, and comes back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.devices.shelly.sim import Simulator
from tests.chaos.parts import ACTORS, SHELLY_HOUSE, Consumer, standing, until
from tests.e2e.house import House
from tests.support.mosquitto import Mosquitto
from tests.support.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]
SUN = -2000.0
LIMIT = 10.0


class Scene:
    """A broker, a Shelly behind a proxy, a bridge and a consumer."""

    def __init__(self, sim: Simulator, proxy: FaultProxy, consumer: Consumer, port: int) -> None:
        self.sim, self.proxy, self.consumer, self.port = sim, proxy, consumer, port

    async def is_shared(self, limit: float) -> None:
        await until(lambda: self.consumer.power == 900, limit, "the consumer gets 900 W")


@contextlib.asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    folder.mkdir()  # noqa: ASYNC240 - at once
    with Mosquitto() as broker:
        async with (
            Simulator(power=[SUN, 0, 0]) as sim,
            FaultProxy("127.0.0.1", sim.port) as proxy,
            anyio.create_task_group() as tasks,
        ):
            bridge = House(broker.port, folder, SHELLY_HOUSE.format(port=proxy.port))
            bridge.start()
            consumer = Consumer("pool", 900)

            def balanced() -> list[float]:
                return [SUN + consumer.power, 0, 0]

            sim.power = balanced
            tasks.start_soon(consumer.run, broker.port)
            try:
                found = Scene(sim, proxy, consumer, broker.port)
                await found.is_shared(20)
                yield found
                for name in ACTORS:
                    held = await standing(broker.port)
                    assert held[f"Actors/{name}/Status"] == b"online"
                assert "crashed" not in "\n".join(bridge.lines)
            finally:
                assert bridge.process is not None
                bridge.process.kill()
                bridge.process.wait()
                print("\n".join(bridge.lines))  # shown when the test fails
                tasks.cancel_scope.cancel()


async def fails(
    folder: Path, begin: Callable[[Scene], object], end: Callable[[Scene], object]
) -> None:
    async with scene(folder) as it:
        before = len(it.consumer.history)
        begin(it)
        took = await until(lambda: it.consumer.power == 0, LIMIT + 1, "the allowance ends")
        assert took <= LIMIT
        # It was told so; that it would have noticed by itself after 30 s does not count here.
        assert it.consumer.history[-1][1] == 0
        reason = (await standing(it.port))["Requests/pool/Reason"].decode()
        assert "meter" in reason
        await anyio.sleep(2)
        assert it.consumer.power == 0
        assert {watts for _, watts in it.consumer.history[before:]} <= {900.0, 0.0}
        end(it)
        await it.is_shared(20)
        assert (await standing(it.port))["Devices/meter/Status"] == b"online"


def fault(name: str | None) -> Callable[[Scene], None]:
    def switch(it: Scene) -> None:
        it.sim.fault = name

    return switch


def stall(on: bool) -> Callable[[Scene], None]:
    def switch(it: Scene) -> None:
        it.proxy.down.stall = on

    return switch


def refuse(it: Scene) -> None:
    it.proxy.refuse = True
    it.proxy.reset()


def accept(it: Scene) -> None:
    it.proxy.refuse = False


def flip(it: Scene) -> None:
    it.proxy.down.flip_every = 7


def straight(it: Scene) -> None:
    it.proxy.down.flip_every = None


FAILURES = {
    "hang": (fault("stall"), fault(None)),
    "silent link": (stall(True), stall(False)),
    "rubbish": (fault("rubbish"), fault(None)),
    "memory": (fault("memory"), fault(None)),
    "flipped bits": (flip, straight),
    "reset": (fault("reset"), fault(None)),
    "refused": (refuse, accept),
}


@pytest.mark.parametrize("group", [tuple(FAILURES)[:4], tuple(FAILURES)[4:]], ids=" + ".join)
async def test_a_meter_that_fails(tmp_path: Path, group: tuple[str, ...]) -> None:
    """A few houses side by side, each with its own failure: the waiting is done once."""
    async with anyio.create_task_group() as tasks:
        for name in group:
            tasks.start_soon(
                fails, tmp_path / name.replace(" ", "_"), *FAILURES[name], name=f"meter {name}"
            )
