"""SIGTERM and SIGKILL at any moment of the start and of the work."""

from __future__ import annotations

import contextlib
import json
import random
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.chaos.parts import ACTORS, Consumer, external_meter, standing, until
from tests.e2e.house import EXTERNAL_HOUSE, House
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(170)]
SUN = -2000.0
LANES = 4
TERMS, KILLS = 20, 10


def moments(count: int, seed: int) -> list[float]:
    """Seconds after the start: half of them while it starts, half while it works."""
    dice = random.Random(seed)
    return [dice.uniform(0, 1.2) if n % 2 else dice.uniform(1.2, 5) for n in range(count)]


def catches_sigterm(pid: int) -> bool:
    """Whether the process has a handler of its own by now."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


@contextlib.contextmanager
def none_left() -> Iterator[list[House]]:
    """Collects houses and leaves none of their processes behind, however the test ends."""
    houses: list[House] = []
    try:
        yield houses
    finally:
        for each in houses:
            if each.process is not None and each.process.poll() is None:
                each.process.kill()
                each.process.wait()


def begun(port: int, folder: Path, houses: list[House]) -> House:
    houses.append(House(port, folder, EXTERNAL_HOUSE))
    houses[-1].start()
    return houses[-1]


async def terminated(folder: Path, delays: list[float]) -> None:
    folder.mkdir()  # noqa: ASYNC240 - at once
    with Mosquitto() as broker, none_left() as houses:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(external_meter, broker.port, [SUN], 0.3)
            for name, watts in (("pool", 900.0), ("car", 700.0)):
                tasks.start_soon(Consumer(name, watts).run, broker.port)
            for delay in delays:
                bridge = begun(broker.port, folder, houses)
                # Before its first line Python itself ends by SIGTERM; nothing is on by then.
                assert bridge.process is not None
                await until(partial(catches_sigterm, bridge.process.pid), 10, "the first line")
                await anyio.sleep(delay)
                asked = anyio.current_time()
                what = f"SIGTERM after {delay:.3f} s"
                assert await bridge.end(signal.SIGTERM, 15) == 0, what
                assert anyio.current_time() - asked <= 15, what
                held = await standing(broker.port)
                allowances = {k: v for k, v in held.items() if k.endswith("/Allowance")}
                assert set(allowances.values()) <= {b"0"}, f"{what}: {allowances}"
                statuses = {
                    k: v
                    for k, v in held.items()
                    if k.startswith(("Actors", "Bridge/Status")) and k.endswith("Status")
                }
                assert set(statuses.values()) <= {b"offline"}, f"{what}: {statuses}"
                said = "\n".join(bridge.lines)
                assert "Traceback" not in said, f"{what}: {said}"
            tasks.cancel_scope.cancel()


async def test_sigterm_at_any_moment_leaves_nothing_on(tmp_path: Path) -> None:
    delays = moments(TERMS, 1)
    async with anyio.create_task_group() as tasks:
        for lane in range(LANES):
            tasks.start_soon(terminated, tmp_path / str(lane), delays[lane::LANES])


async def killed(folder: Path, delays: list[float]) -> None:
    folder.mkdir()  # noqa: ASYNC240 - at once
    with Mosquitto() as broker, none_left() as houses:
        async with anyio.create_task_group() as tasks:
            consumers = [Consumer("pool", 900.0), Consumer("car", 700.0), Consumer("far", 800.0)]
            for each in consumers:
                tasks.start_soon(each.run, broker.port)
            tasks.start_soon(balanced_meter, broker.port, consumers)
            for delay in delays:
                bridge = begun(broker.port, folder, houses)
                await anyio.sleep(delay)
                await bridge.end(signal.SIGKILL)
                what = f"SIGKILL after {delay:.3f} s"
                await until(lambda: told(consumers) == {"offline"}, 5, what)
                assert sum(each.power for each in consumers) == 0, what
                await starts_again(broker.port, folder, consumers, what)
            tasks.cancel_scope.cancel()


def told(consumers: list[Consumer]) -> set[str]:
    return {each.distributor for each in consumers}


async def balanced_meter(port: int, consumers: list[Consumer]) -> None:
    """What the meter sees: the sun, and what is drawn."""
    watts: list[float] = [SUN]

    async def follow() -> None:
        while True:
            watts.append(SUN + sum(each.power for each in consumers))
            await anyio.sleep(0.1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(external_meter, port, watts, 0.3)
        tasks.start_soon(follow)


async def starts_again(port: int, folder: Path, consumers: list[Consumer], what: str) -> None:
    """After a kill: statuses become true, and no more is given than there is."""
    with none_left() as houses:
        await shares_again(port, begun(port, folder, houses), consumers, what)


async def shares_again(port: int, bridge: House, consumers: list[Consumer], what: str) -> None:
    most = 0.0

    def shared() -> bool:
        nonlocal most
        most = max(most, sum(each.power for each in consumers))
        # Any two fit, whoever spoke first; a third does not.
        return sum(each.power > 0 for each in consumers) == 2

    await until(shared, 20, f"{what}: the sun is shared again")
    for _ in range(20):
        shared()
        await anyio.sleep(0.05)
    assert most <= -SUN, what
    held = await standing(port)
    wanted = {f"Actors/{name}/Status": b"online" for name in ACTORS}
    wanted["Bridge/Status"] = b"online"
    assert wanted.items() <= held.items(), what
    given = [float(v) for k, v in held.items() if k.endswith("/Allowance")]
    assert sum(given) <= -SUN, what
    for name in ACTORS:
        assert json.loads(held[f"Actors/{name}/Health"])["restarts"] == 0
    assert await bridge.end(signal.SIGTERM, 15) == 0, what


async def test_sigkill_at_any_moment_is_got_over(tmp_path: Path) -> None:
    delays = moments(KILLS, 2)
    async with anyio.create_task_group() as tasks:
        for lane in range(LANES):
            tasks.start_soon(killed, tmp_path / str(lane), delays[lane::LANES])
