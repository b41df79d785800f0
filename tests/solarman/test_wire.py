"""Our own client on a real socket: what pysolarmanv5's does not survive, and every fault."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import anyio
import pytest

from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout
from bridge.modbus.solarman import SolarmanWire
from bridge.modbus.wire import Refusal
from bridge.simulators.solarman import FAULTS, QUIRKS, SERIAL, SolarmanStick
from tests.solarman.words import Fixed, Words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

WANTED = [80, 7, 64036, 300]
SILENT = {"silence", "garbage", "bad_checksum", "foreign_serial", "foreign_sequence", "late"}


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(2):
        while not condition():  # noqa: ASYNC110 - the stick knows no events of ours
            await anyio.sleep(0.005)


@contextlib.asynccontextmanager
async def connected(stick: SolarmanStick, serial: int = SERIAL) -> AsyncIterator[SolarmanWire]:
    wire = SolarmanWire(stick.host, stick.port, serial=serial, seconds=lambda: 1_700_000_000)
    await wire.connect()
    assert wire.connected
    try:
        yield wire
    finally:
        await wire.close()
        assert not wire.connected


async def test_reads_and_writes() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        assert list(await wire.read(1, 3, 588, 4)) == WANTED
        assert list(await wire.read(1, 4, 590, 1)) == [64036]
        await wire.write(1, 16, 108, [55, 66])
        assert list(await wire.read(1, 3, 108, 2)) == [55, 66]
        await wire.write(1, 6, 109, [0xFFFF])
        assert list(await wire.read(1, 3, 109, 1)) == [0xFFFF]
    assert [request[1] for request in stick.requests] == [3, 4, 16, 3, 6, 3]


@pytest.mark.parametrize("quirk", QUIRKS)
async def test_no_quirk_of_a_stick_is_noticed(quirk: str) -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        stick.quirks = {quirk}
        with anyio.fail_after(5):
            for _ in range(3):
                assert list(await wire.read(1, 3, 588, 4)) == WANTED
                await wire.write(1, 16, 108, [1, 2])
                with pytest.raises(Refusal) as caught:
                    await wire.read(1, 3, 1000, 2)
                assert caught.value.code == 2


async def test_all_quirks_together() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        stick.quirks = set(QUIRKS) - {"bytewise"}
        with anyio.fail_after(5):
            assert list(await wire.read(1, 3, 588, 4)) == WANTED


async def test_heartbeats_are_answered_also_while_nobody_asks() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick):
        stick.heartbeat()
        await until(lambda: bool(stick.acknowledged))
    (answer,) = stick.acknowledged
    assert (answer.control, answer.serial) == (0x1710, SERIAL)
    assert answer.payload == struct.pack("<BBII", 0, 1, 1_700_000_000, 0)


async def test_reports_are_answered() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        stick.quirks = {"report_before"}
        await wire.read(1, 3, 588, 4)
        await until(lambda: bool(stick.acknowledged))
    assert stick.acknowledged[0].control == 0x1810


async def test_a_connection_that_closes_while_waiting_is_noticed_at_once() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        stick.fault = "close"
        with anyio.fail_after(1), pytest.raises(DeviceTimeout, match="closed the connection"):
            await wire.read(1, 3, 588, 4)
        assert not wire.connected
        with pytest.raises(DeviceTimeout, match="closed the connection"):
            await wire.read(1, 3, 588, 4)


async def test_a_connection_that_closes_between_two_questions_is_noticed() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        await wire.read(1, 3, 588, 4)
        await stick.stop()
        await until(lambda: not wire.connected)


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - SILENT))
async def test_faults_that_are_heard_are_plain_sentences(fault: str) -> None:
    words = {
        "close": "closed the connection",
        "truncated": "closed the connection",
        "bad_crc": "damaged",
        "foreign_answer": "another question",
        "empty": "does not reach the inverter",
        "busy": "busy",
        "modbus_tcp": "speaks Modbus TCP: set 'transport: modbus' and 'port: ",
    }
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        stick.fault = fault
        with anyio.fail_after(2), pytest.raises(DeviceError) as caught:
            await wire.read(1, 3, 588, 4)
    assert words[fault] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("fault", sorted(SILENT))
async def test_faults_that_leave_us_waiting_say_why_where_that_was_heard(fault: str) -> None:
    words = {
        "garbage": "something that is not the Solarman protocol",
        "bad_checksum": "something that is not the Solarman protocol",
        "foreign_serial": f"has the serial number {SERIAL ^ 0xFF}, not {SERIAL}",
        "foreign_sequence": "answered another question",
        "silence": "did not answer at all: check 'serial'",
        "late": "did not answer at all: check 'serial'",
    }
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        stick.fault = fault
        with anyio.move_on_after(0.1) as waited:
            await wire.read(1, 3, 588, 4)
        assert waited.cancelled_caught
        heard = wire.while_waiting
        assert words[fault] in (heard or "")
        # A question that was given up leaves nothing behind.
        stick.fault = None
        with anyio.fail_after(1):
            assert list(await wire.read(1, 3, 588, 4)) == WANTED
        assert wire.while_waiting is None


async def test_a_stick_that_has_answered_has_the_right_serial() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        await wire.read(1, 3, 588, 4)
        stick.fault = "silence"
        with anyio.move_on_after(0.1) as waited:
            await wire.read(1, 3, 588, 4)
        assert waited.cancelled_caught
        assert wire.while_waiting is None


async def test_another_unit_has_no_answer() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick) as wire:
        with pytest.raises(DeviceTimeout, match="unit id than 2"):
            await wire.read(2, 3, 588, 4)


@pytest.mark.parametrize(
    ("pdu", "sentence"),
    [
        (b"\x03\x02\x00\x01", "another number of registers"),
        (b"\x03\x08\x00\x01", "another number of registers"),
        (b"\x03", "damaged|carries no answer"),
        (b"\x83\x06", "busy"),
        (b"\x83\x80", "login"),
        (b"\x84\x02", "another question"),
        (b"\x2b\x0e\x01", "another question"),
    ],
)
async def test_answers_that_do_not_fit(pdu: bytes, sentence: str) -> None:
    async with SolarmanStick(Fixed(lambda _: pdu)) as stick, connected(stick) as wire:
        with anyio.fail_after(1), pytest.raises(DeviceError, match=sentence):
            await wire.read(1, 3, 588, 4)


async def test_a_confirmation_of_something_else() -> None:
    other = Fixed(lambda pdu: pdu[:1] + b"\x00\x01\x00\x01")
    async with SolarmanStick(other) as stick, connected(stick) as wire:
        for function in (6, 16):
            with pytest.raises(DeviceGarbled, match="confirmed something else"):
                await wire.write(1, function, 108, [3])


async def test_a_stick_that_is_not_there() -> None:
    async with SolarmanStick(Words()) as stick:
        pass
    wire = SolarmanWire(stick.host, stick.port, serial=SERIAL)
    with pytest.raises(DeviceTimeout, match="cannot be reached: nothing listens"):
        await wire.connect()
    with pytest.raises(DeviceTimeout):
        await wire.read(1, 3, 588, 4)
    await wire.close()


async def test_a_stick_that_takes_one_client_only() -> None:
    async with SolarmanStick(Words(), clients=1) as stick, connected(stick) as first:
        await first.read(1, 3, 588, 4)
        second = SolarmanWire(stick.host, stick.port, serial=SERIAL)
        await second.connect()
        with anyio.fail_after(2), pytest.raises(DeviceTimeout, match="closed the connection"):
            await second.read(1, 3, 588, 4)
        assert list(await first.read(1, 3, 588, 4)) == WANTED


async def test_a_question_for_another_stick_is_not_answered() -> None:
    async with SolarmanStick(Words()) as stick, connected(stick, SERIAL + 1) as wire:
        with anyio.move_on_after(0.1) as waited:
            await wire.read(1, 3, 588, 4)
        assert waited.cancelled_caught
        assert stick.requests == []
