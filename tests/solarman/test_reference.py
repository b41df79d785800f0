"""pysolarmanv5's own clients: they accept the simulated stick, and have faults that ours has not.

Where one of these fails one day because the library was mended, read docs/decisions/0008 again.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
from pysolarmanv5 import (  # type: ignore[import-untyped]
    NoSocketAvailableError,
    PySolarmanV5,
    PySolarmanV5Async,
    V5FrameError,
)
from umodbus.exceptions import IllegalDataAddressError  # type: ignore[import-untyped]

from bridge.modbus.link import Link
from bridge.modbus.solarman import SolarmanWire
from bridge.simulators.solarman import SERIAL, SolarmanStick
from tests.solarman.words import Words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WANTED = [80, 7, 64036, 300]
QUIET = logging.getLogger("quiet")
QUIET.disabled = True


@contextlib.asynccontextmanager
async def theirs(stick: SolarmanStick, **more: Any) -> AsyncIterator[Any]:
    client = PySolarmanV5Async(
        stick.host, SERIAL, port=stick.port, socket_timeout=0.3, logger=QUIET, **more
    )
    await client.connect()
    writer = client.writer
    try:
        yield client
    finally:
        writer.close()  # theirs forgets it when the other side closes
        with contextlib.suppress(OSError, AttributeError):
            await client.disconnect()


# ---------------------------------------------------------------- they accept the simulated stick


async def test_the_asynchronous_client_reads_and_writes() -> None:
    async with SolarmanStick(Words()) as stick, theirs(stick) as client:
        assert await client.read_holding_registers(588, 4) == WANTED
        assert await client.read_input_registers(590, 1) == [64036]
        await client.write_multiple_holding_registers(108, [5, 6])
        await client.write_holding_register(109, 7)
        assert await client.read_holding_registers(108, 2) == [5, 7]
        with pytest.raises(IllegalDataAddressError):
            await client.read_holding_registers(2000, 1)
        stick.quirks = {"double_crc"}
        assert await client.read_holding_registers(588, 4) == WANTED
        stick.quirks, stick.fault = set(), "empty"
        with pytest.raises(V5FrameError, match="valid Modbus RTU"):
            await client.read_holding_registers(588, 4)


def with_the_synchronous_client(host: str, port: int) -> list[Any]:
    client = PySolarmanV5(host, SERIAL, port=port, socket_timeout=2, logger=QUIET)
    try:
        seen = [client.read_holding_registers(588, 4)]
        client.write_multiple_holding_registers(108, [5, 6])
        client.write_holding_register(109, 7)
        return [*seen, client.read_holding_registers(108, 2)]
    finally:
        client.disconnect()


async def test_the_synchronous_client_reads_and_writes() -> None:
    # It drops an answer that comes before it has noted that it wants one: not too quick, then.
    async with SolarmanStick(Words(), delay=0.05) as stick:
        seen = await anyio.to_thread.run_sync(with_the_synchronous_client, stick.host, stick.port)
    assert seen == [WANTED, [5, 7]]


# ---------------------------------------------------------------- what theirs gets wrong, ours not


async def test_parallel_questions() -> None:
    """Theirs gives the first caller the answer to the second one's question."""
    seen: dict[int, Any] = {}

    async def ask(client: Any, address: int) -> None:
        try:
            seen[address] = await client.read_holding_registers(address, 1)
        except TimeoutError:
            seen[address] = "timeout"

    async with SolarmanStick(Words(), delay=0.02) as stick:
        for _ in range(5):  # a busy machine may let each time out once
            async with theirs(stick) as client, anyio.create_task_group() as tasks:
                tasks.start_soon(ask, client, 588)
                tasks.start_soon(ask, client, 589)
            assert seen != {588: [80], 589: [7]}
            if seen[588] == [7]:
                break
        assert seen[588] == [7]

        async def ours(address: int) -> None:
            seen[address] = list(await link.read(1, 3, address, 1, timeout=1))

        wire = SolarmanWire(stick.host, stick.port, serial=SERIAL)
        link = Link(wire, wire.name)
        async with anyio.create_task_group() as tasks:
            for address in (588, 589, 590, 591):
                tasks.start_soon(ours, address)
        await link.close()
    assert seen == {588: [80], 589: [7], 590: [64036], 591: [300]}


@pytest.mark.parametrize(
    ("quirk", "error"),
    [
        ("split", (V5FrameError, IndexError)),
        ("heartbeat_glued_after", V5FrameError),
        ("heartbeat_glued_before", TimeoutError),
    ],
)
@pytest.mark.parametrize("correction", [False, True])
async def test_segments_are_not_frames(
    quirk: str, error: type[Exception] | tuple[type[Exception], ...], correction: bool
) -> None:
    """Theirs takes each segment of the stream for one frame; ours: test_wire, all quirks."""
    async with SolarmanStick(Words()) as stick:
        stick.quirks = {quirk}
        async with theirs(stick, v5_error_correction=correction) as client:
            with pytest.raises(error):
                assert await client.read_holding_registers(588, 4) == WANTED
        wire = SolarmanWire(stick.host, stick.port, serial=SERIAL)
        await wire.connect()
        assert list(await wire.read(1, 3, 588, 4)) == WANTED
        await wire.close()


async def test_a_stick_that_closes_while_the_answer_is_waited_for() -> None:
    """Theirs waits the whole timeout (60 s by default); ours: test_wire, at once."""
    async with SolarmanStick(Words()) as stick, theirs(stick) as client:
        stick.fault = "close"
        started = anyio.current_time()
        with pytest.raises((TimeoutError, NoSocketAvailableError)) as caught:
            await client.read_holding_registers(588, 4)
        assert caught.type is TimeoutError
        assert anyio.current_time() - started >= 0.29
