"""How a simulated Shelly speaks by itself: over MQTT, and over a WebSocket that it opens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio

from actors.devices.shelly.simulator.first import FirstGeneration
from actors.devices.shelly.simulator.server import delta_of
from bridge.log import get_logger
from bridge.mqtt.connection import Connection, Will

if TYPE_CHECKING:
    from actors.devices.shelly.sim import Simulator
    from bridge.mqtt import Endpoint


def frame(sim: Simulator, method: str, params: dict[str, Any], to: str) -> dict[str, Any]:
    """A notification of the device."""
    stamped = {"ts": 1795132800.0, **params}
    return {"src": sim.id, "dst": to, "method": method, "params": stamped}


async def call_home(sim: Simulator, url: str) -> None:
    """Open a WebSocket to `url`, tell everything, then what changes, until cancelled."""
    device: Any = sim.device
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(url, protocols=["json-rpc"]) as socket:
                    last = device.status()
                    await socket.send_json(frame(sim, "NotifyFullStatus", last, "ws"))
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(_tell_changes, sim, socket, last)
                        async for _ in socket:
                            pass
                        tasks.cancel_scope.cancel()
            except aiohttp.ClientError:
                pass
            await anyio.sleep(0.05)


async def _tell_changes(
    sim: Simulator, socket: aiohttp.ClientWebSocketResponse, last: dict[str, Any]
) -> None:
    device: Any = sim.device
    while not socket.closed:
        await sim.change.wait()
        status = device.status()
        delta, last = delta_of(last, status), status
        if sim.mutters:
            await socket.send_str(sim.mutters)
        elif delta:
            await socket.send_json(frame(sim, "NotifyStatus", delta, "ws"))


async def publish(sim: Simulator, endpoint: Endpoint, prefix: str, *, status: bool = False) -> None:
    """Be on a broker until cancelled. `status`: components on topics of their own, else frames."""
    connection = Connection(
        endpoint,
        f"sim-{sim.id}",
        log=get_logger("sim"),
        receive=lambda _: None,
        will=Will(f"{prefix}/online", b"false", b"true"),
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.run)
        await connection.connected.wait()
        device: Any = sim.device
        first = isinstance(device, FirstGeneration)
        last = device.page("/status", {}) if first else device.status()
        while True:
            await sim.change.wait()
            now = device.page("/status", {}) if first else device.status()
            delta, last = delta_of(last, now), now
            if sim.mutters:
                connection.send(f"{prefix}/events/rpc", sim.mutters.encode())
            elif first:
                _plain_topics(connection, prefix, now)
            elif status:
                for key in delta:
                    text = json.dumps(now.get(key) or {})
                    connection.send(f"{prefix}/status/{key}", text.encode())
            elif delta:
                told = frame(sim, "NotifyStatus", delta, f"{prefix}/events")
                connection.send(f"{prefix}/events/rpc", json.dumps(told).encode())


def _plain_topics(connection: Connection, prefix: str, status: dict[str, Any]) -> None:
    """What the first generation publishes: one text a topic."""
    names = ("power", "pf", "current", "voltage", "total", "total_returned")
    for index, each in enumerate(status.get("emeters", [])):
        for name in names:
            if name in each:
                connection.send(f"{prefix}/emeter/{index}/{name}", str(each[name]).encode())
    for index, each in enumerate(status["relays"]):
        word = b"on" if each["ison"] else b"off"
        connection.send(f"{prefix}/relay/{index}", word)
    if "emeters" not in status:
        for index, each in enumerate(status.get("meters", [])):
            connection.send(f"{prefix}/relay/{index}/power", str(each["power"]).encode())
