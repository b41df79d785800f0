"""The actor against the simulator: what it reads, what it writes and puts back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from actors.chargers.go_e.sim import SETTINGS, Simulator
from bridge.charging.model import GIVE_BACK, ChargerWish
from bridge.config.kinds import find_kind
from bridge.errors import DeviceError, DeviceRefused, DeviceTimeout
from tests.actors.kinds import last, make, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.chargers.go_e.actor import GoE
    from tests.support.mosquitto import Mosquitto

KIND = find_kind("go_e")


def settings(sim: Simulator, **more: Any) -> Any:
    given = {"host": sim.host, "port": sim.port, **SETTINGS, "timeout": 2.0, "interval": 0.2}
    return KIND.settings()(**given | more)


@contextlib.asynccontextmanager
async def at_hand(sim: Simulator, folder: Path, **more: Any) -> AsyncIterator[GoE]:
    async with sim:
        made: GoE = make(KIND, settings(sim, **more), folder)  # type: ignore[assignment]
        async with made.direct():
            yield made


@pytest.mark.parametrize(("volatile", "key"), [(True, "amx"), (False, "amp")])
@pytest.mark.parametrize("filters", ["plain", "list", "none"])
async def test_what_was_written(volatile: bool, key: str, filters: Any, tmp_path: Path) -> None:
    sim = Simulator(volatile=volatile, filters=filters)
    async with at_hand(sim, tmp_path) as made:
        await made.obey(ChargerWish(on=True, current=9, phases=1))
        assert sim.commands == [("psm", 1), (key, 9), ("frc", 2)]
        sim.commands.clear()
        await made.obey(ChargerWish(on=True, current=9, phases=1))
        assert sim.commands == []
        await made.obey(ChargerWish(on=False))
        await made.obey(GIVE_BACK)
        assert sim.commands == [("frc", 1), ("frc", 0), ("psm", 0), (key, 16)]
        assert set(sim.box.written) == {"psm", "frc", key}


@pytest.mark.parametrize(("volatile", "key"), [(True, "amx"), (False, "amp")])
async def test_what_was_written_in_v1(volatile: bool, key: str, tmp_path: Path) -> None:
    sim = Simulator(api="v1", volatile=volatile)
    async with at_hand(sim, tmp_path) as made:
        # It is allowed already: only the current is written.
        await made.obey(ChargerWish(on=True, current=9, phases=3))
        assert sim.commands == [(key, "9")]
        reading = await made.read_charger()
        assert (reading.forced, reading.allowed_current, reading.phases) == ("on", 9, 3)
        assert reading.phases_possible == {3}
        assert reading.mode is None
        await made.obey(ChargerWish(on=False))
        assert (await made.read_charger()).forced == "off"
        with pytest.raises(DeviceRefused, match="cannot change its phases"):
            await made.obey(ChargerWish(on=True, phases=1))
        with pytest.raises(DeviceRefused, match="no modes"):
            await made.set_mode("eco")
        await made.obey(GIVE_BACK)
        assert sim.commands == [(key, "9"), ("alw", "0"), ("alw", "1"), (key, "16")]
        assert (await made.read_charger()).forced == "neutral"


async def test_after_a_crash_the_next_life_knows_what_was_there(tmp_path: Path) -> None:
    sim = Simulator()
    sim.box.set("amp", 13)
    async with at_hand(sim, tmp_path) as first:
        await first.obey(ChargerWish(on=True, current=8, phases=3))
        await first.set_mode("default")
    async with at_hand(sim, tmp_path) as second:
        await second.obey(GIVE_BACK)
        assert (sim.box.keys["frc"], sim.box.keys["psm"], sim.box.keys["amx"]) == (0, 0, 13)
        assert await second.set_mode(None) == "eco"
    assert sim.box.keys["lmo"] == 4


async def test_the_eeprom_is_spared(tmp_path: Path) -> None:
    sim = Simulator(volatile=False)
    async with at_hand(sim, tmp_path, daily_writes=50) as made:
        for amps in [6, 7] * 25:
            await made.obey(ChargerWish(on=True, current=amps))
        assert sim.box.written["amp"] == made.wear.today == 50
        assert (await made.read_charger()).max_current == 7
        with pytest.raises(DeviceError, match="50 times today"):
            await made.obey(ChargerWish(on=True, current=8))
        await made.obey(ChargerWish(on=True, current=6))
        await made.obey(GIVE_BACK)
        assert sim.box.keys["amp"] == 16


def test_settings_that_do_not_fit() -> None:
    kind = KIND.settings()
    assert [name for name, _ in kind(api="mqtt").check()] == ["serial"]
    assert [name for name, _ in kind(api="auto").check()] == ["host"]
    assert not list(kind(api="mqtt", serial="012345").check())


async def test_mqtt_needs_the_broker(tmp_path: Path) -> None:
    given = KIND.settings()(api="mqtt", serial="012345", timeout=0.2)
    made: GoE = make(KIND, given, tmp_path)  # type: ignore[assignment]
    with pytest.raises(DeviceTimeout, match="over the broker, which is not connected"):
        await made.read_charger()


@pytest.mark.parametrize("api", ["both", "v1"])
async def test_the_owner_charges_at_once_and_gives_back(
    api: Any, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator(api=api, speed=20.0) as sim:
        before = sim.box.keys["frc"]
        given = settings(sim, max_current=10.0)
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            await them.until(lambda: sim.box.keys["frc"] == 1)
            them.connection.send("heliograph/Devices/dut/ChargeEnable/Set", b"true", qos=1)
            await them.until(lambda: last(them, "Devices/dut/ChargeEnable") == "true")
            assert sim.box.current == 10
            await them.until(lambda: float(last(them, "Devices/dut/Power") or 0) > 6800)
            them.connection.send("heliograph/Devices/dut/ChargeEnable/Set", b"", qos=1)
            await them.until(lambda: sim.box.keys["frc"] == 1)
            assert '"serial":"012345"' in (last(them, "Devices/dut/Info") or "")
        # Stopped: it is the charger's own again, as it was found.
        assert (sim.box.keys["frc"], sim.box.keys["psm"], sim.box.current) == (before, 0, 16)


async def test_a_manual_mode_is_left_alone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator() as sim:
        sim.box.set("lmo", 3)
        async with running(KIND, settings(sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: len(them.payloads("heliograph/Devices/dut/State")) > 4)
        assert sim.commands == []
