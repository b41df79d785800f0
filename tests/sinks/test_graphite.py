"""The Graphite sink on a real broker, against receivers over real TCP and UDP."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from actors.sinks.graphite.actor import Settings
from bridge.config.kinds import find_kind
from tests.actors.kinds import last, running
from tests.sinks.parts import graphite
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

KIND = find_kind("graphite")
pytestmark = pytest.mark.usefixtures("quick")


def settings(port: int, **more: Any) -> Settings:
    return Settings(**{"host": "127.0.0.1", "port": port, "interval": 0.1, "timeout": 1.0, **more})


async def say(them: Link, values: dict[str, str]) -> None:
    await them.until(lambda: last(them, "Actors/dut/Messages/Operational"))
    for address, payload in values.items():
        them.connection.send(f"heliograph/{address}", payload.encode())


def health(them: Link) -> str:
    found = json.loads(last(them, "Actors/dut/Health") or "{}")
    return str(found.get("error") or found.get("state"))


def seen(lines: list[str]) -> dict[str, float]:
    found = {}
    for each in lines:
        path, value, stamp = each.split(" ")
        assert int(stamp) > 1_700_000_000
        found[path] = float(value)
    return found


HOUSE = {
    "Devices/meter/GridPower": "-1200.5",
    "Devices/meter/Status": "online",
    "Devices/plug/Switch": "on",
    "Devices/car/VehicleState": "charging",
    "Site/Pause": "false",
    "Requests/pool/Allowance": "100",
    "Requests/pool/Reason": "all of 100 W granted",
}
WANTED = {
    "heliograph.Devices.meter.GridPower": -1200.5,
    "heliograph.Devices.meter.Status": 1.0,
    "heliograph.Devices.plug.Switch": 1.0,
    "heliograph.Site.Pause": 0.0,
    "heliograph.Requests.pool.Allowance": 100.0,
}


async def test_tcp(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with graphite() as server:
        chosen = settings(server.port, words={"online": 1.0})
        async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
            await say(them, HOUSE)
            await them.until(lambda: seen(server.lines) == WANTED)
            await them.until(lambda: not list((tmp_path / "dut" / "spool").iterdir()))


async def test_udp(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.setblocking(False)
        chosen = settings(door.getsockname()[1], transport="udp", words={"online": 1.0})
        lines: list[str] = []

        def heard() -> bool:
            with contextlib.suppress(BlockingIOError):
                lines.extend(door.recv(65536).decode().splitlines())
            return seen(lines) == WANTED

        async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
            await say(them, HOUSE)
            await them.until(heard)
            assert health(them) == "ok"


async def test_nobody_listens_by_udp(tmp_path: Path, mosquitto: Mosquitto) -> None:
    chosen = settings(free_port(), transport="udp")
    async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
        await say(them, {"Devices/meter/GridPower": "1"})
        await them.until(lambda: "refuses the connection" in health(them), 6)
        assert "1 value waits" in health(them)


async def test_a_server_that_comes_later_gets_everything(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    port = free_port()
    async with running(KIND, settings(port), tmp_path, mosquitto.port) as them:
        for number in range(20):
            await say(them, {f"Devices/m{number}/GridPower": str(number)})
        await them.until(lambda: "20 values wait" in health(them), 6)
        assert "refuses the connection: does it listen on this port?" in health(them)
        async with graphite(port) as server:
            await them.until(lambda: len(seen(server.lines)) == 20, 8)
            await them.until(lambda: health(them) == "ok")


async def test_a_connection_that_is_cut_is_no_delivery(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with graphite() as server:
        server.habit = "cut"
        chosen = settings(server.port, batch=10_000, interval=0.5)
        async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
            await say(them, {f"Devices/m{number}/GridPower": str(number) for number in range(900)})
            await them.until(lambda: "values wait" in health(them), 8)
            assert server.lines == []
            server.habit = "close"
            await them.until(lambda: len(seen(server.lines)) == 900, 8)


async def test_a_receiver_that_never_closes_is_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with graphite() as server:
        server.habit = "keep"
        chosen = settings(server.port, timeout=0.2)
        async with running(KIND, chosen, tmp_path, mosquitto.port) as them:
            await say(them, {"Devices/meter/GridPower": "1"})
            await them.until(lambda: "close the connection within 0.2 s" in health(them), 6)


async def test_a_name_that_nobody_knows(tmp_path: Path, mosquitto: Mosquitto) -> None:
    for transport in ("tcp", "udp"):
        chosen = settings(2003, host="no-such-host.invalid", transport=transport, timeout=5)
        async with running(KIND, chosen, tmp_path / transport, mosquitto.port) as them:
            await say(them, {"Devices/meter/GridPower": "1"})
            await them.until(lambda: "its name is not known" in health(them), 8)
