"""Modbus TCP over links that break: closed, reset, cut, late, spoilt, not there at all."""

from __future__ import annotations

import socket

import anyio
import pytest

from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceTimeout
from bridge.modbus.link import Link
from bridge.modbus.tcp import TcpWire
from tests.modbus.helpers import Peer, RawServer, pymodbus_server, words_at
from tests.support.proxy import FaultProxy


def link_to(port: int) -> Link:
    return Link(TcpWire("127.0.0.1", port), f"127.0.0.1:{port}")


async def ask(
    link: Link, address: int = 0, count: int = 2, timeout: float = 3, function: int = 3
) -> list[int]:
    return list(await link.read(1, function, address, count, timeout=timeout))


# -------------------------------------------------------------------------------- broken links


async def test_a_connection_closed_while_waiting_fails_at_once() -> None:
    async def closes(peer: Peer) -> None:
        await peer.question()

    async with RawServer(closes) as server:
        link = link_to(server.port)
        with anyio.fail_after(2), pytest.raises(DeviceTimeout, match="closed the connection"):
            await ask(link, timeout=30)
        await link.close()


async def test_a_reset_while_waiting_fails_at_once() -> None:
    async def resets(peer: Peer) -> None:
        await peer.question()
        proxy.reset()

    async with RawServer(resets) as server, FaultProxy("127.0.0.1", server.port) as proxy:
        link = link_to(proxy.port)
        with anyio.fail_after(2), pytest.raises(DeviceTimeout, match="the connection"):
            await ask(link, timeout=30)
        await link.close()


@pytest.mark.parametrize("pause", [0.0, 0.02])
async def test_a_device_that_closes_after_each_request(pause: float) -> None:
    """It closes with the answer, or a moment later, when the next question is on its way."""

    async def one_each(peer: Peer) -> None:
        await peer.answer(await peer.question())
        await anyio.sleep(pause)

    async with RawServer(one_each) as server:
        link = link_to(server.port)
        for address in range(6):
            assert await ask(link, address) == words_at(address, 2)
        for address in range(3):
            await link.write(1, address, [address], timeout=3)
            await anyio.sleep(0.005)
        written = [each for each in server.asked if each.function == 16]
        assert len(written) == 3
        await link.close()


async def test_a_closed_connection_is_noticed_before_anything_is_sent() -> None:
    async with RawServer() as server:
        async with FaultProxy("127.0.0.1", server.port) as proxy:
            link = link_to(proxy.port)
            await ask(link)
            proxy.cut()
            await anyio.sleep(0.05)
            assert not link.wire.connected
            await link.write(1, 3, [1], timeout=3)
        assert link.stats.failures == 0
        assert len(server.asked) == 2
        await link.close()


async def test_a_late_answer_is_never_taken_for_the_next_question() -> None:
    async with pymodbus_server() as (_, port), FaultProxy("127.0.0.1", port) as proxy:
        link = link_to(proxy.port)
        await ask(link)
        proxy.down.stall = True
        for address in range(100, 104):
            with pytest.raises(DeviceTimeout, match="did not answer within"):
                await ask(link, address, timeout=0.05)
        proxy.down.stall = False
        for address in range(200, 210):
            assert await ask(link, address) == words_at(address, 2)
        await link.close()


async def test_a_cancelled_caller_leaves_no_answer_for_the_next() -> None:
    async with pymodbus_server() as (_, port), FaultProxy("127.0.0.1", port) as proxy:
        proxy.down.delay = 0.02
        link = link_to(proxy.port)
        for address in range(20):
            with anyio.move_on_after(0.01):
                await ask(link, 1000 + address)
            assert await ask(link, address) == words_at(address, 2)
        await link.close()


async def test_flipped_bits_end_in_an_error_or_in_words_but_never_in_a_crash() -> None:
    """Modbus TCP has no checksum of its own: what is spoilt inside a word cannot be seen."""
    async with pymodbus_server() as (_, port), FaultProxy("127.0.0.1", port) as proxy:
        link = link_to(proxy.port)
        seen: list[str] = []
        for step in range(5, 40):
            proxy.down.flip_every = step
            try:
                assert len(await ask(link, step, timeout=0.05)) == 2
            except DeviceError as error:
                seen.append(str(error))
        assert seen
        assert all("127.0.0.1" in each for each in seen)
        proxy.down.flip_every = None
        assert await ask(link, 7) == words_at(7, 2)
        await link.close()


async def test_a_truncated_answer_fails_at_once() -> None:
    async with pymodbus_server() as (_, port), FaultProxy("127.0.0.1", port) as proxy:
        link = link_to(proxy.port)
        proxy.down.cut_after = 11
        with anyio.fail_after(2), pytest.raises(DeviceTimeout, match="closed the connection"):
            await ask(link, 0, 10, timeout=30)
        proxy.down.cut_after = None
        assert await ask(link) == words_at(0, 2)
        await link.close()


# -------------------------------------------------------------------------------- not reachable


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "nothing listens on this port"),
        ("localhost", "nothing listens on this port"),
        ("nobody.invalid", "nobody knows this name"),
    ],
)
async def test_why_a_device_cannot_be_reached(host: str, words: str) -> None:
    port = free_port()
    with pytest.raises(DeviceTimeout, match=rf"^{host}:{port} cannot be reached: {words}"):
        await TcpWire(host, port).connect()


async def test_a_host_that_does_not_answer_takes_as_long_as_the_timeout() -> None:
    """A full listen queue drops our packets, as a host that is switched off does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        clients = [socket.socket() for _ in range(4)]
        for each in clients:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        link = link_to(port)
        before = Clock().now()
        with pytest.raises(DeviceTimeout, match=r"cannot be reached: no connection within 0.3 s$"):
            await ask(link, timeout=0.3)
        assert Clock().now() - before < 5
        for each in clients:
            each.close()


async def test_a_device_that_is_away_for_a_while() -> None:
    async with pymodbus_server() as (_, port), FaultProxy("127.0.0.1", port) as proxy:
        link = Link(TcpWire("127.0.0.1", proxy.port), "it")
        assert await ask(link) == words_at(0, 2)
        proxy.refuse = True
        proxy.reset()
        with pytest.raises(DeviceTimeout):
            await ask(link)
        proxy.refuse = False
        assert await ask(link) == words_at(0, 2)
        await link.close()


async def test_closing_twice_and_closing_what_was_never_open() -> None:
    wire = TcpWire("127.0.0.1", 1)
    await wire.close()
    async with RawServer() as server:
        wire = TcpWire("127.0.0.1", server.port)
        await wire.connect()
        await wire.connect()
        await wire.close()
        await wire.close()
        assert not wire.connected
        with pytest.raises(DeviceTimeout, match="is not connected"):
            await wire.read(1, 3, 0, 1)
