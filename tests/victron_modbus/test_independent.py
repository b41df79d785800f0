"""The simulated GX asked by pymodbus's own client: addresses and numbers from Victron's list.

Nothing here goes through our tables or our link, so a mistake in those cannot hide.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from actors.devices.victron_modbus.sim import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, GATEWAY_PATH = 1, 2, 3, 10


@contextlib.asynccontextmanager
async def client(sim: Simulator) -> AsyncIterator[AsyncModbusTcpClient]:
    found = AsyncModbusTcpClient(sim.host, port=sim.port, timeout=2, retries=0)
    assert await found.connect()
    try:
        yield found
    finally:
        found.close()


async def words(gx: AsyncModbusTcpClient, unit: int, address: int, count: int = 1) -> list[int]:
    found = await gx.read_holding_registers(address, count=count, device_id=unit)
    assert not found.isError(), found
    return list(found.registers)


async def number(gx: AsyncModbusTcpClient, unit: int, address: int, kind: str) -> Any:
    form = getattr(gx.DATATYPE, kind)
    return gx.convert_from_registers(await words(gx, unit, address, form.value[1]), form)


async def test_a_house_that_charges_reads_as_victrons_list_says() -> None:
    # 3000 W of sun (1200 DC, 1800 AC on three phases), 800 W of load split 50/30/20 %.
    async with Simulator() as sim, client(sim) as gx:
        sim.plant.soc = 55.0
        assert await number(gx, 100, 842, "INT16") == 2200  # + = charging
        assert await number(gx, 100, 841, "INT16") == 423  # tenths of A
        assert await words(gx, 100, 840) == [520]
        assert await words(gx, 100, 843) == [55]
        assert await words(gx, 100, 844) == [1]
        assert await words(gx, 100, 850) == [1200]
        assert await words(gx, 100, 811, 3) == [600, 600, 600]
        assert await words(gx, 100, 817, 3) == [400, 240, 160]
        assert await words(gx, 100, 826) == [1]
        # L1: 120 W on the input + 613 W into the inverter - 600 W of sun.
        assert await number(gx, 100, 820, "INT16") == 133
        assert await number(gx, 100, 908, "INT32") == 133
        assert await number(gx, 100, 822, "INT16") == -107
        assert await number(gx, 100, 912, "INT32") == -107
        assert await number(gx, 228, 12, "INT16") == 61  # tens of W
        assert await number(gx, 228, 23, "INT16") == 28
        assert await words(gx, 228, 3, 3) == [2300, 2300, 2300]
        assert await words(gx, 228, 28) == [3]
        assert await words(gx, 228, 31) == [252]
        assert await number(gx, 225, 256, "INT32") == 2200
        assert await number(gx, 225, 258, "INT16") == 2200
        assert await words(gx, 225, 259) == [5200]
        assert await words(gx, 225, 266) == [550]
        assert await number(gx, 30, 2638, "INT32") == 133
        assert await number(gx, 30, 2634, "UINT32") == 32100
        assert await number(gx, 238, 792, "UINT32") == 1200
        assert await words(gx, 238, 789) == [12000]
        assert await number(gx, 20, 1058, "UINT32") == 600
        assert await words(gx, 40, 3824) == [1]
        assert await words(gx, 100, 2901) == [100]
        assert await words(gx, 100, 2902) == [1]


async def test_beyond_16_bits_only_the_twins_are_right() -> None:
    async with Simulator(phases=1) as sim, client(sim) as gx:
        sim.plant.pv, sim.plant.load, sim.plant.soc = 0.0, 40_000.0, 5.0
        assert await number(gx, 100, 820, "INT16") == 40_000 - 65_536
        assert await number(gx, 100, 908, "INT32") == 40_000


async def test_no_limit_is_minus_1_in_the_new_register_and_0_in_the_old() -> None:
    async with Simulator() as sim, client(sim) as gx:
        assert await number(gx, 100, 2720, "INT32") == -1
        assert await words(gx, 100, 2704) == [0]
        assert await number(gx, 100, 2705, "INT16") == -1
        sim.house.max_discharge = 2500.0
        assert await words(gx, 100, 2704) == [250]


async def test_functions_3_and_4_are_the_same() -> None:
    async with Simulator() as sim, client(sim) as gx:
        found = await gx.read_input_registers(840, count=5, device_id=100)
        assert found.registers == await words(gx, 100, 840, 5)


@pytest.mark.parametrize(
    ("unit", "address", "count", "code"),
    [
        (100, 842, 20, ILLEGAL_ADDRESS),  # over a gap
        (100, 1, 1, ILLEGAL_ADDRESS),
        (100, 840, 0, ILLEGAL_VALUE),
        (229, 31, 1, GATEWAY_PATH),
        (228, 842, 1, ILLEGAL_ADDRESS),
    ],
)
async def test_what_is_not_there_is_refused(unit: int, address: int, count: int, code: int) -> None:
    async with Simulator() as sim:
        assert sim.bank.answer(unit, bytes((3, *address.to_bytes(2), *count.to_bytes(2)))) == bytes(
            (0x83, code)
        )
        if count:
            async with client(sim) as gx:
                found = await gx.read_holding_registers(address, count=count, device_id=unit)
                assert (found.isError(), found.exception_code) == (True, code)


def test_more_than_125_words_are_an_illegal_value() -> None:
    sim = Simulator()
    assert sim.bank.answer(100, bytes((3, 3, 40, 0, 126))) == bytes((0x83, ILLEGAL_VALUE))


async def test_only_four_functions_are_known() -> None:
    async with Simulator() as sim, client(sim) as gx:
        for found in (
            await gx.read_coils(0, count=1, device_id=100),
            await gx.mask_write_register(address=2700, device_id=100),
            await gx.readwrite_registers(
                read_address=840, read_count=1, address=2700, values=[1], device_id=100
            ),
        ):
            assert (found.isError(), found.exception_code) == (True, ILLEGAL_FUNCTION)


async def test_writes() -> None:
    async with Simulator() as sim, client(sim) as gx:
        done = await gx.write_register(2700, -500 & 0xFFFF, device_id=100)
        assert not done.isError()
        assert await number(gx, 100, 842, "INT16") == 1700  # 500 W of the sun are fed in
        assert await words(gx, 100, 2703) == [0xFFFB]
        read_only = await gx.write_register(842, 1, device_id=100)
        assert (read_only.isError(), read_only.exception_code) == (True, ILLEGAL_ADDRESS)
        sim.fault = "read_only"
        off = await gx.write_registers(2700, [0], device_id=100)
        assert (off.isError(), off.exception_code) == (True, ILLEGAL_ADDRESS)
        assert sim.house.grid_setpoint == -500


async def test_modes_1_and_2_overwrite_the_setpoints_and_mode_3_keeps_them_a_minute() -> None:
    async with Simulator(phases=1) as sim, client(sim) as gx:
        own = await words(gx, 228, 37)
        await gx.write_register(37, 1234, device_id=228)
        assert await words(gx, 228, 37) == own
        await gx.write_register(2902, 3, device_id=100)
        await gx.write_registers(96, [0xFFFF, 0xFC18], device_id=228)  # -1000 W
        assert await number(gx, 228, 37, "INT16") == -1000
        # 560 W of load on the output + 1000 W fed in - 1200 W of sun from the DC side.
        assert await number(gx, 100, 842, "INT16") == -360
        assert await words(gx, 228, 31) == [252]
        sim.forward(61)
        assert await words(gx, 228, 31) == [8]
        assert await number(gx, 100, 842, "INT16") == 1200
        assert await number(gx, 228, 12, "INT16") == 56


async def test_charging_fills_the_battery_and_counts() -> None:
    async with Simulator() as sim, client(sim) as gx:
        sim.forward(3600)
        # 2200 Wh into 10 kWh; the sun made 1.2 kWh on the DC side and 1.8 on the AC side.
        assert await words(gx, 225, 266) == [770]
        assert await words(gx, 225, 302) == [2242]
        assert await number(gx, 20, 1046, "UINT32") == round((1234.5 + 3.0) * 0.6 / 3 * 100)
