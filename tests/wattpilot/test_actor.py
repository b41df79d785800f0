"""The actor against the simulator: what it reads, what it writes and puts back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.chargers.wattpilot.sim import SETTINGS, Simulator
from bridge.charging.model import GIVE_BACK, ChargerReading, ChargerWish
from bridge.config.kinds import find_kind
from bridge.errors import DeviceError, DeviceRefused
from tests.actors.kinds import last, make, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.chargers.wattpilot.actor import Wattpilot
    from tests.support.mosquitto import Mosquitto

KIND = find_kind("wattpilot")


def settings(sim: Simulator, **more: Any) -> Any:
    given = {"host": sim.host, "port": sim.port, **SETTINGS, "timeout": 2.0, "interval": 0.2}
    return KIND.settings()(**given | more)


def actor(sim: Simulator, folder: Path, **more: Any) -> Wattpilot:
    return make(KIND, settings(sim, **more), folder)  # type: ignore[return-value]


@contextlib.asynccontextmanager
async def at_hand(sim: Simulator, folder: Path, **more: Any) -> AsyncIterator[Wattpilot]:
    async with sim:
        made = actor(sim, folder, **more)
        async with made.direct(), anyio.create_task_group() as tasks:
            tasks.start_soon(made.client.listen)
            yield made
            tasks.cancel_scope.cancel()


# ---------------------------------------------------------------------------------- reading


async def test_a_car_that_charges(tmp_path: Path) -> None:
    sim = Simulator(speed=50.0, period=0.05, switch_time=0.0)
    async with at_hand(sim, tmp_path) as made:
        await made.obey(ChargerWish(on=True, current=10, phases=1))
        reading = ChargerReading()
        while not reading.power or reading.power < 2300:
            await anyio.sleep(0.05)
            reading = await made.read_charger()
    assert reading.vehicle == "charging"
    assert (reading.power, reading.powers) == (2300, (2300, 0, 0))
    assert (reading.carrying, reading.phases, reading.allowed_current) == (1, 1, 10)
    assert (reading.forced, reading.mode) == ("on", "eco")
    assert reading.session_energy is not None
    assert reading.session_energy > 0
    assert reading.extra["ChargerState"] == "forced_on"
    assert reading.extra["CableCurrent"] == 20


async def test_nobody_at_the_cable(tmp_path: Path) -> None:
    async with at_hand(Simulator(plugged=False), tmp_path) as made:
        reading = await made.read_charger()
    assert (reading.vehicle, reading.car) == ("disconnected", False)
    assert reading.extra["CableCurrent"] is None
    assert reading.max_current == 16


async def test_errors_of_the_charger_are_told(tmp_path: Path) -> None:
    sim = Simulator()
    sim.box.fail(8)
    async with at_hand(sim, tmp_path) as made:
        reading = await made.read_charger()
    assert (reading.vehicle, reading.fault) == ("fault", "the protective earth is missing")
    assert reading.extra["ChargerError"] == "ground"
    assert reading.extra["ChargerState"] == "error"


async def test_phases_take_their_time_to_change(tmp_path: Path) -> None:
    sim = Simulator(speed=20.0, period=0.05, switch_time=20.0)
    async with at_hand(sim, tmp_path) as made:
        await made.obey(ChargerWish(on=True, current=6, phases=3))
        before = sim.box.switches
        await made.obey(ChargerWish(on=True, current=6, phases=1))
        await anyio.sleep(0.2)
        reading = await made.read_charger()
        assert reading.extra["ChargerState"] == "phase_switch"
        assert reading.vehicle == "connected"
        assert sim.box.switches == before + 1
        while reading.extra["ChargerState"] != "forced_on":
            await anyio.sleep(0.05)
            reading = await made.read_charger()
        assert reading.phases == 1


# ---------------------------------------------------------------------------------- writing


@pytest.mark.parametrize(("volatile", "key"), [(True, "amx"), (False, "amp")])
async def test_what_was_written(volatile: bool, key: str, tmp_path: Path) -> None:
    sim = Simulator(volatile=volatile)
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


async def test_after_a_crash_the_next_life_knows_what_was_there(tmp_path: Path) -> None:
    sim = Simulator()
    sim.box.set("amp", 13)
    async with at_hand(sim, tmp_path) as first:
        await first.obey(ChargerWish(on=True, current=8, phases=3))
        await first.obey(ChargerWish(on=True, current=6, phases=1))
        await first.set_mode("default")
    async with at_hand(sim, tmp_path) as second:
        await second.obey(GIVE_BACK)
        assert (sim.box.keys["frc"], sim.box.keys["psm"], sim.box.keys["amx"]) == (0, 0, 13)
        assert await second.set_mode(None) == "eco"
    assert sim.box.keys["lmo"] == 4


async def test_what_the_owner_changes_in_between_is_found_anew(tmp_path: Path) -> None:
    sim = Simulator(period=0.05)
    async with at_hand(sim, tmp_path) as made:
        await made.obey(ChargerWish(on=True, current=8, phases=1))
        await made.obey(GIVE_BACK)
        sim.box.keys |= {"amx": 10, "psm": 2}
        seen = made.client.changes
        while made.client.keys["amx"] != 10:
            seen = await made.client.news(seen)
        await made.obey(ChargerWish(on=True, current=6, phases=1))
        await made.obey(GIVE_BACK)
    assert (sim.box.keys["amx"], sim.box.keys["psm"]) == (10, 2)


async def test_it_is_noted_before_it_is_written(tmp_path: Path) -> None:
    sim = Simulator()
    async with at_hand(sim, tmp_path) as first:
        await first.client.status()
        sim.fault = "refuse"
        with pytest.raises(DeviceRefused, match=r"refuses to set psm to 1 \(not now\)"):
            await first.obey(ChargerWish(on=True, current=9, phases=1))
        assert first.state.load("before") == {"psm": 0, "amx": 16}


@pytest.mark.parametrize("fault", ["refuse", "forgetful"])
async def test_a_charger_that_does_not_follow_is_told(fault: str, tmp_path: Path) -> None:
    sim = Simulator()
    async with at_hand(sim, tmp_path) as made:
        await made.client.status()
        sim.fault = fault
        with pytest.raises(DeviceError):
            await made.obey(ChargerWish(on=False))
        sim.fault = None
        await made.obey(ChargerWish(on=False))
        assert sim.box.keys["frc"] == 1


async def test_modes(tmp_path: Path) -> None:
    sim = Simulator()
    async with at_hand(sim, tmp_path) as made:
        assert await made.set_mode("next_trip") == "next_trip"
        assert await made.set_mode("default") == "default"
        assert (await made.read_charger()).mode == "default"
        with pytest.raises(DeviceRefused, match="has no mode turbo: it has default, eco"):
            await made.set_mode("turbo")
        assert await made.set_mode(None) == "eco"
        assert await made.set_mode(None) == "eco"
    assert sim.commands == [("lmo", 5), ("lmo", 3), ("lmo", 4)]


async def test_the_eeprom_is_spared(tmp_path: Path) -> None:
    sim = Simulator(volatile=False, password=None, secured=False)
    async with at_hand(sim, tmp_path, daily_writes=50) as made:
        for amps in [6, 7] * 25:
            await made.obey(ChargerWish(on=True, current=amps))
        assert sim.box.written["amp"] == made.wear.today == 50
        # It is at 7 A now and can only be lowered: that is what the reading says, too.
        assert (await made.read_charger()).max_current == 7
        with pytest.raises(DeviceError, match="50 times today"):
            await made.obey(ChargerWish(on=True, current=8))
        await made.obey(ChargerWish(on=True, current=6))
        await made.obey(GIVE_BACK)
        assert sim.box.keys["amp"] == 16
    async with at_hand(sim, tmp_path, daily_writes=50) as again:
        assert again.wear.spent
        assert (await again.read_charger()).max_current == 16


async def test_resting_closes_the_connection_and_reading_opens_it(tmp_path: Path) -> None:
    sim = Simulator(plugged=False)
    async with at_hand(sim, tmp_path) as made:
        await made.read_charger()
        await made.rest()
        assert not made.client.connected
        with anyio.fail_after(2):
            while sim.sessions:  # noqa: ASYNC110 - the other side hears it in its time
                await anyio.sleep(0.01)
        assert (await made.read_charger()).vehicle == "disconnected"
        assert sim.logins == 2


# ---------------------------------------------------------------------------------- on a broker


async def test_what_happens_at_the_charger_is_told_at_once(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator(period=0.05) as sim:
        given = settings(sim, interval=30.0)
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/VehicleState") == "connected")
            await them.until(lambda: last(them, "Devices/dut/ChargerState") == "forced_off")
            sim.box.unplug()
            await them.until(lambda: last(them, "Devices/dut/VehicleState") == "disconnected", 10)
            sim.box.plug(30.0)
            await them.until(lambda: last(them, "Devices/dut/VehicleState") == "connected", 10)
            info = last(them, "Devices/dut/Info") or ""
            assert '"manufacturer":"Fronius"' in info
            assert '"serial":"32154321"' in info


async def test_the_owner_charges_at_once_and_gives_back(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with Simulator(period=0.05, speed=20.0) as sim:
        given = settings(sim, max_current=10.0)
        async with running(KIND, given, tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            await them.until(lambda: sim.box.keys["frc"] == 1)
            them.connection.send("heliograph/Devices/dut/ChargeEnable/Set", b"true", qos=1)
            await them.until(lambda: last(them, "Devices/dut/ChargeEnable") == "true")
            assert (sim.box.keys["frc"], sim.box.current) == (2, 10)
            await them.until(lambda: last(them, "Devices/dut/Power") == "6900")
            them.connection.send("heliograph/Devices/dut/ChargeEnable/Set", b"", qos=1)
            await them.until(lambda: sim.box.keys["frc"] == 1)
            await them.until(lambda: sim.box.power == 0)
        # Stopped: it is the charger's own again, as it was found.
        assert (sim.box.keys["frc"], sim.box.keys["psm"], sim.box.current) == (0, 0, 16)
        assert sim.box.power == 0


async def test_a_manual_mode_is_left_alone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with Simulator(period=0.05) as sim:
        sim.box.set("lmo", 3)
        async with running(KIND, settings(sim), tmp_path, mosquitto.port) as them:
            await them.until(lambda: last(them, "Devices/dut/Status") == "online")
            await them.until(lambda: len(them.payloads("heliograph/Devices/dut/State")) > 5)
        assert sim.commands == []


async def test_it_hibernates_while_no_car_is_there(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        Simulator(period=0.05, plugged=False) as sim,
        running(KIND, settings(sim, hibernate=True), tmp_path, mosquitto.port) as them,
    ):
        await them.until(lambda: last(them, "Devices/dut/VehicleState") == "disconnected")
        await them.until(lambda: not sim.sessions)
        assert sim.box.keys["frc"] == 1
        logins = sim.logins
        # The owner's word wakes it.
        them.connection.send("heliograph/Devices/dut/ChargeEnable/Set", b"true", qos=1)
        await them.until(lambda: sim.logins > logins)


async def test_a_dead_wifi_is_got_over(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        Simulator(period=0.05) as sim,
        running(KIND, settings(sim), tmp_path, mosquitto.port) as them,
    ):
        await them.until(lambda: sim.box.keys["frc"] == 1)
        await sim.stop()
        await them.until(lambda: last(them, "Devices/dut/Status") == "offline")
        assert "refuses the connection" in (last(them, "Actors/dut/Health") or "")
        await sim.start()
        await them.until(lambda: last(them, "Devices/dut/Status") == "online")
