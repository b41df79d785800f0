"""`heliograph set` and a bridge on one device: who holds it, and what a killed one leaves."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from actors._template.sim import Simulator
from bridge.daily import Journal
from bridge.log import get_logger
from bridge.state import StateFolder
from tests.cli.command import line_of, told
from tests.cli.test_read import simulator
from tests.runtime.links import endpoint, link

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator

    from tests.cli.command import Commands
    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.slow
CLOCK = {62, 63, 64}
SET = ("set", "ess", "PvLimit", "1500", "--for", "600")


def last(them: Link, address: str) -> str:
    found = them.payloads(f"heliograph/{address}")
    return found[-1].decode() if found else ""


@contextlib.asynccontextmanager
async def bridge(
    heliograph: Commands, port: int, *, wanted: str = "online"
) -> AsyncIterator[tuple[subprocess.Popen[str], Link]]:
    async with link(endpoint(port), "eyes", filters=("heliograph/#",)) as them:
        process = heliograph.start("run")
        await them.until(lambda: last(them, "Bridge/Status") == "online", 15)
        await them.until(lambda: last(them, "Actors/ess/Status") == wanted, 15)
        yield process, them


async def test_a_killed_set_is_given_back_by_the_next_start_of_a_bridge(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    async with Simulator(power=4000.0, watchdog=1e9) as sim:
        heliograph.configure(sim.port, broker=mosquitto.port)
        process = heliograph.start(*SET)
        await line_of(process)
        process.kill()
        process.wait()
        assert sim.limit == 1500
        async with bridge(heliograph, mosquitto.port) as (running, them):
            # The device has it back a moment before that is noted.
            held = heliograph.state / "ess" / "leases.json"
            await them.until(lambda: json.loads(held.read_text()) == {"held": []}, 10)
            assert sim.limit is None
            assert (await told(running, signal.SIGTERM))[0] == 0


async def test_a_killed_set_on_registers_is_given_back_to_the_word(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    async with simulator("deye") as sim:
        heliograph.configure(sim.port, kind="deye", broker=mosquitto.port)
        before = {number: dict(unit.words) for number, unit in sim.bank.units.items()}
        writable = {number: unit.writable for number, unit in sim.bank.units.items()}

        def changed() -> set[int]:
            return {
                place
                for number, unit in sim.bank.units.items()
                for place in writable[number]
                if unit.words[place] != before[number][place]
            }

        process = heliograph.start("set", "ess", "BatterySetpoint", "800", "--for", "600")
        await line_of(process)
        process.kill()
        process.wait()
        assert changed()
        async with bridge(heliograph, mosquitto.port) as (running, them):
            held = heliograph.state / "ess" / "leases.json"
            await them.until(lambda: json.loads(held.read_text()) == {"held": []}, 15)
            assert changed() - CLOCK == set()
            assert (await told(running, signal.SIGTERM))[0] == 0


async def test_a_running_bridge_holds_its_device_through_reload_and_crash(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    heliograph.change(
        '        found = await self.client.get("/status")\n',
        '        found = await self.client.get("/status")\n'
        '        if found["power_w"] == 666:\n'
        '            raise RuntimeError("a fault in its code")\n',
    )
    async with Simulator(power=4000.0) as sim:
        heliograph.configure(sim.port, broker=mosquitto.port)
        async with bridge(heliograph, mosquitto.port) as (running, them):
            held = (
                f"ess is held by the running bridge (process {running.pid}): publish on "
                "heliograph/Devices/ess/PvLimit/Set instead\n"
            )
            assert await heliograph.run(*SET) == (1, "", held)

            text = heliograph.config.read_text().replace("interval: 0.2", "interval: 0.3")
            heliograph.config.write_text(text)
            them.got.clear()
            running.send_signal(signal.SIGHUP)
            await them.until(lambda: last(them, "Actors/ess/Status") == "offline")
            await them.until(lambda: last(them, "Actors/ess/Status") == "online")
            assert await heliograph.run(*SET) == (1, "", held)

            sim.power = 666.0
            await them.until(lambda: '"crashed"' in last(them, "Actors/ess/Health"))
            sim.power = 4000.0
            await them.until(lambda: last(them, "Devices/ess/PvPower") == "4000")
            assert await heliograph.run(*SET) == (1, "", held)
            assert "POST /limit" not in sim.requests

            assert (await told(running, signal.SIGTERM))[0] == 0
        code, out, _ = await heliograph.run(*SET[:-1], "1")
        assert (code, out.splitlines()[-1]) == (0, "PvLimit of ess was given back")


async def test_a_bridge_waits_for_a_set_and_then_begins(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    async with Simulator(power=4000.0) as sim:
        heliograph.configure(sim.port, broker=mosquitto.port)
        process = heliograph.start(*SET)
        await line_of(process)
        async with bridge(heliograph, mosquitto.port, wanted="offline") as (running, them):
            # `Health` follows `Status`.
            await them.until(lambda: '"starting"' in last(them, "Actors/ess/Health"))
            health = json.loads(last(them, "Actors/ess/Health"))
            assert health["error"] == (
                f"ess is held by a `heliograph set` (process {process.pid}) and starts when "
                "that has ended"
            )
            await anyio.sleep(1.5)
            assert sim.limit == 1500
            assert last(them, "Devices/ess/State") == ""
            assert (await told(process, signal.SIGTERM))[0] == 0
            await them.until(lambda: last(them, "Devices/ess/PvPower") == "4000", 8)
            assert '"ok"' in last(them, "Actors/ess/Health")
            assert (await told(running, signal.SIGTERM))[0] == 0


async def test_a_bridge_works_where_its_state_cannot_be_kept(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    heliograph.state.write_text("no folder")
    async with Simulator(power=4000.0) as sim:
        heliograph.configure(sim.port, broker=mosquitto.port)
        async with bridge(heliograph, mosquitto.port) as (running, them):
            await them.until(lambda: last(them, "Devices/ess/PvPower") == "4000")
            _, _, err = await told(running, signal.SIGTERM)
            assert err.count("nobody can be kept from commanding ess too") == 1


async def test_a_start_tells_what_an_actor_that_was_removed_has_left(
    heliograph: Commands, mosquitto: Mosquitto
) -> None:
    Journal(StateFolder(heliograph.state, "old", get_logger("old"))).lent("old", "BatterySetpoint")
    async with Simulator() as sim:
        heliograph.configure(sim.port, broker=mosquitto.port)
        async with bridge(heliograph, mosquitto.port) as (running, _):
            _, _, err = await told(running, signal.SIGTERM)
    lines = [line for line in err.splitlines() if "BatterySetpoint of old" in line]
    assert len(lines) == 1
    assert "warning" in lines[0].lower()
