"""The relays of a GX over Modbus: read where the owner names them, switched where he says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from actors.devices.victron_modbus.sim import Simulator
from tests.actors.kinds import last, running, settings_for
from tests.victron_modbus.gx import KIND
from tests.victron_modbus.test_running import tell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.links import Link
    from tests.support.mosquitto import Mosquitto

SYSTEM = 100


def result(them: Link, relay: int) -> dict[str, Any]:
    text = last(them, f"Devices/dut-relay{relay}/Switch/Result") or "{}"
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


async def test_one_is_read_and_the_manual_one_is_switched(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator() as sim:
        rows = sim.bank.units[SYSTEM]
        settings = settings_for(KIND, sim, relays=(1,), manual_relays=(2,), interval=0.2)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut-relay1/Switch") == "false")
            await them.until(lambda: last(them, "Devices/dut-relay2/Switch") == "false")
            assert last(them, "Devices/dut-relay1/Status") == "online"
            assert "Relay 1 of a GX" in (last(them, "Devices/dut-relay1/Info") or "")
            rows["system_relay_0_state"] = 1
            await them.until(lambda: last(them, "Devices/dut-relay1/Switch") == "true")
            tell(them, "heliograph/Devices/dut-relay2/Switch/Set", "on")
            await them.until(lambda: result(them, 2).get("ok") is True)
            assert rows.raw("system_relay_1_state") == 1
            tell(them, "heliograph/Devices/dut-relay2/Switch/Set", "off")
            await them.until(lambda: result(them, 2).get("value") is False)
            assert rows.raw("system_relay_1_state") == 0
            # It may be for an alarm: that is not told over Modbus.
            tell(them, "heliograph/Devices/dut-relay1/Switch/Set", "off")
            await them.until(lambda: "only read" in str(result(them, 1).get("error")))
            assert rows.raw("system_relay_0_state") == 1


async def test_unasked_there_is_none(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator() as sim:
        settings = settings_for(KIND, sim)
        async with running(KIND, settings, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            await them.until(lambda: last(them, "Devices/dut/EssMode") is not None)
            assert last(them, "Devices/dut-relay1/Status") is None


@pytest.mark.parametrize("relays", [0, 3, [1, 3]])
def test_a_gx_has_two_at_most(relays: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"host": "gx", "relays": relays}, KIND.settings())
