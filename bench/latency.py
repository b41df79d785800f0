"""How long a request, or a meter value, takes to become an allowance."""

from __future__ import annotations

import subprocess
import sys

import anyio

from bench.house import Player, bridge, clock, player
from bench.table import Row, percentile
from tests.support.mosquitto import Mosquitto

_PAUSE = 0.01


async def measure(rounds: int) -> list[Row]:
    """The bare echo first, then the same two hops through the bridge."""
    rows: list[Row] = []
    with Mosquitto() as broker:
        bare = await _bare(broker.port, rounds)
        figure = _figure(bare)
        rows.append(Row("bare echo, two hops", figure, figure, "1.0"))
        for consumers, reach in ((3, "p50 <= 3x, p99 <= 25 ms"), (100, "p99 <= 50 ms")):
            with bridge(broker.port):
                async with player(broker.port) as one:
                    watts = await _prepare(one, consumers)
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(one.keep_meter, watts)
                        found = await _requests(one, rounds)
                        name = f"request -> allowance, {consumers} consumers"
                        rows.append(_row(name, found, bare, reach))
                        found = await _meter(one, rounds, watts)
                        name = f"meter -> lowered allowance, {consumers} consumers"
                        rows.append(_row(name, found, bare, reach))
                        tasks.cancel_scope.cancel()
    return rows


def _row(name: str, found: list[float], bare: list[float], reach: str) -> Row:
    ratio = percentile(found, 0.5) / percentile(bare, 0.5)
    return Row(name, _figure(found), _figure(bare), f"{ratio:.1f}", reach)


def _figure(values: list[float]) -> str:
    return (
        f"p50 {percentile(values, 0.5) * 1e3:.2f} ms, p99 {percentile(values, 0.99) * 1e3:.2f} ms"
    )


async def _bare(port: int, rounds: int) -> list[float]:
    command = [sys.executable, "-m", "bench.echo", str(port)]
    child = subprocess.Popen(command)  # noqa: ASYNC220 - our own command, started once
    try:
        async with player(port) as one:
            await one.until("bare/ready", {b"1"})
            found = []
            for index in range(rounds):
                begun = clock()
                await one.publish("bare/in", index)
                await one.until("bare/out", {str(index).encode()})
                found.append(clock() - begun)
                await anyio.sleep(_PAUSE)
            return found
    finally:
        child.terminate()
        child.wait()


async def _prepare(one: Player, consumers: int) -> list[float]:
    """Every consumer asks for 100 W of a surplus that just serves all of them."""
    watts = [-100.0 * consumers - 50]
    await one.until("bench/Actors/distributor/Status", {b"online"}, 20)
    await one.meter(watts[-1])
    for index in range(consumers):
        await one.request(
            f"c{index}", IsAutomatic="true", Consumption=0, Request=100, Priority=index
        )
    await one.until(f"bench/Requests/c{consumers - 1}/Allowance", {b"100"})
    return watts


async def _requests(one: Player, rounds: int) -> list[float]:
    """The first consumer wants nothing and then 100 W again; both ways are measured."""
    found = []
    topic = "bench/Requests/c0/Allowance"
    for index in range(rounds):
        watts = 0 if index % 2 == 0 else 100
        begun = clock()
        await one.publish("bench/Requests/c0/Request", watts)
        await one.until(topic, {str(watts).encode()})
        found.append(clock() - begun)
        await anyio.sleep(_PAUSE)
    return found


async def _meter(one: Player, rounds: int, watts: list[float]) -> list[float]:
    """100 W of sun go and come; how soon the least important consumer is told that they went."""
    found = []
    plenty = watts[-1]
    last = max(
        int(topic.split("/")[2][1:])
        for topic in one.latest
        if topic.startswith("bench/Requests/c") and topic.endswith("/Allowance")
    )
    topic = f"bench/Requests/c{last}/Allowance"
    for _ in range(rounds // 2):
        watts.append(plenty + 100)
        begun = clock()
        await one.meter(watts[-1])
        await one.until(topic, {b"0"})
        found.append(clock() - begun)
        watts.append(plenty)
        await one.meter(plenty)
        await one.until(topic, {b"100"})
        await anyio.sleep(_PAUSE)
    return found
