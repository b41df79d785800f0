"""One connection against a real broker: versions, transports, wills, losses and returns."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING, Self

import aiomqtt
import anyio
import pytest
import trustme

from bridge.errors import BrokerError
from bridge.mqtt import Endpoint, Protocol
from tests.runtime.links import endpoint, link
from tests.support.mosquitto import Mosquitto, free_port
from tests.support.proxy import FaultProxy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_speaks_mqtt_5_with_nodelay_and_hears_itself(mosquitto: Mosquitto) -> None:
    where = endpoint(mosquitto.port)
    async with link(where, filters=("x/#",)) as one:
        assert one.connection.send("x/y", b"1", qos=1)
        await one.until(lambda: one.payloads("x/y") == [b"1"])
        assert where.protocol is Protocol.V5
        client = one.connection._client
        assert client is not None
        sock = client._client.socket()
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert await one.connection.flush()


async def test_falls_back_to_mqtt_3_1_1() -> None:
    with Mosquitto(extra="max_topic_alias 0") as broker:
        where = endpoint(broker.port)
        async with _OldBroker(broker.port) as old:
            where.port = old.port
            async with link(where, filters=("x/#",)) as one:
                assert where.protocol is Protocol.V311
                one.connection.send("x/y", b"1", qos=1, expiry=30)
                await one.until(lambda: one.payloads("x/y") == [b"1"])
            async with link(where, "second") as two:
                assert two.connection.sessions == 1


class _OldBroker:
    """A front that refuses MQTT 5 as old brokers do (CONNACK 1) and passes 3.1.1 on."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self.port = free_port()

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._listener = await anyio.create_tcp_listener(
            local_host="127.0.0.1", local_port=self.port
        )
        self._tasks.start_soon(self._listener.serve, self._serve)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)
        await self._listener.aclose()

    async def _serve(self, near: anyio.abc.SocketStream) -> None:
        first = await near.receive()
        if first[8] == 5:
            await near.send(b"\x20\x02\x00\x01")
            await near.aclose()
            return
        async with (
            near,
            await anyio.connect_tcp("127.0.0.1", self._behind) as far,
            anyio.create_task_group() as tasks,
        ):
            await far.send(first)
            tasks.start_soon(_pump, near, far)
            await _pump(far, near)
            tasks.cancel_scope.cancel()


async def _pump(source: anyio.abc.SocketStream, target: anyio.abc.SocketStream) -> None:
    try:
        async for chunk in source:
            await target.send(chunk)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


async def test_messages_expire_on_the_broker_with_mqtt_5(mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port)) as one:
        one.connection.send("lease", b"1000", qos=1, retain=True, expiry=1)
        one.connection.send("kept", b"1", qos=1, retain=True)
        await one.connection.flush()
        await anyio.sleep(2.1)
        async with link(endpoint(mosquitto.port), "two", filters=("lease", "kept")) as two:
            await two.until(lambda: two.payloads("kept"))
            assert two.payloads("lease") == []


async def test_the_will_speaks_when_the_process_is_gone(mosquitto: Mosquitto) -> None:
    async with FaultProxy("127.0.0.1", mosquitto.port) as proxy:  # noqa: SIM117 - the port is its
        async with (
            link(endpoint(mosquitto.port), "watcher", filters=("me/Status",)) as watcher,
            link(endpoint(proxy.port), "me", will="me/Status") as one,
        ):
            await watcher.until(lambda: watcher.payloads("me/Status") == [b"online"])
            proxy.reset()
            await watcher.until(
                lambda: (
                    watcher.payloads("me/Status")[-1:] == [b"offline"]
                    or (watcher.payloads("me/Status") == [b"online", b"offline", b"online"])
                )
            )
            # and it comes back by itself, saying so
            await one.until(lambda: one.connection.sessions == 2)
            await watcher.until(lambda: watcher.payloads("me/Status")[-1] == b"online")


async def test_goodbye_says_offline_and_leaves_no_will_behind(mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port), "watcher", filters=("me/Status",)) as watcher:
        async with link(endpoint(mosquitto.port), "me", will="me/Status") as one:
            await one.connection.goodbye()
        await anyio.sleep(0.3)
        assert watcher.payloads("me/Status") == [b"online", b"offline"]


async def test_after_a_restart_it_subscribes_and_announces_again(mosquitto: Mosquitto) -> None:
    announced: list[int] = []

    async def announce() -> None:
        announced.append(1)

    async with link(endpoint(mosquitto.port), filters=("x",), announce=announce) as one:
        mosquitto.kill()
        with anyio.fail_after(5):
            await one.connection.lost.wait()
        assert not one.connection.send("x", b"lost", qos=1)
        await anyio.sleep(0.5)
        mosquitto.start()
        with anyio.fail_after(5):
            await one.connection.connected.wait()
        assert len(announced) == 2
        one.connection.send("x", b"again", qos=1)
        await one.until(lambda: one.payloads("x") == [b"again"])


