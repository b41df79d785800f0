"""Starting, stopping, crashing, reloading, and the company of a second bridge."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.e2e.house import EXTERNAL_HOUSE, house
from tests.support.mosquitto import Mosquitto, free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_kill_9_turns_everything_offline(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes):
        for topic in ("Bridge/Status", "Actors/site/Status", "Actors/meter/Status"):
            await eyes.until(topic, "online", 10)
        await bridge.end(signal.SIGKILL)
        for topic in ("Bridge/Status", "Actors/site/Status", "Actors/meter/Status"):
            await eyes.until(topic, "offline", 5)
        await eyes.until("Actors/distributor/Status", "offline", 5)


async def test_after_a_crash_allowances_stand_for_one_ttl_at_most(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes):
        await eyes.publish("Devices/meter/GridPower", "-2000")
        await eyes.request("pool", IsAutomatic="true", Request=900, Consumption=0)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        await bridge.end(signal.SIGKILL)
        eyes.forget()
        bridge.start()
        await eyes.until("Actors/distributor/Status", lambda text: text == "online", 10)
        begun = anyio.current_time()
        await anyio.sleep(3)
        assert b"0" not in eyes.history("Requests/pool/Allowance")
        await eyes.until("Requests/pool/Allowance", "0", 35)
        assert anyio.current_time() - begun <= 32


async def test_a_second_bridge_says_so_and_leaves(mosquitto: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    async with house(mosquitto.port, tmp_path) as (_, eyes):
        await eyes.until("Bridge/Status", "online", 5)
        async with house(mosquitto.port, tmp_path / "two", start=False) as (second, _):
            second.start()
            assert await second.ended(15) == 3
            assert any("another bridge already runs" in line for line in second.lines)
            assert not any("actors under" in line for line in second.lines)
        assert eyes.text("Bridge/Status") == "online"
        assert eyes.text("Actors/meter/Status") == "online"


async def test_two_bridges_started_together_become_one(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    async with (
        house(mosquitto.port, tmp_path, start=False) as (one, eyes),
        house(mosquitto.port, tmp_path / "two", start=False) as (two, _),
    ):
        one.start()
        two.start()

        def codes() -> list[int | None]:
            return [each.process.poll() for each in (one, two) if each.process]

        with anyio.fail_after(30):
            while codes().count(3) != 1:  # noqa: ASYNC110 - a process has no event to wait for
                await anyio.sleep(0.1)
        await anyio.sleep(3)
        assert codes().count(None) == 1
        await eyes.until("Bridge/Status", "online", 10)
        await eyes.until("Actors/distributor/Status", "online", 10)


async def test_sighup_takes_a_good_file_and_keeps_the_old_one_for_a_bad(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with house(mosquitto.port, tmp_path) as (bridge, eyes):
        await eyes.until("Actors/meter/Status", "online", 5)
        assert any("actors under 'heliograph' on mqtt://127.0.0.1" in line for line in bridge.lines)
        bridge.write(EXTERNAL_HOUSE + "  roof: {kind: external}\n")
        bridge.tell(signal.SIGHUP)
        await eyes.until("Actors/roof/Status", "online", 5)
        assert eyes.history("Actors/meter/Status") == [b"online"]
        bridge.write(EXTERNAL_HOUSE + "  roof: {kind: externl}\n  x: {kind: shelly}\n")
        bridge.tell(signal.SIGHUP)
        with anyio.fail_after(5):
            while "goes on with the one it has" not in "".join(bridge.lines):  # noqa: ASYNC110 - a file
                await anyio.sleep(0.05)
        said = "\n".join(bridge.lines)
        assert "house.yaml:7: " in said
        assert "house.yaml:8: " in said
        assert eyes.text("Actors/roof/Status") == "online"
        bridge.write(EXTERNAL_HOUSE)
        bridge.tell(signal.SIGHUP)
        await eyes.until("Actors/roof/Status", "offline", 5)
        assert eyes.history("Actors/meter/Status") == [b"online"]


async def test_it_stays_up_without_a_broker_and_finds_it_later(tmp_path: Path) -> None:
    port = free_port()
    with Mosquitto(port=port) as broker:
        broker.stop()
        from tests.e2e.house import House

        bridge = House(port, tmp_path, EXTERNAL_HOUSE)
        bridge.start()
        for _ in range(300):
            if any("is not there yet: nobody listens there" in line for line in bridge.lines):
                break
            await anyio.sleep(0.1)
        else:
            pytest.fail("nobody was told that there is no broker")
        assert bridge.process is not None
        assert bridge.process.poll() is None
        broker.start()
        async with house(port, tmp_path, start=False) as (_, eyes):
            await eyes.until("Actors/distributor/Status", "online", 15)
        assert await bridge.end() == 0


async def test_sigterm_before_there_is_a_broker_ends_cleanly(tmp_path: Path) -> None:
    from tests.e2e.house import House

    bridge = House(free_port(), tmp_path, EXTERNAL_HOUSE)
    bridge.start()
    await anyio.sleep(1.5)
    assert await bridge.end() == 0


@pytest.mark.parametrize("kill", [False, True])
async def test_a_broker_that_comes_back_empty_is_told_everything_again(
    mosquitto: Mosquitto, tmp_path: Path, *, kill: bool
) -> None:
    async with house(mosquitto.port, tmp_path) as (_, eyes), anyio.create_task_group() as tasks:
        tasks.start_soon(eyes.keep_meter, [-2000.0])
        await eyes.request("pool", IsAutomatic="true", Request=900, Consumption=0)
        await eyes.until("Requests/pool/Allowance", "900", 5)
        mosquitto.restart(kill=kill)
        eyes.forget()
        for topic in ("Bridge/Status", "Actors/meter/Status", "Actors/distributor/Status"):
            await eyes.until(topic, "online", 8)
        await eyes.until("Requests/pool/Allowance", "900", 8)
        await eyes.until("Bridge/Info", True, 3)
        await eyes.until("Actors/meter/Health", True, 3)
        tasks.cancel_scope.cancel()


async def test_a_config_with_errors_names_each_with_its_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("site: {grid: meter}\nactors:\n  meter: {kind: externl}\n  x: {hosst: 1}\n")
    command = [sys.executable, "-m", "bridge", "run", "--config", str(bad)]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)  # noqa: ASYNC221
    said = done.stderr.decode()
    assert done.returncode == 2
    assert "bad.yaml:3: " in said
    assert "bad.yaml:4: " in said
    assert "Traceback" not in said
