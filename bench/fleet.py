"""Fifty simulated inverters, each polled every second by one process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import anyio

from bench.house import clock, player
from bench.inverters import KIND
from bench.table import Row
from bridge.config.kinds import find_kind
from bridge.modbus.link import LinkSpec, links
from bridge.modbus.registers import Registers
from bridge.modbus.tcp import TcpWire
from bridge.registers import find_map
from bridge.registers.needed import needed
from bridge.registers.plan import plan
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

_FLEET = 50
_SECONDS = 20
_SHORT = 10
_SETTLE = 10.0
_AFTER_CONNECT = 0.1
_TABLE = find_map(find_kind(KIND).folder, None)


async def measure() -> list[Row]:
    """The engine alone and the whole bridge, against pymodbus's client reading the same blocks."""
    with _inverters() as ports:
        bare, _ = await _polled([await _bare(port) for port in ports])
        engine, requests = await _polled([_engine(port) for port in ports])
        with Mosquitto() as broker:
            seen = await _bridge(broker.port, ports)
    name = f"{_FLEET} inverters a second"
    reference = f"{bare:.1f} %"
    return [
        Row(f"{name}: read, decoded", f"{engine:.1f} % CPU", reference, f"{engine / bare:.1f}"),
        Row(
            f"{name}: run, with MQTT", f"{seen.cpu:.1f} % CPU", reference, f"{seen.cpu / bare:.1f}"
        ),
        Row(f"{name}: requests", f"{requests / _SHORT:.0f}/s"),
        Row(f"{name}: memory (RSS)", f"{seen.memory:.0f} MiB"),
        Row(f"{name}: missed ticks", f"{seen.missed} of {seen.ticks}", reach="0"),
        Row(f"{name}: longest pause", f"{seen.longest:.2f} s", reach="< 2 s"),
    ]


@contextlib.contextmanager
def _inverters() -> Iterator[list[int]]:
    command = [sys.executable, "-m", "bench.inverters", str(_FLEET)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        if child.stdin is None or child.stdout is None:
            raise SystemExit("the simulators have no pipes")
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.stdin.close()
            child.wait(20)


# -------------------------------------------------------------------------------- in this process


async def _polled(polls: list[Callable[[], Awaitable[int]]]) -> tuple[float, int]:
    """Poll each second in this process; % of one CPU, and how many requests that took."""
    sent = 0

    async def each(index: int) -> None:
        nonlocal sent
        await anyio.sleep(index / _FLEET)
        for _ in range(_SHORT):
            due = anyio.current_time() + 1
            count = await polls[index]()
            sent += count
            await anyio.sleep_until(due)

    async with anyio.create_task_group() as tasks:
        for poll in polls:
            tasks.start_soon(poll)  # connections, and what is read once
    used, begun = time.process_time(), clock()
    async with anyio.create_task_group() as tasks:
        for index in range(_FLEET):
            tasks.start_soon(each, index)
    return 100 * (time.process_time() - used) / (clock() - begun), sent


def _engine(port: int) -> Callable[[], Awaitable[int]]:
    spec = LinkSpec(transport="modbus", host="127.0.0.1", port=port)
    wire = TcpWire("127.0.0.1", port)
    registers = Registers(_TABLE, links().acquire(spec, lambda: wire, _TABLE.pacing))

    async def poll() -> int:
        before = registers.requests
        await registers.poll()
        if registers.quantities()["PvPower"] is None:
            raise SystemExit("the simulated inverters give no PvPower")
        return registers.requests - before

    return poll


async def _bare(port: int) -> Callable[[], Awaitable[int]]:
    """The same blocks by pymodbus's own client, with nothing done to the words."""
    from pymodbus.client import AsyncModbusTcpClient

    blocks = plan(needed(_TABLE)["fast"], _TABLE.limits)
    client = AsyncModbusTcpClient("127.0.0.1", port=port, reconnect_delay=0)
    await client.connect()
    await anyio.sleep(_AFTER_CONNECT)

    async def poll() -> int:
        for block in blocks:
            answer = await client.read_holding_registers(
                block.address, count=block.count, device_id=1
            )
            if len(answer.registers) != block.count:
                raise SystemExit("pymodbus gives too few words")
            await anyio.sleep(_TABLE.pacing.between)
        return len(blocks)

    return poll


# -------------------------------------------------------------------------------- the whole bridge


class _Seen:
    """What was seen of a bridge: % of one CPU, MiB, readings, and s between two of a device."""

    def __init__(self, cpu: float, memory: float, states: dict[str, list[float]]) -> None:
        self.cpu, self.memory = cpu, memory
        gaps = [later - one for seen in states.values() for one, later in pairwise(seen)]
        silent = _FLEET - len(states)
        self.longest = max(gaps, default=float("inf"))
        late = sum(round(seen[-1] - seen[0]) + 1 - len(seen) for seen in states.values())
        self.missed = late + _SECONDS * silent
        self.ticks = sum(map(len, states.values())) + self.missed


async def _bridge(broker: int, ports: list[int]) -> _Seen:
    section = {"kind": KIND, "host": "127.0.0.1", "interval": 1, "connect_delay": _AFTER_CONNECT}
    config = {
        "base": "bench",
        "broker": {"url": f"mqtt://127.0.0.1:{broker}"},
        "actors": {f"i{index:02}": section | {"port": port} for index, port in enumerate(ports)},
    }
    with _running(config) as child:
        async with player(broker) as one:
            wanted = [f"bench/Devices/i{index:02}/State" for index in range(_FLEET)]
            await one.until_true(lambda: all(topic in one.latest for topic in wanted), 60)
        await anyio.sleep(_SETTLE)
        states: dict[str, list[float]] = {}
        async with _listening(broker, states):
            used, begun = _cpu(child.pid), clock()
            await anyio.sleep(_SECONDS)
            cpu = 100 * (_cpu(child.pid) - used) / (clock() - begun)
        return _Seen(cpu, _rss(child.pid), states)


@contextlib.contextmanager
def _running(config: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """`heliograph run`; JSON is YAML."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.yaml")
        path.write_text(json.dumps(config | {"state": folder}), encoding="utf-8")
        command = [sys.executable, "-m", "bridge", "run", "--config", str(path)]
        child = subprocess.Popen([*command, "--log-level", "warning"])
        try:
            yield child
        finally:
            child.terminate()
            child.wait(20)


@contextlib.asynccontextmanager
async def _listening(broker: int, states: dict[str, list[float]]) -> AsyncIterator[None]:
    """Note when each device's readings arrive."""

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if not message.retain:
                states.setdefault(message.topic.value.split("/")[2], []).append(clock())

    async with aiomqtt.Client("127.0.0.1", broker) as client, anyio.create_task_group() as tasks:
        await client.subscribe("bench/Devices/+/State", qos=0)
        tasks.start_soon(listen, client)
        yield
        tasks.cancel_scope.cancel()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
