"""amqtt's faults: absent in mosquitto, absent in our mended amqtt, present in amqtt as it comes.

The last part is on purpose: when a later amqtt mends one itself, its test fails here and the
mending can go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiomqtt
import anyio
import pytest

from tests.broker.brokers import (
    SETTLE,
    client,
    collect,
    needs_mosquitto,
    plain,
    quiet_amqtt,
    serving,
)
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
    from collections.abc import Awaitable, Callable

KEEPALIVE_LIMIT = 8.0  # s; 1.5 s is meant, mosquitto looks every few seconds


async def a_silent_client_is_closed_and_its_will_published(port: int) -> None:
    async with client(port) as watcher:
        await watcher.subscribe("will/#", qos=1)
        hello = connect("silent", keepalive=1, will=("will/a", "gone"), will_retain=True)
        async with connected(port, hello) as silent:
            began = anyio.current_time()
            assert await closed_within(silent, KEEPALIVE_LIMIT), "still connected"
            assert anyio.current_time() - began > 1.0, "closed before its time"
        assert plain(await collect(watcher, 1)) == [("will/a", b"gone", 1, False)]
    async with client(port) as late:
        await late.subscribe("will/a")
        assert plain(await collect(late, 1)) == [("will/a", b"gone", 0, True)]


async def half_a_packet_does_not_keep_a_client_alive(port: int) -> None:
    hello = connect("half", keepalive=1)
    async with connected(port, hello) as silent:
        await silent.send(publish("a", b"x" * 100)[:50])
        assert await closed_within(silent, KEEPALIVE_LIMIT), "still connected"


async def the_same_id_replaces_the_older_connection(port: int) -> None:
    async with client(port) as watcher:
        await watcher.subscribe("will/#")
        async with (
            connected(port, connect("twin", will=("will/twin", "gone"))) as first,
            client(port, identifier="twin") as second,
        ):
            assert await closed_within(first, 3), "the older connection is still open"
            assert [m[1] for m in plain(await collect(watcher, 1))] == [b"gone"]
            await second.subscribe("a")
            await second.publish("a", "alive", qos=1)
            assert [m[1] for m in plain(await collect(second, 1))] == [b"alive"]


async def retained_messages_come_only_to_who_asked(port: int) -> None:
    async with client(port) as other:
        await other.subscribe("kept/#")
        await other.publish("kept/a", "1", retain=True, qos=1)
        await other.publish("kept/b", "2", retain=True, qos=1)
        async with client(port) as fresh:
            assert plain(await collect(fresh)) == [], "messages before any subscription"
            await fresh.subscribe("kept/b")
            assert plain(await collect(fresh)) == [("kept/b", b"2", 0, True)]


async def retained_messages_come_with_the_lower_qos(port: int) -> None:
    async with client(port) as other:
        await other.publish("kept/a", "1", retain=True, qos=0)
        await other.publish("kept/b", "2", retain=True, qos=1)
        await other.subscribe("kept/+", qos=2)
        got = {message[0]: message[2] for message in plain(await collect(other, 2, 3))}
        assert got == {"kept/a": 0, "kept/b": 1}


async def delivered_qos_is_the_lower_of_both(port: int) -> None:
    async with client(port) as one:
        for granted in (0, 1, 2):
            await one.subscribe(f"q/{granted}", qos=granted)
            for sent in (0, 1, 2):
                await one.publish(f"q/{granted}", str(sent), qos=sent)
                (message,) = await collect(one, 1, 3)
                assert message.qos == min(granted, sent), f"sub {granted}, pub {sent}"


async def overlapping_filters_give_one_copy(port: int) -> None:
    async with client(port) as one:
        await one.subscribe([("o/#", 1), ("o/+", 1), ("o/a", 1)])
        await one.publish("o/a", "x", qos=1)
        assert plain(await collect(one)) == [("o/a", b"x", 1, False)]


async def subscribing_again_replaces_the_qos(port: int) -> None:
    async with client(port) as one:
        for granted in (0, 1, 0):
            await one.subscribe("r", qos=granted)
            await one.publish("r", "x", qos=1)
            (message,) = await collect(one, 1, 3)
            assert message.qos == granted


async def dollar_topics_may_be_published(port: int) -> None:
    async with client(port) as watcher, client(port) as one:
        await watcher.subscribe([("$foo/#", 0), ("#", 0)])
        await one.publish("$foo/a", "1", qos=1)
        await one.publish("plain", "2", qos=1)
        got = [message[0] for message in plain(await collect(watcher, 3))]
        assert got == ["$foo/a", "plain"]


async def a_session_without_login_is_kept(port: int) -> None:
    keep = {"identifier": "keeper", "clean_session": False}
    async with client(port, **keep) as keeper:
        await keeper.subscribe("kept", qos=1)
    await anyio.sleep(1.2)  # amqtt sweeps once a second
    async with client(port) as other:
        await other.publish("kept", "late", qos=1)
        await other.publish("kept", "lost", qos=0)
    async with client(port, **keep) as keeper:
        assert plain(await collect(keeper)) == [("kept", b"late", 1, False)]


async def the_retain_flag_of_a_will_follows_the_newest_connect(port: int) -> None:
    for retain in (False, True):
        hello = connect("w", will=("will/w", "gone"), will_retain=retain, clean=False)
        async with connected(port, hello):
            pass
    async with client(port) as late:
        await anyio.sleep(SETTLE)
        await late.subscribe("will/w")
        assert plain(await collect(late, 1)) == [("will/w", b"gone", 0, True)]


async def a_huge_packet_closes_the_connection(port: int) -> None:
    async with connected(port, connect("huge")) as sender:
        with anyio.move_on_after(3):
            try:
                await sender.send(publish("a", bytes(300_000)))
            except anyio.BrokenResourceError:
                return
        assert await closed_within(sender, 3), "accepted"


async def a_packet_that_lies_about_its_end_closes_the_connection(port: int) -> None:
    # The topic claims 9 bytes, the packet ends after 3: a lenient reader eats the next packet.
    async with connected(port, connect("liar")) as liar:
        await liar.send(packet(0x30, b"\x00\x09abc") + PINGREQ)
        assert await closed_within(liar, 3), "still connected"


async def text_that_is_no_utf8_closes_the_connection(port: int) -> None:
    async with connected(port, connect("latin")) as latin:
        await latin.send(publish(b"caf\xe9", b"x"))
        assert await closed_within(latin, 3), "still connected"


async def a_wildcard_is_no_topic(port: int) -> None:
    async with connected(port, connect("wild")) as wild:
        await wild.send(publish("a/#", b"x"))
        assert await closed_within(wild, 3), "still connected"


async def an_impossible_qos_closes_the_connection(port: int) -> None:
    async with connected(port, connect("three")) as three:
        await three.send(packet(0x36, text("a") + b"\x00\x01x"))
        assert await closed_within(three, 3), "still connected"


async def an_empty_subscription_closes_the_connection(port: int) -> None:
    async with connected(port, connect("empty")) as empty:
        await empty.send(subscribe())
        assert await closed_within(empty, 3), "still connected"


FAULTS: list[Callable[[int], Awaitable[None]]] = [
    a_silent_client_is_closed_and_its_will_published,
    half_a_packet_does_not_keep_a_client_alive,
    the_same_id_replaces_the_older_connection,
    retained_messages_come_only_to_who_asked,
    retained_messages_come_with_the_lower_qos,
    delivered_qos_is_the_lower_of_both,
    overlapping_filters_give_one_copy,
    subscribing_again_replaces_the_qos,
    dollar_topics_may_be_published,
    a_session_without_login_is_kept,
    the_retain_flag_of_a_will_follows_the_newest_connect,
    a_huge_packet_closes_the_connection,
    a_packet_that_lies_about_its_end_closes_the_connection,
    text_that_is_no_utf8_closes_the_connection,
    a_wildcard_is_no_topic,
    an_impossible_qos_closes_the_connection,
    an_empty_subscription_closes_the_connection,
]
BROKERS = [pytest.param("mosquitto", marks=needs_mosquitto), "amqtt"]


@pytest.mark.parametrize("kind", BROKERS)
@pytest.mark.parametrize("check", FAULTS)
async def test_our_brokers_do_it_right(kind: str, check: Callable[[int], Awaitable[None]]) -> None:
    async with serving(kind) as port:
        await check(port)


async def test_amqtt_as_it_comes_does_it_wrong() -> None:
    """Every fault, each on its own broker, all at once: most wait for what never comes."""
    mended_upstream = []

    async def judge(check: Callable[[int], Awaitable[None]]) -> None:
        async with serving("unmended") as port:
            try:
                await check(port)
            except (AssertionError, ValueError, TimeoutError, aiomqtt.MqttError):
                return
            mended_upstream.append(check.__name__)

    with quiet_amqtt():
        async with anyio.create_task_group() as tasks:
            for check in FAULTS:
                tasks.start_soon(judge, check)
    assert mended_upstream == []
