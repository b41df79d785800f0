"""The tables against pymodbus at both ends: as a client of the simulator and as a server.

The numbers beside the words were worked out by hand from the maker's sheets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from actors.devices.sma.sim import Simulator
from bridge.config.kinds import all_kinds
from bridge.simulators.plant import Plant
from tests.actors.kinds import make

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KIND = all_kinds()["sma"]
NAN32, NAN_S32, NAN_ENUM = [0xFFFF, 0xFFFF], [0x8000, 0x0000], [0x00FF, 0xFFFD]
NAN64 = [0xFFFF] * 4

# register -> words. A Sunny Island that charges with 1500 W at -1.5 °C.
ISLAND: dict[int, list[int]] = {
    30051: [0x0000, 0x1F47],  # 8007
    30053: [0x0000, 0x2476],  # 9334
    30057: [0xB38C, 0x414E],  # 3012313422
    30059: [0x0210, 0x4104],
    30201: [0x0000, 0x0133],  # 307
    30231: [0x0000, 0x1770],  # 6000
    30581: [0x0012, 0xD687],  # 1234567 Wh
    30583: NAN32,
    30595: [0x0001, 0x86A0],  # 100000 Wh
    30597: NAN32,
    30775: [0xFFFF, 0xFA24],  # -1500
    30777: [0xFFFF, 0xFA24],
    30779: NAN_S32,
    30781: NAN_S32,
    30783: [0x0000, 0x5A0A],  # 23050
    30785: NAN32,
    30787: NAN32,
    30803: [0x0000, 0x1386],  # 4998
    30845: [0x0000, 0x0037],  # 55
    30849: [0xFFFF, 0xFFF1],  # -15
    30851: [0x0000, 0x1400],  # 5120
    30861: NAN_S32,
    30865: [0x0000, 0x0000],
    30867: [0x0000, 0x02BC],  # 700
    30869: [0x0000, 0x0BB8],  # 3000
    30955: [0x0000, 0x08F4],  # 2292
    30977: [0xFFFF, 0xE69C],  # -6500
    30979: NAN_S32,
    30981: NAN_S32,
    31397: [0x0000, 0x0000, 0x0001, 0x86A1],  # not looked at: 30595 has a value
    31401: [0x0000, 0x0001, 0x0000, 0x03E8],  # 4294968296 Wh
    40187: [0x0000, 0x2710],  # 10000
    40189: [0x0000, 0x11F8],  # 4600
    40191: [0x0000, 0x1388],  # 5000
}
SINGLE_PHASE = {f"{name}L{n}" for name in ("InverterPower", "GridVoltage") for n in (2, 3)}
ISLAND_SAYS = {
    "InverterState": "running",
    "GridImportEnergy": 1234.567,
    "GridExportEnergy": None,
    "BatteryChargeEnergy": 100.0,
    "BatteryDischargeEnergy": 4294968.296,
    "InverterPower": -1500,
    "InverterPowerL1": -1500,
    "GridVoltageL1": 230.5,
    "GridFrequency": 49.98,
    "BatterySoc": 55,
    "BatteryTemperature": -1.5,
    "BatteryVoltage": 51.2,
    "PvPower": 3000,
    "BatteryState": "charging",
    "InverterCurrentL1": -6.5,
    "BatteryCapacity": 10000,
    "BatteryPower": -1500,
    "GridPower": -700,
    "LoadPower": 800,  # 3000 - 700 - 1500
}
STORAGE = {
    **{each: words for each, words in ISLAND.items() if each not in {30595, 30597, 30861, 30869}},
    30053: [0x0000, 0x248E],  # 9358
    30775: [0x0000, 0x0960],  # 2400
    30845: NAN32,  # an empty battery
    30865: [0x0000, 0x0064],  # 100
    30867: [0x0000, 0x0000],
    30953: [0x0000, 0x0181],  # 385
    30955: NAN_ENUM,
    31397: NAN64,
}
STORAGE_SAYS = {
    "BatteryPower": 2400,
    "InverterPower": 2400,
    "GridPower": 100,
    "BatterySoc": None,
    "BatteryState": None,
    "BatteryChargeEnergy": None,
    "BatteryDischargeEnergy": 4294968.296,
    "InverterTemperature": 38.5,
}
TRIPOWER: dict[int, list[int]] = {
    30051: [0x0000, 0x1F41],  # 8001
    30053: [0x0000, 0x2484],  # 9348
    30057: [0xB38C, 0x414E],
    30059: [0x0310, 0x0A04],
    30201: [0x0000, 0x01C7],  # 455
    30513: [0x0000, 0x0001, 0x2A05, 0xF200],  # 5000000000 Wh
    30529: [0x2A05, 0xF200],
    30581: NAN32,
    30583: NAN32,
    30769: [0x0000, 0x0BB8],  # 3000
    30771: [0x0000, 0xEA60],  # 60000
    30773: [0x0000, 0x0708],  # 1800
    30775: [0x0000, 0x0B86],  # 2950
    30777: [0x0000, 0x03D7],  # 983
    30779: [0x0000, 0x03D7],
    30781: [0x0000, 0x03D8],
    30783: [0x0000, 0x5A0A],
    30785: [0x0000, 0x59D8],  # 23000
    30787: [0x0000, 0x5A3C],  # 23100
    30803: [0x0000, 0x138A],
    30865: NAN_S32,
    30867: NAN_S32,
    30953: [0x0000, 0x0181],
    30957: [0x0000, 0x07D0],
    30959: [0x0000, 0xEA60],
    30961: [0x0000, 0x04B0],  # 1200
    30967: NAN_S32,
    30977: [0x0000, 0x10AC],
    30979: [0x0000, 0x10AC],
    30981: [0x0000, 0x10AC],
}
TRIPOWER_SAYS = {
    "PvPower": 2950,
    "InverterPower": 2950,
    "PvPowerL3": 984,
    "PvEnergy": 5_000_000.0,
    "PvString1Current": 3.0,
    "PvString1Voltage": 600.0,
    "PvString1Power": 1800,
    "PvString2Power": 1200,
    "GridVoltageL3": 231.0,
    "GridFrequency": 50.02,
    "GridPower": None,
    "InverterTemperature": 38.5,
    "InverterState": "running",
    "PvCurrentL2": 4.268,
}
NIGHT = {
    **TRIPOWER,
    30201: NAN_ENUM,
    30513: NAN64,
    30529: NAN32,
    **dict.fromkeys(range(30769, 30782, 2), NAN_S32),
    **dict.fromkeys((30783, 30785, 30787, 30803), NAN32),
    **dict.fromkeys((30953, 30957, 30959, 30961, 30977, 30979, 30981), NAN_S32),
}
NIGHT_SAYS = {
    "PvPower": 0.0,
    "InverterPower": 0.0,
    "PvPowerL1": None,
    "PvEnergy": None,
    "GridFrequency": None,
    "InverterState": None,
}


def device(registers: Mapping[int, list[int]]) -> SimDevice:
    """A pymodbus device; what lies between the registers is "not a number", as SMA answers it."""
    spans = ((30051, 31410), (40149, 40200))
    data = []
    for first, last in spans:
        words = [0xFFFF] * (last - first)
        for address, found in registers.items():
            if first <= address < last:
                words[address - first : address - first + len(found)] = found
        data.append(SimData(first, values=words, datatype=DataType.REGISTERS))
    return SimDevice(3, data)


@pytest.mark.parametrize(
    ("registers", "says", "absent"),
    [
        pytest.param(ISLAND, ISLAND_SAYS, SINGLE_PHASE, id="sunny_island"),
        pytest.param(STORAGE, STORAGE_SAYS, SINGLE_PHASE, id="sbs"),
        pytest.param(TRIPOWER, TRIPOWER_SAYS, {"PvString3Power"}, id="stp"),
        pytest.param(NIGHT, NIGHT_SAYS, {"PvString1Power"}, id="night"),
    ],
)
async def test_a_server_of_pymodbus_is_read(
    registers: dict[int, list[int]], says: dict[str, Any], absent: set[str], tmp_path: Path
) -> None:
    server = ModbusTcpServer([device(registers)], address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        actor: Any = make(KIND, KIND.settings()(host="127.0.0.1", port=port), tmp_path)
        async with actor.direct():
            values = await actor.read_once()
    finally:
        await server.shutdown()
    assert {name: values[name] for name in says} == pytest.approx(says)
    assert absent.isdisjoint(values), "what it never had is left out"


async def ask(client: AsyncModbusTcpClient, address: int, count: int = 2) -> list[int]:
    found = await client.read_holding_registers(address, count=count, device_id=3)
    assert not found.isError(), f"{address}: {found}"
    return list(found.registers)


async def test_a_client_of_pymodbus_reads_the_simulator() -> None:
    plant = Plant(pv=3000, load=800, soc=55, charge_energy=100.0, discharge_energy=70000.0)
    async with Simulator(map="sbs", plant=plant) as sim:
        client = AsyncModbusTcpClient(sim.host, port=sim.port)
        assert await client.connect()
        try:
            assert await ask(client, 30053) == [0x0000, 0x248E]
            assert await ask(client, 30775) == [0xFFFF, 0xF768]  # -2200
            assert await ask(client, 30845) == [0x0000, 0x0037]
            assert await ask(client, 31393, 4) == [0x0000, 0x0898, 0x0000, 0x0000]
            assert (await ask(client, 31397, 8))[:4] == [0x0000, 0x0000, 0x0001, 0x86A0]
            assert await ask(client, 30595) == [0xFFFF, 0xFFFF], "no such register: NaN"
            both = await client.read_input_registers(30775, count=2, device_id=3)
            assert both.registers == [0xFFFF, 0xF768], "function 4 reads the same"
            units = await client.read_holding_registers(42109, count=4, device_id=1)
            assert units.registers[3] == 3
            wrong = await client.read_holding_registers(30775, count=2, device_id=7)
            assert wrong.exception_code == 4
            hidden = await client.read_holding_registers(40149, count=2, device_id=3)
            assert hidden.exception_code == 2
            await control(client, sim)
        finally:
            client.close()


async def control(client: AsyncModbusTcpClient, sim: Simulator) -> None:
    """Charge with 1000 W, from the words; half a value is not taken."""
    half = await client.write_registers(40149, [0xFFFF], device_id=3)
    assert half.isError()
    given = await client.write_registers(40149, [0xFFFF, 0xFC18, 0, 802], device_id=3)
    assert not given.isError()
    assert await ask(client, 30775) == [0xFFFF, 0xFC18]
    assert sim.plant.battery == -1000
    sim.forward(600)
    assert sim.plant.battery == -1000, "without a fallback the last value is kept"
    back = await client.write_registers(40151, [0, 803], device_id=3)
    assert not back.isError()
    assert sim.plant.setpoint is None
