"""A house with a GX, a car and a guard, as its owner runs it: no setpoint outlives its reason."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.venus.venus_mqtt.sim import Simulator
from tests.e2e.house import Eyes, House, house
from tests.venus_mqtt.rig import AC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(240)]

USUAL = -10.0
GUARD = """\
  guard:
    {kind: battery_guard, battery: gx, chargers: wallbox, interval: 1, settle: 2, switch: gx-relay2}
"""
BODY = """\
site: {{grid: gx, pv: gx, battery: gx}}
actors:
  gx:
    {{kind: venus_mqtt, host: 127.0.0.1, port: {port}, interval: 0.5, silence: 5, timeout: 2,
      default_setpoint: -10}}
  wallbox: {{kind: external}}
"""
RELAY = "system/0/Relay/1/State"


async def charge(eyes: Eyes) -> None:
    """A car that draws 7 kW, told once a second."""
    while True:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        state = {"at": at, "Power": 7000, "VehicleState": "charging"}
        await eyes.publish("Devices/wallbox/State", json.dumps(state))
        await anyio.sleep(1)


async def until(condition: Callable[[], bool], limit: float = 40) -> None:
    """The simulator lives in another thread."""
    with anyio.fail_after(limit):
        while not condition():  # noqa: ASYNC110 - as said
            await anyio.sleep(0.05)


class Owner:
    """Everything that one looks at."""

    def __init__(self, sim: Simulator, bridge: House, eyes: Eyes) -> None:
        self.sim, self.bridge, self.eyes = sim, bridge, eyes

    @property
    def setpoint(self) -> Any:
        return self.sim.plant.settings[AC]

    async def guarded(self) -> None:
        """The car's part comes from the grid."""
        await until(lambda: self.setpoint > 5000)

    async def free(self, limit: float = 40) -> None:
        await until(lambda: self.setpoint == USUAL, limit)

    async def says(self, address: str, words: str, limit: float = 40) -> None:
        await self.eyes.until(address, lambda text: words in text, limit)


@contextlib.asynccontextmanager
async def living(mosquitto: Mosquitto, folder: Path) -> AsyncIterator[Owner]:
    async with Simulator(sun=0.0, load=8000.0, heartbeat=1.0) as sim:
        sim.plant.settings[AC] = USUAL
        sim.plant.settings[RELAY] = 1
        body = BODY.format(port=sim.port) + GUARD
        async with (
            house(mosquitto.port, folder, body) as (bridge, eyes),
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(charge, eyes)
            owner = Owner(sim, bridge, eyes)
            await eyes.until("Devices/gx/Status", "online", 20)
            await owner.guarded()
            yield owner
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("fault", "address", "words"),
    [
        ("null_phase", "Actors/gx/Messages/Warning", "grid phase L2 of the GX is not known"),
        ("no_grid", "Actors/guard/Messages/Warning", "grid"),
        ("texts", "Actors/gx/Health", "texts where numbers should be"),
        ("booting", "Actors/gx/Health", "knows nothing of its system yet"),
        ("gone", "Actors/gx/Health", "publishes no values of its system"),
    ],
)
async def test_what_is_not_known_ends_it_and_it_comes_back_by_itself(
    fault: str, address: str, words: str, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto, tmp_path) as owner:
        owner.sim.fault = fault
        await owner.free()
        await owner.says(address, words)
        owner.sim.fault = None
        await owner.guarded()
        assert await owner.bridge.end() == 0
        assert owner.setpoint == USUAL


async def test_without_a_state_of_charge_it_goes_on(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The grid setpoint needs powers alone; the state of charge is told as unknown."""
    async with living(mosquitto, tmp_path) as owner:
        owner.sim.fault = "no_soc"
        unknown = '"BatterySoc":null'
        await owner.says("Devices/gx/State", unknown)
        await anyio.sleep(3)
        assert owner.setpoint > 5000


async def test_a_gx_that_drops_us_gets_its_setpoint_as_soon_as_it_listens(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto, tmp_path) as owner:
        owner.sim.fault = "silence"
        await owner.eyes.until("Devices/gx/Status", "offline", 40)
        await owner.eyes.until("Devices/gx-relay2/Status", "offline", 10)
        owner.sim.fault = None
        await owner.free()
        await owner.eyes.until("Devices/gx/Status", "online", 40)
        await owner.guarded()


async def test_a_gx_that_starts_again_keeps_its_setpoint_no_longer_than_it_must(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto, tmp_path) as owner:
        await owner.sim.stop()
        await owner.eyes.until("Devices/gx/Status", "offline", 40)
        await owner.sim.start()
        await owner.free()
        await owner.guarded()


async def test_the_relay_of_the_gx_switches_the_guard(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with living(mosquitto, tmp_path) as owner:
        owner.sim.plant.settings[RELAY] = 0
        await owner.free()
        await owner.says("Actors/guard/Messages/Operational", "switched off by its owner")
        owner.sim.plant.settings[RELAY] = 1
        await owner.guarded()
        owner.sim.plant.settings[RELAY] = None
        await owner.free()
        words = "the state of the switch gx-relay2 is not known"
        await owner.says("Actors/guard/Messages/Warning", words)
        owner.sim.plant.settings[RELAY] = 1
        await owner.guarded()
        # By hand, over MQTT: the relay is the owner's (Manual).
        await owner.eyes.publish("Devices/gx-relay2/Switch/Set", "off")
        await owner.free()
        assert owner.sim.plant.settings[RELAY] == 0


async def test_kill_in_the_middle_and_the_guard_is_gone_from_the_configuration(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with living(mosquitto, tmp_path) as owner:
        await owner.bridge.end(signal.SIGKILL)
        assert owner.setpoint > 5000
        owner.eyes.forget()
        owner.bridge.write(BODY.format(port=owner.sim.port))
        owner.bridge.start()
        await owner.free(10)
        await owner.eyes.until("Devices/gx/GridSetpoint", "", 10)
        await owner.eyes.until("Devices/gx/ActiveGridSetpoint", "-10", 10)
        assert await owner.bridge.end() == 0


async def test_the_flash_is_spared_over_all_of_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A car that flickers, seen for 15 s: few writes, and none that changes nothing."""
    async with living(mosquitto, tmp_path) as owner:
        for load in (8000.0, 8100.0, 8030.0, 7990.0, 8120.0):
            owner.sim.plant.load = load
            await anyio.sleep(3)
        written = [value for path, value in owner.sim.player.written if path == AC]
        assert len(written) <= 4
        assert all(one != two for one, two in itertools.pairwise(written))