async def test_a_first_session_that_fails_leaves_nobody_waiting(mosquitto: Mosquitto) -> None:
    tries: list[int] = []

    async def announce() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise aiomqtt.MqttError("the broker hung up")

    # `link` waits for the session before there has been any.
    async with link(endpoint(mosquitto.port), announce=announce) as one:
        assert one.connection.is_connected
    assert len(tries) == 2


async def test_a_session_has_been_tried_once_it_stands_or_fails(mosquitto: Mosquitto) -> None:
    async with link(endpoint(free_port()), wait=False) as one:
        assert not one.connection.tried.is_set()
        with anyio.fail_after(20):
            await one.connection.tried.wait()
        assert not one.connection.is_connected
    async with link(endpoint(mosquitto.port), announce=anyio.sleep_forever, wait=False) as one:
        with anyio.fail_after(20):
            await one.connection.tried.wait()
        assert one.connection.is_connected


async def test_a_broker_that_hangs_is_noticed(mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port)) as one:
        mosquitto.pause()
        try:
            with anyio.fail_after(25):
                await one.connection.lost.wait()
        finally:
            mosquitto.resume()
        with anyio.fail_after(10):
            await one.connection.connected.wait()


async def test_no_message_of_a_burst_is_lost(mosquitto: Mosquitto) -> None:
    async with link(endpoint(mosquitto.port), filters=("burst/#",)) as one:
        for index in range(3000):
            one.connection.send(f"burst/{index}", b"1", qos=1)
            if one.connection.congested:
                await one.connection.drain()
        await one.until(lambda: len(one.got) == 3000, limit=30)
        assert [message.topic for message in one.got] == [f"burst/{i}" for i in range(3000)]


async def test_a_wrong_password_is_said_in_plain_words() -> None:
    with Mosquitto(users={"bridge": "right"}) as broker:
        where = endpoint(broker.port, username="bridge", password="wrong")
        async with link(where, wait=False) as one:
            await one.until(lambda: one.connection.why)
            assert one.connection.why is not None
            assert "refuses user 'bridge'" in one.connection.why
            assert "wrong" not in one.connection.why
        good = endpoint(broker.port, username="bridge", password="right")
        async with link(good) as one:
            assert one.connection.is_connected


async def test_websocket_transport_with_nodelay() -> None:
    with Mosquitto(websockets=True) as broker:
        assert broker.ws_port is not None
        async with link(endpoint(broker.ws_port, "ws"), filters=("x",)) as one:
            one.connection.send("x", b"1", qos=1)
            await one.until(lambda: one.payloads("x") == [b"1"])


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def _secure(authority: trustme.CA, name: str, folder: Path) -> Mosquitto:
    certificate = authority.issue_cert(name)
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    return Mosquitto(tls=(cert, key))


async def test_tls_with_the_right_authority(authority: trustme.CA, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with _secure(authority, "localhost", tmp_path) as broker:
        assert broker.tls_port is not None
        async with link(endpoint(broker.tls_port, "mqtts", ca=str(ca)), filters=("x",)) as one:
            one.connection.send("x", b"1", qos=1)
            await one.until(lambda: one.payloads("x") == [b"1"])


@pytest.mark.parametrize(
    ("name", "trusted", "plain", "sentence"),
    [
        ("localhost", False, False, "not trusted"),
        ("elsewhere.example", True, False, "not trusted"),
        ("localhost", True, True, "speak TLS on this port"),
    ],
)
# paho leaves the socket of a failed handshake to the garbage collector, which closes and complains.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_is_never_given_up(
    authority: trustme.CA, tmp_path: Path, *, name: str, trusted: bool, plain: bool, sentence: str
) -> None:
    ca = tmp_path / "ca.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(ca)
    with _secure(authority, name, tmp_path) as broker:
        port = broker.port if plain else broker.tls_port
        assert port is not None
        async with link(endpoint(port, "mqtts", ca=str(ca)), wait=False) as one:
            await one.until(lambda: one.connection.why)
            assert one.connection.why is not None
            assert sentence in one.connection.why
            await anyio.sleep(0.5)
            assert one.connection.sessions == 0
    gc.collect()


def test_a_ca_file_that_is_missing_is_named() -> None:
    where = Endpoint.from_url("mqtts://localhost", ca="/nowhere/ca.pem")
    with pytest.raises(BrokerError, match=r"/nowhere/ca\.pem cannot be used"):
        where.tls_context()


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "mqtt://host:70000", "broker"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BrokerError, match="is not mqtt://"):
        Endpoint.from_url(url)


async def test_cancelling_during_a_connect_leaves_no_ghost(mosquitto: Mosquitto) -> None:
    async with FaultProxy("127.0.0.1", mosquitto.port) as proxy:
        proxy.down.stall = True
        with anyio.move_on_after(0.5):
            async with link(endpoint(proxy.port), "ghost", will="ghost/Status", wait=False) as one:
                await anyio.sleep(5)
        assert one.connection.sessions == 0
        proxy.down.stall = False
        async with link(endpoint(mosquitto.port), "watcher", filters=("ghost/#",)) as watcher:
            await anyio.sleep(1)
            assert watcher.payloads("ghost/Status") == []
    gc.collect()
