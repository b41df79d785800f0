"""Devices made of registers: fifty of them each second, what a register costs, how few requests."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from bench.house import clock, player
from bench.inverters import KIND
from bench.table import Row
from bridge.config.kinds import find_kind
from bridge.modbus.link import LinkSpec, links
from bridge.modbus.registers import Registers
from bridge.modbus.tcp import TcpWire
from bridge.registers import find_map
from bridge.registers.codec import decode, encode
from bridge.registers.model import NUMBERS
from bridge.registers.needed import needed
from bridge.registers.plan import bound, plan
from tests.registers.tables import NAMES, table
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from bridge.registers import RegisterMap
    from bridge.registers.model import Register

_FLEET = 50
_SECONDS = 20
_SHORT = 10
_SETTLE = 10.0
_ROUNDS = 300
_LATE = 1.5
_CODES = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "f32": "f"}


async def measure(_rounds: int) -> list[Row]:
    """Everything about registers."""
    rows = await _fleet()
    sun2000 = find_map(find_kind(KIND).folder, None)
    return [*rows, *_codec(sun2000), *_requests()]


# -------------------------------------------------------------------------------- fifty inverters


@contextlib.contextmanager
def _inverters() -> Iterator[list[int]]:
    command = [sys.executable, "-m", "bench.inverters", str(_FLEET)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.stdin.close()
            child.wait(20)


async def _fleet() -> list[Row]:
    with _inverters() as ports:
        bare, _ = await _polled(ports, _bare_poll)
        engine, requests = await _polled(ports, _engine_poll)
        with Mosquitto() as broker:
            cpu, memory, got, missed, late = await _bridge(broker.port, ports)
    name = f"{_FLEET} inverters, each second"
    return [
        Row(
            f"{name}: read and decoded", f"{engine:.0f} % CPU", f"{bare:.0f} %", _per(engine, bare)
        ),
        Row(f"{name}: requests", f"{requests / _SHORT:.0f}/s"),
        Row(f"{name}: `heliograph run`", f"{cpu:.0f} % CPU", f"{bare:.0f} %", _per(cpu, bare)),
        Row(f"{name}: memory (RSS)", f"{memory:.0f} MiB"),
        Row(f"{name}: missed ticks", f"{missed} of {got + missed}", reach="0"),
        Row(f"{name}: more than {_LATE:g} s apart", f"{late}", reach="0"),
    ]


def _per(ours: float, bare: float) -> str:
    return f"{ours / bare:.1f}"


async def _polled(
    ports: list[int], begin: Callable[[int], Awaitable[Callable[[], Awaitable[int]]]]
) -> tuple[float, int]:
    """Poll each second in this process; % of one CPU, and how many requests that took."""
    polls = [await begin(port) for port in ports]
    sent = 0

    async def each(index: int) -> None:
        nonlocal sent
        await anyio.sleep(index / _FLEET)
        for _ in range(_SHORT):
            due = anyio.current_time() + 1
            sent += await polls[index]()
            await anyio.sleep_until(due)

    for poll in polls:
        await poll()  # connections, and what is read once
    used, begun = time.process_time(), clock()
    async with anyio.create_task_group() as tasks:
        for index in range(_FLEET):
            tasks.start_soon(each, index)
    return 100 * (time.process_time() - used) / (clock() - begun), sent


async def _engine_poll(port: int) -> Callable[[], Awaitable[int]]:
    wire = TcpWire("127.0.0.1", port)
    spec = LinkSpec(transport="modbus", host="127.0.0.1", port=port)
    sun2000 = find_map(find_kind(KIND).folder, None)
    registers = Registers(sun2000, links().acquire(spec, lambda: wire, sun2000.pacing))

    async def poll() -> int:
        before = registers.requests
        await registers.poll()
        assert registers.quantities()["PvPower"] is not None
        return registers.requests - before

    return poll


async def _bare_poll(port: int) -> Callable[[], Awaitable[int]]:
    """The same blocks by pymodbus's own client, with nothing done to the words."""
    from pymodbus.client import AsyncModbusTcpClient

    sun2000 = find_map(find_kind(KIND).folder, None)
    blocks = plan(needed(sun2000)["fast"], sun2000.limits)
    client = AsyncModbusTcpClient("127.0.0.1", port=port, reconnect_delay=0)
    await client.connect()
    await anyio.sleep(sun2000.pacing.after_connect / _FLEET)

    async def poll() -> int:
        for block in blocks:
            answer = await client.read_holding_registers(
                block.address, count=block.count, device_id=1
            )
            assert len(answer.registers) == block.count
            await anyio.sleep(sun2000.pacing.between)
        return len(blocks)

    return poll


