"""The fault proxy does what its switches say."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from tests.support.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


async def echo(stream: SocketStream) -> None:
    async with stream:
        try:
            async for chunk in stream:
                await stream.send(chunk)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[FaultProxy, SocketStream]]:
    """A proxy before an echo server, and a client connected through it."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, echo)
        port = listener.extra(SocketAttribute.local_port)
        async with (
            FaultProxy("127.0.0.1", port) as proxy,
            await anyio.connect_tcp("127.0.0.1", proxy.port) as client,
        ):
            yield proxy, client
        tasks.cancel_scope.cancel()


async def trip(client: SocketStream, data: bytes, timeout: float = 3.0) -> bytes:
    """Send and collect as many bytes as were sent."""
    await client.send(data)
    got = b""
    with anyio.fail_after(timeout):
        while len(got) < len(data):
            got += await client.receive()
    return got


async def until_broken(client: SocketStream) -> tuple[bytes, Exception]:
    """All that still arrives, and how the connection ends."""
    got = b""
    with anyio.fail_after(3):
        while True:
            try:
                got += await client.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
                return got, error


async def test_clean_bytes_pass_and_are_counted() -> None:
    async with linked() as (proxy, client):
        data = bytes(range(256)) * 1000
        assert await trip(client, data) == data
        assert proxy.up.received == proxy.up.delivered == len(data)
        assert proxy.down.delivered == len(data)
        assert (proxy.connections, proxy.open) == (1, 1)


async def test_delay_is_a_latency_and_not_a_rate() -> None:
    async with linked() as (proxy, client):
        proxy.down.delay = 0.2
        began = anyio.current_time()
        for _ in range(10):
            await client.send(b"x")
            await anyio.sleep(0.01)
        assert await client.receive() == b"x"
        assert anyio.current_time() - began >= 0.2
        got = 1
        with anyio.fail_after(1.0):  # ten delays in a row would need two seconds
            while got < 10:
                got += len(await client.receive())


async def test_stall_holds_and_releases() -> None:
    async with linked() as (proxy, client):
        proxy.up.stall = True
        with pytest.raises(TimeoutError):
            await trip(client, b"held", 0.2)
        proxy.up.stall = False
        with anyio.fail_after(3):
            assert await client.receive() == b"held"


async def test_drop_swallows_while_the_link_stays() -> None:
    async with linked() as (proxy, client):
        proxy.up.drop = True
        with pytest.raises(TimeoutError):
            await trip(client, b"gone", 0.2)
        proxy.up.drop = False
        assert await trip(client, b"here") == b"here"
        assert proxy.open == 1


async def test_flip_changes_the_bits_that_were_asked() -> None:
    async with linked() as (proxy, client):
        proxy.down.flip_every = 10
        got = await trip(client, bytes(100))
        assert [index for index, byte in enumerate(got) if byte] == list(range(0, 100, 10))
        assert proxy.down.flipped == 10


async def test_cut_after_delivers_exactly_that_much() -> None:
    async with linked() as (proxy, client):
        proxy.down.cut_after = 30
        await client.send(b"y" * 100)
        got, error = await until_broken(client)
        assert got == b"y" * 30
        assert isinstance(error, anyio.EndOfStream)
        assert proxy.open == 0


@pytest.mark.parametrize("how", ["now", "after"])
async def test_reset_is_a_reset(how: str) -> None:
    async with linked() as (proxy, client):
        assert await trip(client, b"a") == b"a"
        if how == "now":
            proxy.reset()
        else:
            proxy.up.reset_after = 1
            await client.send(b"b")
        _, error = await until_broken(client)
        assert isinstance(error.__cause__, ConnectionResetError)


async def test_refuse_and_an_absent_server() -> None:
    async with linked() as (proxy, _client):
        proxy.cut()
        proxy.refuse = True
        for _ in range(2):
            with anyio.fail_after(3):
                stream = await anyio.connect_tcp("127.0.0.1", proxy.port)
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await stream.receive()
                await stream.aclose()
            proxy.refuse = False
            proxy.retarget(1)
