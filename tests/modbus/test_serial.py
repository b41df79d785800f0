"""RTU over serial ports: pairs of pseudo terminals, pymodbus and an own device at the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from bridge.errors import DeviceGarbled, DeviceTimeout
from bridge.modbus.link import Link, LinkSpec, links
from bridge.modbus.tcp import SerialWire
from bridge.modbus.wire import Refusal
from tests.modbus.helpers import Line, Question, crc, line, rtu, words_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def ask(link: Link, address: int = 0, count: int = 2, timeout: float = 3) -> list[int]:
    return list(await link.read(1, 3, address, count, timeout=timeout))


def link_to(tty: str) -> Link:
    return Link(SerialWire(tty, 115200), tty)


def questions(data: bytes) -> list[Question]:
    """What a chunk of the line asks: reads and single writes, 8 bytes each."""
    frames = [data[start : start + 8] for start in range(0, len(data), 8)]
    for each in frames:
        assert crc(each[:-2]) == each[-2:], each.hex()
    return [Question(0, each[0], each[1:-2]) for each in frames]


async def inverter(data: bytes, there: Line) -> None:
    for question in questions(data):
        there.say(rtu(question.unit, question.answer()))


@pytest.fixture
async def device() -> AsyncIterator[Line]:
    async with line(inverter) as found:
        yield found


async def test_reads_and_writes_with_pymodbus_at_the_other_end() -> None:
    from pymodbus import FramerType
    from pymodbus.server import ModbusSerialServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    data = SimData(0, values=words_at(0, 500), datatype=DataType.REGISTERS)
    async with line() as cable:
        server = ModbusSerialServer(
            [SimDevice(1, simdata=[data])],
            framer=FramerType.RTU,
            port=cable.theirs,
            baudrate=115200,
        )
        await server.serve_forever(background=True)
        try:
            link = link_to(cable.ours)
            assert await ask(link, 0, 125) == words_at(0, 125)
            assert list(await link.read(1, 4, 9, 3, timeout=3)) == words_at(9, 3)
            await link.write(1, 20, [9], function=6, timeout=3)
            await link.write(1, 21, [1, 2, 3], timeout=3)
            assert await server.async_getValues(1, 3, 20, 4) == [9, 1, 2, 3]
            with pytest.raises(Refusal, match=r"refuses to read registers 900 to 901 of unit 1"):
                await ask(link, 900)
            assert link.stats.connections == 1
            # An answer that is lost on the line costs that request alone.
            cable.drop_answers = 1
            with pytest.raises(DeviceTimeout, match=rf"^{cable.ours} did not answer within 0.2 s"):
                await ask(link, 30, timeout=0.2)
            assert await ask(link, 31) == words_at(31, 2)
            await link.close()
        finally:
            await server.shutdown()


async def test_many_users_of_one_line(device: Line) -> None:
    spec = LinkSpec(transport="serial", tty=device.ours, baudrate=115200)

    async def user(first: int) -> None:
        async with links().use(spec, lambda: SerialWire(device.ours, 115200)) as link:
            for address in range(first, first + 10):
                assert await ask(link, address) == words_at(address, 2)

    async with anyio.create_task_group() as tasks:
        for first in (0, 1000, 2000):
            tasks.start_soon(user, first)


async def test_a_late_answer_is_never_taken_for_the_next_question() -> None:
    """Opening the port again does not silence an inverter that is still thinking."""
    slow = [0.15]

    async def thinks(data: bytes, there: Line) -> None:
        for question in questions(data):
            await anyio.sleep(slow.pop() if slow else 0)
            there.say(rtu(question.unit, question.answer()))

    async with line(thinks) as found:
        link = link_to(found.ours)
        with pytest.raises(DeviceTimeout):
            await ask(link, 100, timeout=0.1)
        for address in range(200, 205):
            assert await ask(link, address) == words_at(address, 2)
        await link.close()


async def test_a_spoilt_answer_and_noise_on_an_idle_line() -> None:
    spoilt = [True]

    async def noisy(data: bytes, there: Line) -> None:
        for question in questions(data):
            frame = bytearray(rtu(question.unit, question.answer()))
            if spoilt:
                frame[4] ^= spoilt.pop()
            there.say(bytes(frame))

    async with line(noisy) as found:
        link = link_to(found.ours)
        with pytest.raises(DeviceGarbled, match=rf"^{found.ours} sent an answer with a wrong chec"):
            await ask(link)
        assert await ask(link) == words_at(0, 2)
        found.say(rtu(1, b"\x03\x04\0\1\0\2"))
        await anyio.sleep(0.05)
        assert await ask(link) == words_at(0, 2)
        await link.close()


async def test_an_adapter_that_is_unplugged_fails_at_once(device: Line) -> None:
    async def pulled(data: bytes, there: Line) -> None:
        there.unplug()

    device.respond = pulled
    link = link_to(device.ours)
    with anyio.fail_after(2), pytest.raises(DeviceTimeout, match="was the adapter unplugged"):
        await ask(link, timeout=30)
    with pytest.raises(DeviceTimeout, match=rf"^{device.ours} cannot be opened: .*no such port"):
        await ask(link)
    await link.close()


async def test_a_port_that_another_program_has(device: Line) -> None:
    link = link_to(device.ours)
    await ask(link)
    with pytest.raises(DeviceTimeout, match="cannot be opened: another program has it open"):
        await SerialWire(device.ours, 115200).connect()
    await link.close()
    await ask(second := link_to(device.ours))
    await second.close()


async def test_a_speed_that_the_port_does_not_know(device: Line) -> None:
    with pytest.raises(DeviceTimeout, match=r"cannot be opened: signed integer is greater"):
        await SerialWire(device.ours, 10**12).connect()
    with pytest.raises(DeviceTimeout, match=r"cannot be opened: Not a valid parity"):
        await SerialWire(device.ours, 9600, "X").connect()


def test_the_line_is_quiet_before_a_frame() -> None:
    assert SerialWire("x", 9600).silence == pytest.approx(0.00401, abs=1e-5)
    assert SerialWire("x", 115200).silence == 0.00175


def test_a_tty_is_one_endpoint_under_all_its_names(tmp_path: object) -> None:
    one = LinkSpec(transport="serial", tty="/dev/null")
    two = LinkSpec(transport="serial", tty="/dev/../dev/null", baudrate=19200)
    assert one.endpoint == two.endpoint
    assert one.name == "/dev/null"
    assert one.manner != two.manner
