"""Values bridged per second by one process, against a bare aiomqtt publisher."""

from __future__ import annotations

import tempfile
from pathlib import Path

import aiomqtt
import anyio

from bench.echo import NODELAY
from bench.house import clock
from bench.table import Row
from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.device import Device
from bridge.mqtt import Endpoint
from tests.support.mosquitto import Mosquitto

_VALUES = 20_000
_NAMES = (
    "GridPower",
    *(f"Grid{what}L{phase}" for what in ("Power", "Voltage", "Current") for phase in (1, 2, 3)),
)


async def measure(_rounds: int) -> list[Row]:
    """Ten changing quantities per reading, each a topic of its own, and then `State`."""
    with Mosquitto() as broker:
        bare = await _bare(broker.port)
        ours = await _ours(broker.port)
    return [
        Row(
            "values bridged per second",
            f"{ours:,.0f}/s",
            f"{bare:,.0f}/s",
            f"{ours / bare:.2f}",
            ">= 0.7",
        )
    ]


async def _bare(port: int) -> float:
    async with aiomqtt.Client("127.0.0.1", port, socket_options=NODELAY) as client:
        begun = clock()
        for index in range(_VALUES):
            name = _NAMES[index % len(_NAMES)]
            await client.publish(f"bare/Devices/meter/{name}", str(index % 997), retain=True)
        return _VALUES / (clock() - begun)


class _Meter(Device):
    kind = "bench"
    quantities = _NAMES


async def _ours(port: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        endpoint = Endpoint("127.0.0.1", port)
        context = Context(
            "meter", None, Config(state=Path(folder)), load_contract(), endpoint, Clock()
        )
        meter = _Meter(context)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(meter.bus.run)
            await meter.bus.connection.connected.wait()
            begun = clock()
            for index in range(_VALUES // len(_NAMES)):
                await meter.reading({name: float((index + 1) % 97) for name in _NAMES})
            await meter.bus.connection.flush(10)
            took = clock() - begun
            tasks.cancel_scope.cancel()
    return _VALUES / took
