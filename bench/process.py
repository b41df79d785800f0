"""Start-up, memory, and the way back after the broker was killed."""

from __future__ import annotations

import os
from pathlib import Path

import anyio

from bench.house import bridge, clock, player
from bench.table import Row
from bridge.config.kinds import find_kind
from tests.support.mosquitto import Mosquitto

_SETTLE = 8.0


async def measure(_rounds: int) -> list[Row]:
    """With a real meter actor that polls a simulator over HTTP."""
    simulator = find_kind("shelly").simulator()
    if simulator is None:
        raise SystemExit("the shelly kind has lost its simulator")
    rows: list[Row] = []
    with Mosquitto() as broker:
        async with simulator.Simulator(model="pro3em", port=0) as meter:
            section = f"{{kind: shelly, host: 127.0.0.1, port: {meter.port}, interval: 1}}"
            begun = clock()
            with bridge(broker.port, section, discovery=True) as child:
                async with player(broker.port) as one:
                    await one.until_true(lambda: "bench/Devices/meter/GridPower" in one.latest)
                    rows.append(
                        Row("start -> first value", f"{clock() - begun:.2f} s", reach="< 1 s")
                    )
                    await one.request("c0", IsAutomatic="true", Request=100)
                    await anyio.sleep(_SETTLE)
                    rows.append(Row("memory (RSS)", f"{_rss(child.pid):.1f} MiB", reach="<= 45 MB"))
                rows.append(await _broker_back(broker))
    return rows


def _rss(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _broker_back(broker: Mosquitto) -> Row:
    """Killed, and started again without anything retained."""
    broker.kill()
    await anyio.sleep(2)
    broker.start()
    begun = clock()
    wanted = {
        "bench/Bridge/Status": b"online",
        "bench/Actors/distributor/Status": b"online",
        "bench/Actors/meter/Status": b"online",
        "bench/Devices/meter/Status": b"online",
        "bench/Requests/c0/Allowance": None,
        "homeassistant/device/bench_meter/config": None,
        "homeassistant/device/bench_request_c0/config": None,
    }
    async with player(broker.port) as one:
        await one.client.subscribe("homeassistant/#", qos=1)
        await one.until_true(
            lambda: all(
                topic in one.latest and payload in (None, one.latest[topic])
                for topic, payload in wanted.items()
            )
        )
    took = clock() - begun
    return Row("broker back -> all true again", f"{took:.2f} s", reach="<= 3 s")
