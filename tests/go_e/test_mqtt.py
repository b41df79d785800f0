"""The actor and a charger that publishes, on a real broker."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.chargers.go_e.sim import Simulator
from actors.chargers.go_e.simulator.publisher import Publisher
from bridge.config.kinds import find_kind
from tests.actors.kinds import last, running
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

KIND = find_kind("go_e")
ENABLE = "heliograph/Devices/dut/ChargeEnable/Set"


def settings(**more: Any) -> Any:
    given = {"api": "mqtt", "serial": "012345", "timeout": 0.6, "interval": 0.2}
    return KIND.settings()(**given | more)


@contextlib.asynccontextmanager
async def publishing(port: int, **more: Any) -> AsyncIterator[Simulator]:
    sim = Simulator(period=0.05, speed=20.0)
    publisher = Publisher(sim, f"mqtt://localhost:{port}", **more)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(publisher.run)
        yield sim
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(("slash", "results"), [(False, True), (True, False)])
async def test_it_reads_charges_and_gives_back(
    slash: bool, results: bool, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with (
        publishing(mosquitto.port, slash=slash, results=results) as sim,
        running(KIND, settings(max_current=10.0), tmp_path, mosquitto.port) as them,
    ):
        await them.until(lambda: last(them, "Devices/dut/Status") == "online")
        await them.until(lambda: sim.box.keys["frc"] == 1)
        them.connection.send(ENABLE, b"true", qos=1)
        await them.until(lambda: last(them, "Devices/dut/ChargeEnable") == "true")
        assert (sim.box.keys["frc"], sim.box.keys["amx"]) == (2, 10)
        await them.until(lambda: last(them, "Devices/dut/Power") == "6900")
        them.connection.send(ENABLE, b"", qos=1)
        await them.until(lambda: sim.box.keys["frc"] == 1)
        sim.box.unplug()
        await them.until(lambda: last(them, "Devices/dut/VehicleState") == "disconnected", 2)
    assert (sim.box.keys["frc"], sim.box.keys["amx"]) == (0, 16)


async def test_what_the_broker_has_kept_counts_for_nothing(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with link(endpoint(mosquitto.port), "old") as old:
        for key, value in {"car": "2", "nrg": "[1,1,1,1,1,1,1,1,1,1,1,9999]", "frc": "0"}.items():
            topic = f"go-eCharger/012345/{key}"
            old.connection.send(topic, value.encode(), qos=1, retain=True)
        await anyio.sleep(0.2)
        async with running(KIND, settings(), tmp_path, mosquitto.port) as them:
            await them.until(lambda: "publishes nothing" in (last(them, "Actors/dut/Health") or ""))
            assert last(them, "Devices/dut/State") is None
            # One live word: what is kept counts now, but not what was measured.
            old.connection.send("go-eCharger/012345/rbt", b"1", qos=1)
            await them.until(lambda: last(them, "Devices/dut/VehicleState") == "charging")
            assert last(them, "Devices/dut/Power") in (None, "", "null")
            nrg = b"[230,0,0,0,10,0,0,2300,0,0,0,2300]"
            old.connection.send("go-eCharger/012345/nrg", nrg, qos=1)
            await them.until(lambda: last(them, "Devices/dut/Power") == "2300")


async def test_what_others_write_is_no_sign_of_life(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port), "other") as other:
        other.connection.send("go-eCharger/012345/car", b"2", qos=1, retain=True)
        async with running(KIND, settings(), tmp_path, mosquitto.port) as them:
            for _ in range(5):
                other.connection.send("go-eCharger/012345/amp/set", b"6", qos=1)
                other.connection.send("go-eCharger/999999/car", b"2", qos=1)
                await anyio.sleep(0.1)
            await them.until(lambda: "publishes nothing" in (last(them, "Actors/dut/Health") or ""))
            assert last(them, "Devices/dut/State") is None


async def test_writing_that_is_switched_off_is_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        publishing(mosquitto.port, writable=False) as sim,
        running(KIND, settings(), tmp_path, mosquitto.port) as them,
    ):
        warning = "Actors/dut/Messages/Warning"
        await them.until(lambda: "switch writing on in the go-e app" in (last(them, warning) or ""))
        assert sim.commands == []


@pytest.mark.parametrize(
    ("fault", "says"), [("refuse", "(not now)"), ("deaf", "is writing over MQTT switched on")]
)
async def test_a_charger_that_does_not_follow(
    fault: str, says: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with publishing(mosquitto.port) as sim:
        sim.fault = fault
        async with running(KIND, settings(), tmp_path, mosquitto.port) as them:
            warning = "Actors/dut/Messages/Warning"
            await them.until(lambda: says in (last(them, warning) or ""))
            sim.fault = None
            await them.until(lambda: sim.box.keys["frc"] == 1)
            await them.until(lambda: last(them, warning) == "")
