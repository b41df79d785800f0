"""What the bridge relies on, whichever embedded broker it got."""

from __future__ import annotations

import aiomqtt
import anyio
import pytest

from tests.broker.brokers import client, collect, embedded, needs_mosquitto, plain, port_of, serving
from tests.broker.raw import DISCONNECT, PINGREQ, PINGRESP, connect, connected, packet, publish

BROKERS = [pytest.param("mosquitto", marks=needs_mosquitto), "amqtt"]


@pytest.fixture(params=BROKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_lost_connection_publishes_the_will_and_a_goodbye_does_not(kind: str) -> None:
    async with serving(kind) as port, client(port) as watcher:
        await watcher.subscribe("will/#")
        async with connected(port, connect("polite", will=("will/polite", "gone"))) as polite:
            await polite.send(DISCONNECT)
        async with connected(port, connect("lost", will=("will/lost", "gone"))):
            pass
        assert [message[0] for message in plain(await collect(watcher))] == ["will/lost"]


async def test_a_client_that_pings_stays(kind: str) -> None:
    async with serving(kind) as port, connected(port, connect("alive", keepalive=1)) as alive:
        for _ in range(6):
            await anyio.sleep(0.5)
            await alive.send(PINGREQ)
            with anyio.fail_after(3):
                assert await alive.receive() == PINGRESP


async def test_a_retained_message_is_replaced_and_cleared(kind: str) -> None:
    async with serving(kind) as port, client(port) as one:
        for payload, expected in ((b"1", [b"1"]), (b"2", [b"2"]), (b"", [])):
            await one.publish("kept", payload, retain=True, qos=1)
            async with client(port) as late:
                await late.subscribe("#")
                got = plain(await collect(late, 1 if expected else None))
                assert [message[1] for message in got] == expected


async def test_bursts_arrive_complete_and_in_order(kind: str) -> None:
    async with serving(kind) as port, client(port) as receiver, client(port) as sender:
        for qos in (0, 1, 2):
            await receiver.subscribe("burst", qos=qos)
            expected = [str(number).encode() for number in range(1500)]
            got: list[aiomqtt.Message] = []

            async def receive(into: list[aiomqtt.Message] = got) -> None:
                into += await collect(receiver, 1500, 20)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(receive)
                async with anyio.create_task_group() as sending:
                    for payload in expected:
                        sending.start_soon(_publish, sender, payload, qos)
            assert [bytes(message.payload) for message in got] == expected


async def _publish(sender: aiomqtt.Client, payload: bytes, qos: int) -> None:
    await sender.publish("burst", payload, qos=qos, timeout=20)


async def test_many_retained_messages_reach_a_new_subscriber(kind: str) -> None:
    async with serving(kind) as port, client(port) as sender, client(port) as late:
        for number in range(1500):
            await sender.publish(f"many/{number}", b"x" * 100, retain=True, qos=0)
        await sender.publish("last", "x", qos=1)
        await late.subscribe("many/#", qos=1)
        got = await collect(late, 1500, 20)
        assert len({message.topic.value for message in got}) == 1500


async def test_qos_2_sent_twice_arrives_once(kind: str) -> None:
    async with serving(kind) as port, client(port) as watcher:
        await watcher.subscribe("once", qos=2)
        async with connected(port, connect("twice")) as twice:
            first = publish("once", b"x", qos=2, packet_id=7)
            await twice.send(first)
            await twice.send(bytes([first[0] | 8]) + first[1:])
            for _ in range(2):
                await twice.send(packet(0x62, b"\x00\x07"))
            assert len(await collect(watcher)) == 1


async def test_unsubscribing_ends_the_messages(kind: str) -> None:
    async with serving(kind) as port, client(port) as one:
        await one.subscribe("a/#")
        await one.unsubscribe("a/#")
        await one.publish("a/b", "x", qos=1)
        assert await collect(one) == []


async def test_users_have_to_log_in_and_the_bridge_has_its_own(kind: str) -> None:
    users = {"esp": "sécret"}
    async with embedded(kind, users=users) as broker:
        port = port_of(broker)
        wrong: tuple[dict[str, str], ...] = (
            {},
            {"username": "esp", "password": "no"},
            {"username": "x", "password": ""},
        )
        for login in wrong:
            with pytest.raises(aiomqtt.MqttError, match=r"(?i)authori[sz]ed"):
                async with client(port, **login):
                    pass
        async with client(port, username="esp", password="sécret") as esp:
            await esp.subscribe("a")
            assert broker.username is not None
            own = {"username": broker.username, "password": broker.password}
            async with client(port, **own) as bridge:
                await bridge.publish("a", "1", qos=1)
            assert len(await collect(esp, 1)) == 1
        assert "sécret" not in repr(broker)
        assert str(broker.password) not in repr(broker)


async def test_who_may_not_log_in_cannot_push_out_who_did(kind: str) -> None:
    async with embedded(kind, users={"esp": "right"}) as broker:
        port = port_of(broker)
        async with connected(port, connect("esp", login=("esp", "right"))) as stream:
            with pytest.raises(AssertionError, match="refused with code 5"):
                async with connected(port, connect("esp", login=("esp", "wrong"))):
                    pass
            await stream.send(PINGREQ)
            with anyio.fail_after(3):
                assert await stream.receive() == PINGRESP
