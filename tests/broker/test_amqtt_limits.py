"""Nobody can crash, block or fill up the broker that lives inside the bridge."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import aiomqtt
import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.broker import amqtt_link
from bridge.broker.amqtt_embedded import run_amqtt
from bridge.broker.amqtt_frames import MAX_PACKET
from bridge.broker.amqtt_link import Link
from bridge.broker.settings import Address
from tests.broker.brokers import client, collect, embedded, plain, port_of, serving
from tests.broker.raw import (
    PINGREQ,
    closed_within,
    connect,
    connected,
    packet,
    publish,
    subscribe,
    text,
)

if TYPE_CHECKING:
    from anyio.abc import SocketStream

_FIRST = st.integers(0, 255)
_JUNK = st.one_of(
    st.binary(max_size=200),
    st.builds(packet, _FIRST, st.binary(max_size=60)),
    st.builds(lambda first, rest: packet(first, text("MQTT") + rest), _FIRST, st.binary()),
    st.builds(lambda topic, rest: publish(topic, rest, qos=1), st.binary(max_size=9), st.binary()),
)


async def throw(port: int, data: bytes) -> None:
    """Send bytes and leave, with and without a CONNECT before them."""
    for hello in (b"", connect("junk", will=("will/junk", "x"))):
        try:
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(hello + data)
        except OSError:
            continue


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=st.lists(_JUNK, min_size=1, max_size=30))
def test_any_bytes_leave_it_working(junk: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving("amqtt") as port:
            async with anyio.create_task_group() as tasks:
                for data in junk:
                    tasks.start_soon(throw, port, data)
            async with client(port) as one:
                await one.subscribe("still/here")
                await one.publish("still/here", "x", qos=2)
                assert plain(await collect(one, 1, 5)) == [("still/here", b"x", 0, False)]

    anyio.run(main)
    gc.collect()  # a lost exception shows when its task is collected
    assert caplog.records == []


async def test_a_connection_without_a_connect_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqtt_link, "CONNECT_WITHIN", 0.3)
    async with serving("amqtt") as port, await anyio.connect_tcp("127.0.0.1", port) as idle:
        await idle.send(connect("idle")[:5])
        assert await closed_within(idle, 2)


async def test_a_second_connect_and_a_server_packet_close_the_connection() -> None:
    async with serving("amqtt") as port:
        for wrong in (connect("a"), b"\x20\x02\x00\x00", b"\xf0\x00", b"\xc0\x01\x00"):
            async with connected(port, connect("a")) as stream:
                await stream.send(wrong)
                assert await closed_within(stream, 2), wrong


async def test_a_shared_subscription_is_refused_instead_of_swallowed() -> None:
    async with serving("amqtt") as port, connected(port, connect("share")) as stream:
        await stream.send(subscribe("$share/group/a", "b"))
        with anyio.fail_after(2):
            assert await stream.receive() == packet(0x90, b"\x00\x01\x80\x00")


async def test_overlapping_filters_give_the_best_granted_qos() -> None:
    async with serving("amqtt") as port, client(port) as one:
        await one.subscribe([("o/#", 0), ("o/+", 1), ("o/a", 0)])
        await one.publish("o/a", "x", qos=2)
        assert plain(await collect(one)) == [("o/a", b"x", 1, False)]


async def ping(stream: SocketStream) -> None:
    with suppress(anyio.BrokenResourceError):
        while True:
            await anyio.sleep(0.3)
            await stream.send(PINGREQ)


async def test_a_client_that_does_not_read_is_let_go_and_hinders_nobody() -> None:
    async with (
        serving("amqtt") as port,
        client(port) as watcher,
        client(port) as sender,
        anyio.create_task_group() as tasks,
    ):
        await watcher.subscribe("will/deaf")
        hello = connect("deaf", keepalive=2, will=("will/deaf", "gone"))
        async with connected(port, hello) as deaf, client(port) as other:
            await deaf.send(subscribe("flood", qos=0))
            tasks.start_soon(ping, deaf)
            await other.subscribe("flood")
            for _ in range(60):
                await sender.publish("flood", bytes(200_000), qos=1)
            assert len(await collect(other, 60, 10)) == 60
            # It pings and never reads: 1.5 times its keepalive later it is gone.
            assert [m[1] for m in plain(await collect(watcher, 1, 8))] == [b"gone"]
        tasks.cancel_scope.cancel()


async def test_what_waits_for_one_client_is_bounded() -> None:
    many, large = Link(None), Link(None)
    assert sum(many.hand_over(10) for _ in range(5000)) == 1000
    assert sum(large.hand_over(MAX_PACKET) for _ in range(100)) == 32
    assert (many.pending, large.pending) == (1000, 32)
    await large.deliver("a", bytes(MAX_PACKET), 0, retain=False)
    assert large.hand_over(MAX_PACKET)


async def test_shutdown_is_quick_and_leaves_no_task_whatever_clients_do() -> None:
    before = len(asyncio.all_tasks())
    async with run_amqtt(Address("127.0.0.1", 0), {}) as broker:
        port = int(broker.url.rpartition(":")[2])
        mute = await anyio.connect_tcp("127.0.0.1", port)
        deaf = await anyio.connect_tcp("127.0.0.1", port)
        await deaf.send(connect("deaf", will=("will", "x")) + subscribe("flood", qos=1))
        async with client(port) as sender:
            for _ in range(40):
                await sender.publish("flood", bytes(200_000), qos=1)
        idle = await anyio.connect_tcp("127.0.0.1", port)
        await idle.send(connect("idle"))
        assert broker.alive
        began = anyio.current_time()
    assert anyio.current_time() - began < 1.0
    assert not broker.alive
    await broker.wait_closed()
    await anyio.sleep(0.05)
    assert len(asyncio.all_tasks()) == before
    for stream in (mute, deaf, idle):
        assert await closed_within(stream, 1)
        await stream.aclose()


async def test_a_stop_publishes_no_wills() -> None:
    """As mosquitto: a stopping broker tells nobody that everybody is gone."""
    async with embedded("amqtt") as broker:
        port = port_of(broker)
        watcher = await anyio.connect_tcp("127.0.0.1", port)
        await watcher.send(connect("watcher") + subscribe("will"))
        other = await anyio.connect_tcp("127.0.0.1", port)
        await other.send(connect("other", will=("will", "gone")))
        await anyio.sleep(0.2)
        assert await watcher.receive() == b"\x20\x02\x00\x00\x90\x03\x00\x01\x00"
    with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
        await watcher.receive()
    await watcher.aclose()
    await other.aclose()


async def test_its_logs_are_quiet_and_the_levels_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    level = logging.getLogger("amqtt").level
    async with serving("amqtt") as port:
        for data in (b"GET / HTTP/1.1\r\n\r\n", PINGREQ, connect("x")[:-1] + b"\xff"):
            await throw(port, data)
        with pytest.raises(aiomqtt.MqttError, match="protocol"):
            async with client(port, protocol=aiomqtt.ProtocolVersion.V5):
                pass
    assert [one for one in caplog.records if one.name.startswith(("amqtt", "transitions"))] == []
    assert logging.getLogger("amqtt").level == level
