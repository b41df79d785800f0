"""A whole bridge and a GX: `kill -9` in the middle of a setpoint."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.venus.venus_mqtt.sim import Simulator
from tests.e2e.house import house
from tests.venus_mqtt.rig import AC

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BODY = """\
site: {{grid: gx, pv: gx, battery: gx}}
actors:
  gx: {{kind: venus_mqtt, host: 127.0.0.1, port: {port}, interval: 0.5{more}}}
"""


@pytest.mark.parametrize("more", ["", ", default_setpoint: -10"])
async def test_the_default_is_back_within_ten_seconds_of_the_restart(
    more: str, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with Simulator() as sim:
        usual = -10.0 if more else 50.0
        sim.plant.settings[AC] = usual
        body = BODY.format(port=sim.port, more=more)
        async with house(mosquitto.port, tmp_path, body) as (bridge, eyes):
            await eyes.until("Devices/gx/Status", "online", 10)
            command = '{"value": 4000, "ttl": 3600, "by": "battery_guard"}'
            await eyes.publish("Devices/gx/GridSetpoint/Set", command)
            await eyes.until("Devices/gx/GridSetpoint", "3990" if more else "4000", 5)
            assert sim.plant.setpoint == 4000 + (usual if more else 0)
            await bridge.end(signal.SIGKILL)
            await anyio.sleep(0.3)
            assert sim.plant.setpoint != usual  # nobody else puts it back
            eyes.forget()
            bridge.start()
            with anyio.fail_after(10):
                while sim.plant.setpoint != usual:  # noqa: ASYNC110 - it lives in another thread
                    await anyio.sleep(0.02)
            await eyes.until("Devices/gx/GridSetpoint", "", 10)
            await bridge.end()


async def test_a_clean_stop_puts_it_back(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Simulator() as sim:
        body = BODY.format(port=sim.port, more="")
        async with house(mosquitto.port, tmp_path, body) as (bridge, eyes):
            await eyes.until("Devices/gx/Status", "online", 10)
            await eyes.publish("Devices/gx/GridSetpoint/Set", "900")
            await eyes.until("Devices/gx/GridSetpoint", "900", 5)
            assert await bridge.end() == 0
            assert sim.plant.setpoint == 50