async def _bridge(broker: int, ports: list[int]) -> tuple[float, float, int, int, int]:
    """% CPU, MiB, readings that came and that did not, and gaps between them."""
    actors = {
        f"i{index:02}": {
            "kind": KIND,
            "host": "127.0.0.1",
            "port": port,
            "interval": 1,
            "connect_delay": 0.1,
        }
        for index, port in enumerate(ports)
    }
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "bench.yaml")  # JSON is YAML
        broker_section = {"url": f"mqtt://127.0.0.1:{broker}"}
        config.write_text(
            json.dumps(
                {"base": "bench", "broker": broker_section, "state": folder, "actors": actors}
            ),
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "bridge", "run", "--config", str(config)]
        child = subprocess.Popen([*command, "--log-level", "warning"])
        try:
            return await _watched(broker, child.pid)
        finally:
            child.terminate()
            child.wait(20)


async def _watched(broker: int, pid: int) -> tuple[float, float, int, int, int]:
    states: dict[str, list[float]] = {}
    async with player(broker) as one:
        wanted = [f"bench/Devices/i{index:02}/State" for index in range(_FLEET)]
        await one.until_true(lambda: all(topic in one.latest for topic in wanted), 60)
        await anyio.sleep(_SETTLE)
    async with _listening(broker, states):
        used, begun = _cpu(pid), clock()
        await anyio.sleep(_SECONDS)
        cpu = 100 * (_cpu(pid) - used) / (clock() - begun)
        memory = _rss(pid)
    got = sum(map(len, states.values()))
    missed = sum(max(0, _SECONDS - len(states.get(f"i{i:02}", []))) for i in range(_FLEET))
    gaps = [later - one for seen in states.values() for one, later in pairwise(seen)]
    return cpu, memory, got, missed, sum(gap > _LATE for gap in gaps)


@contextlib.asynccontextmanager
async def _listening(broker: int, states: dict[str, list[float]]) -> Any:
    """Note when each device's readings arrive."""
    import aiomqtt

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


# -------------------------------------------------------------------------------- one register


def _codec(sun2000: RegisterMap) -> list[Row]:
    polled = needed(sun2000)
    rows = [row for each in ("fast", "slow", "once") for row in polled[each]]
    rows = [row for row in rows if row.type in _CODES]
    words = {place: 7 + place % 50 for row in rows for place in row.places}
    ours = _each(len(rows), lambda: [decode(row, words) for row in rows])
    packed = b"".join(_packed(row, words) for row in rows)
    plain = struct.Struct(">" + "".join(_CODES[row.type] for row in rows))
    bare = _each(len(rows), lambda: plain.unpack(packed))
    singly = [(struct.Struct(">" + _CODES[row.type]), _packed(row, words)) for row in rows]
    one = _each(len(rows), lambda: [code.unpack(data) for code, data in singly])
    writable = [
        row
        for row in sun2000.registers
        if row.type in NUMBERS and "W" in row.access and row.range and row.mask is None
    ]
    values = [
        (row, row.range[0] + (row.range[1] - row.range[0]) / 2) for row in writable if row.range
    ]
    values = [(row, float(round(value))) for row, value in values if not row.enum]
    told = _each(len(values), lambda: [encode(row, value) for row, value in values])
    packs = [(struct.Struct(">" + _CODES[row.type]), int(value)) for row, value in values]
    pack = _each(len(values), lambda: [code.pack(value) for code, value in packs])
    return [
        Row("decode a register", f"{ours:.2f} µs", f"{one:.2f} µs", f"{ours / one:.1f}"),
        Row(
            "decode, against one unpack of all",
            f"{ours:.2f} µs",
            f"{bare:.3f} µs",
            f"{ours / bare:.0f}",
        ),
        Row("encode a value", f"{told:.2f} µs", f"{pack:.2f} µs", f"{told / pack:.1f}"),
    ]


def _packed(row: Register, words: dict[int, int]) -> bytes:
    return b"".join(words[place].to_bytes(2, "big") for place in row.places)


def _each(count: int, work: Callable[[], object]) -> float:
    """µs for one of `count` things that `work` does, the best of several tries."""
    best = float("inf")
    for _ in range(5):
        begun = clock()
        for _ in range(_ROUNDS):
            work()
        best = min(best, clock() - begun)
    return best / _ROUNDS / count * 1e6


# -------------------------------------------------------------------------------- requests


def _requests() -> list[Row]:
    """A poll of everything that is read regularly, of every table in the tree."""
    rows = []
    for name in NAMES:
        found = table(name)
        polled = needed(found)
        regular = [row for each in ("fast", "slow", "once") for row in polled[each]]
        fast = len(plan(polled["fast"], found.limits))
        if not regular:
            continue
        requests = len(plan(regular, found.limits))
        words = sum(row.words for row in regular)
        rows.append(
            Row(
                f"requests: {name} ({words} words)",
                f"{requests} ({fast} each poll)",
                f"{len(regular)}",
                f"{requests / len(regular):.2f}",
                f"<= {bound(regular, found.limits)}",
            )
        )
    return rows
