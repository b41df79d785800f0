"""The helper that starts brokers is itself tested, or a broken one would make tests lie."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import aiomqtt
import anyio
import pytest
import trustme

from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
NODELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


def client(port: int, **options: object) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, socket_options=NODELAY, timeout=3, **options)  # type: ignore[arg-type]


async def retained(port: int, topic: str) -> bytes | None:
    """The retained payload of a topic, None when there is none."""
    async with client(port) as reader:
        await reader.subscribe(topic)
        with anyio.move_on_after(0.5):
            async for message in reader.messages:
                return bytes(message.payload)
    return None


async def test_it_serves_and_a_restart_keeps_the_port(mosquitto: Mosquitto) -> None:
    async with client(mosquitto.port) as writer:
        await writer.publish("a", "1", retain=True, qos=1)
    assert await retained(mosquitto.port, "a") == b"1"
    before = mosquitto.port
    mosquitto.restart(kill=True)
    assert mosquitto.port == before
    assert await retained(mosquitto.port, "a") is None


async def test_persistence_survives_a_restart(tmp_path: Path) -> None:
    async with Mosquitto(persistence=tmp_path) as broker:
        async with client(broker.port) as writer:
            await writer.publish("a", "1", retain=True, qos=1)
        broker.restart()
        assert await retained(broker.port, "a") == b"1"


async def test_users_and_acl() -> None:
    async with Mosquitto(
        users={"ann": "right"}, acl="user ann\ntopic readwrite mine/#\n"
    ) as broker:
        for options in ({}, {"username": "ann", "password": "wrong"}):
            with pytest.raises(aiomqtt.MqttError, match=r"[Aa]uthori"):
                async with client(broker.port, **options):
                    pass
        async with client(broker.port, username="ann", password="right") as ann:
            await ann.subscribe("#")
            await ann.publish("other", "no", qos=1)
            await ann.publish("mine/a", "yes", qos=1)
            with anyio.fail_after(3):
                async for message in ann.messages:
                    assert message.topic.value == "mine/a"
                    break


async def test_tls_and_websockets(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    authority.cert_pem.write_to_path(tmp_path / "ca")
    with Mosquitto(tls=(tmp_path / "cert", tmp_path / "key"), websockets=True) as broker:
        tls = aiomqtt.TLSParameters(ca_certs=str(tmp_path / "ca"))
        assert broker.tls_port is not None
        assert broker.ws_port is not None
        async with client(broker.tls_port, tls_params=tls) as secure:
            await secure.publish("a", "tls", retain=True, qos=1)
        async with client(broker.ws_port, transport="websockets") as web:
            await web.publish("b", "ws", retain=True, qos=1)
        assert await retained(broker.port, "a") == b"tls"
        assert await retained(broker.port, "b") == b"ws"


async def test_a_paused_broker_is_silent_and_a_closed_one_is_gone() -> None:
    with Mosquitto() as broker:
        broker.pause()
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", broker.port, timeout=0.5):
                pass
        broker.resume()
        async with client(broker.port):
            pass
        pid = broker.pid
        broker.pause()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(OSError, match="failed"):
        await anyio.connect_tcp("127.0.0.1", broker.port)
