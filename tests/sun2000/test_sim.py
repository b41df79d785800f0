"""The simulated inverter keeps to the habits of the real one."""

from __future__ import annotations

import anyio
import pytest

from actors.devices.sun2000.sim import Simulator
from bridge.errors import DeviceError, DeviceTimeout
from bridge.modbus.tcp import TcpWire
from bridge.modbus.wire import READ_HOLDING, WRITE_MULTIPLE, WRITE_SINGLE, Refusal

MODE, MINUTES, START = 47246, 47083, 47100
IN, OUT = 47247, 47249


async def wire_to(sim: Simulator) -> TcpWire:
    wire = TcpWire(sim.host, sim.port)
    await wire.connect()
    await anyio.sleep(2 * sim.deaf)
    return wire


async def put(wire: TcpWire, address: int, *words: int) -> None:
    function = WRITE_SINGLE if len(words) == 1 else WRITE_MULTIPLE
    await wire.write(1, function, address, words)


async def test_a_read_has_64_words_at_most() -> None:
    async with Simulator() as sim:
        wire = await wire_to(sim)
        assert len(await wire.read(1, READ_HOLDING, 32000, 64)) == 64
        with pytest.raises(Refusal) as caught:
            await wire.read(1, READ_HOLDING, 32000, 65)
        assert caught.value.code == 3
        await wire.close()


async def test_between_registers_there_are_reserved_words_and_elsewhere_none() -> None:
    async with Simulator() as sim:
        wire = await wire_to(sim)
        assert await wire.read(1, READ_HOLDING, 47075, 28)
        assert list(await wire.read(1, READ_HOLDING, 47085 + 5, 4)) == [0xFFFF] * 4
        with pytest.raises(Refusal) as caught:
            await wire.read(1, READ_HOLDING, 33000, 1)
        assert caught.value.code == 2
        await wire.close()


async def test_other_units_are_silent() -> None:
    async with Simulator(unit=0) as sim:
        wire = await wire_to(sim)
        with anyio.move_on_after(0.2) as limit:
            await wire.read(1, READ_HOLDING, 30073, 2)
        assert limit.cancelled_caught
        await wire.close()
        wire = await wire_to(sim)
        assert list(await wire.read(0, READ_HOLDING, 30073, 2)) == [0, 10_000]
        await wire.close()


async def test_a_second_client_disturbs_the_first() -> None:
    async with Simulator() as sim:
        first = await wire_to(sim)
        assert await first.read(1, READ_HOLDING, 30073, 2)
        second = await wire_to(sim)
        assert await second.read(1, READ_HOLDING, 30073, 2)
        with pytest.raises(DeviceTimeout):
            await first.read(1, READ_HOLDING, 30073, 2)
        await first.close()
        await second.close()


async def test_it_is_deaf_right_after_a_connection() -> None:
    async with Simulator(deaf=0.3) as sim:
        wire = TcpWire(sim.host, sim.port)
        await wire.connect()
        with anyio.move_on_after(0.6) as limit:
            await wire.read(1, READ_HOLDING, 30073, 2)
        assert limit.cancelled_caught
        await wire.close()


@pytest.mark.parametrize(
    ("start", "power", "expected"), [(2, OUT, 1800.0), (1, IN, -1800.0)], ids=["out", "in"]
)
async def test_a_forced_command_ends_after_its_minutes(
    start: int, power: int, expected: float
) -> None:
    async with Simulator() as sim:
        sim.plant.pv, sim.plant.load = 500.0, 900.0
        wire = await wire_to(sim)
        await put(wire, 47087, 1)
        await put(wire, MODE, 0)
        await put(wire, MINUTES, 2)
        await put(wire, power, 0, 1800)
        assert sim.plant.battery == 400, "nothing happens before the start"
        await put(wire, START, start)
        assert sim.plant.battery == expected
        sim.forward(100)
        await put(wire, MINUTES, 2)
        sim.forward(100)
        assert sim.plant.battery == expected, "the minutes start anew"
        sim.forward(30)
        assert sim.unit["forcible_charge_discharge_write"] == "stop"
        assert sim.plant.battery == 400
        await wire.close()


async def test_a_forced_command_can_end_at_a_state_of_charge() -> None:
    async with Simulator() as sim:
        sim.plant.soc, sim.plant.capacity = 60.0, 1000.0
        wire = await wire_to(sim)
        await put(wire, 47101, 500)
        await put(wire, MODE, 1)
        await put(wire, OUT, 0, 2000)
        await put(wire, START, 2)
        assert sim.plant.battery == 2000
        sim.forward(90)
        assert sim.forced == "discharge"
        sim.forward(100)
        sim.forward(1)
        assert sim.forced is None
        await wire.close()


async def test_charging_beyond_the_sun_wants_the_grid_allowed() -> None:
    async with Simulator() as sim:
        sim.plant.pv, sim.plant.load = 500.0, 900.0
        wire = await wire_to(sim)
        await put(wire, MINUTES, 2)
        await put(wire, IN, 0, 1000)
        await put(wire, START, 1)
        assert sim.plant.battery == 0
        await put(wire, 47087, 1)
        assert sim.plant.battery == -1000
        await wire.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [(47075, (0, 9000)), (47081, (500,)), (47082, (300,)), (START, (3,)), (47415, (4,))],
)
async def test_what_it_cannot_do_is_refused_and_changes_nothing(
    address: int, words: tuple[int, ...]
) -> None:
    async with Simulator() as sim:
        wire = await wire_to(sim)
        before = list(await wire.read(1, READ_HOLDING, address, len(words)))
        with pytest.raises(Refusal) as caught:
            await put(wire, address, *words)
        assert caught.value.code == 3
        assert list(await wire.read(1, READ_HOLDING, address, len(words))) == before
        await wire.close()


async def test_without_a_login_it_can_refuse_every_write() -> None:
    async with Simulator() as sim:
        sim.fault = "denied"
        wire = await wire_to(sim)
        with pytest.raises(Refusal) as caught:
            await put(wire, START, 2)
        assert caught.value.code == 0x80
        with pytest.raises(DeviceError):
            await put(wire, 32080, 0, 0)
        assert sim.forced is None
        await wire.close()


async def test_an_export_limit_holds_the_sun_back() -> None:
    async with Simulator() as sim:
        sim.plant.pv, sim.plant.load, sim.plant.soc = 9000.0, 500.0, 100.0
        wire = await wire_to(sim)
        assert sim.plant.grid == -8500
        await put(wire, 47418, 250)
        assert sim.plant.grid == -8500, "a percentage alone limits nothing"
        await put(wire, 47415, 7)
        assert sim.plant.grid == -2500
        assert sim.unit["device_status"] == "limited"
        sim.plant.load = 8000.0
        sim.forward(1)
        assert sim.plant.grid == -1000
        assert sim.unit["device_status"] == "on_grid"
        await put(wire, 47415, 5)
        assert sim.plant.grid == 0
        await wire.close()


def test_losses_stand_between_the_sun_and_the_house() -> None:
    sim = Simulator(losses=0.03)
    sim.plant.pv, sim.plant.load, sim.plant.soc = 6000.0, 1000.0, 100.0
    sim.forward(0)
    assert sim.unit["input_power"] == 6000
    assert sim.unit["active_power"] == 5820
    assert sim.unit["power_meter_active_power"] == 4820
