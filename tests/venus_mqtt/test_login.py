"""Passwords, and certificates that a GX signs itself."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

import anyio
import pytest
import trustme

from bridge.errors import DeviceRefused, DeviceTimeout
from tests.support.mosquitto import Mosquitto
from tests.venus_mqtt.rig import build, gx, playing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def read(tmp_path: Path, port: int, **more: Any) -> Any:
    actor = build(tmp_path, port, **more)
    async with actor.direct():
        return await actor.read_once()


async def test_a_password_without_a_name(tmp_path: Path) -> None:
    """A GX takes any name; ours is `heliograph` where the owner gives none."""
    from bridge.config.secret import Secret

    with Mosquitto(users={"heliograph": "secret", "gx": "other"}) as own:
        async with playing(own.url, username="gx", password="other"):
            await anyio.sleep(0.1)
            assert await read(tmp_path, own.port, password=Secret("secret"))
            with pytest.raises(DeviceRefused) as caught:
                await read(tmp_path, own.port, password=Secret("wrong word"))
    assert "check username and password" in str(caught.value)
    assert "wrong word" not in str(caught.value)


class SlowRefusal:
    """Answers each login with a refusal, after `delay` s, as a GX does; counts them."""

    def __init__(self, delay: float) -> None:
        self.delay, self.logins, self.port = delay, 0, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packet = await reader.read(200)
        self.logins += 1
        await asyncio.sleep(self.delay)
        version5 = b"\x00\x04MQTT\x05" in packet
        writer.write(b"\x20\x03\x00\x87\x00" if version5 else b"\x20\x02\x00\x05")
        writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()


@pytest.mark.slow
async def test_a_slow_refusal_is_a_refusal_and_is_not_hammered(tmp_path: Path) -> None:
    async with SlowRefusal(4.0) as slow:
        actor = build(tmp_path, slow.port, timeout=6.0, username="me")
        with pytest.raises(DeviceRefused, match="refuses user 'me'"):
            async with actor.direct():
                await actor.read_once()
        assert slow.logins == 1


@pytest.mark.slow
async def test_a_refusal_is_followed_by_a_long_pause(tmp_path: Path) -> None:
    async with SlowRefusal(0.1) as slow:
        actor = build(tmp_path, slow.port, timeout=0.5, username="me")
        async with actor.direct():
            for _ in range(5):
                with pytest.raises(DeviceRefused):
                    await actor.read_once()
                await anyio.sleep(0.4)
        assert slow.logins == 1


# ------------------------------------------------------------------------------------------- TLS


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """As a GX: for `venus.local`, which is not the address that is connected to."""
    made = trustme.CA().issue_cert("venus.local")
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    made.cert_chain_pems[0].write_to_path(pem)
    made.private_key_pem.write_to_path(key)
    return str(pem), str(key)


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    with Mosquitto(tls=certificate(tmp_path, "gx")) as own:
        async with playing(own.url):
            await anyio.sleep(0.1)
            yield own


async def test_the_first_certificate_counts_and_another_is_refused(
    tmp_path: Path, secure: Mosquitto
) -> None:
    assert secure.tls_port is not None
    assert (await read(tmp_path, secure.tls_port, tls=True))["LoadPower"] == 1200
    kept = json.loads((tmp_path / "dut" / "certificate.json").read_text())["sha256"]
    with Mosquitto(tls=certificate(tmp_path, "other")) as other:
        async with playing(other.url):
            assert other.tls_port is not None
            with pytest.raises(DeviceRefused, match="another than before"):
                await read(tmp_path, other.tls_port, tls=True, timeout=0.6)
            assert "heliograph-dut" not in other.log  # it did not even say who it is
            # The owner's own word counts more than what is kept.
            wrong, right = "ab" * 32, kept
            with pytest.raises(DeviceRefused, match="another than before"):
                await read(tmp_path, other.tls_port, tls=True, fingerprint=wrong, timeout=0.6)
    assert await read(tmp_path, secure.tls_port, tls=True, fingerprint=right)


async def test_an_authority_wants_the_right_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    for name, good in (("127.0.0.1", True), ("venus.local", False)):
        made = authority.issue_cert(name)
        pem, key = tmp_path / f"{good}.pem", tmp_path / f"{good}.key"
        made.cert_chain_pems[0].write_to_path(pem)
        made.private_key_pem.write_to_path(key)
        with Mosquitto(tls=(pem, key)) as own:
            async with playing(own.url):
                await anyio.sleep(0.1)
                assert own.tls_port is not None
                if good:
                    assert await read(tmp_path, own.tls_port, tls=True, ca=ca)
                    continue
                with pytest.raises(DeviceRefused, match="certificate"):
                    await read(tmp_path, own.tls_port, tls=True, ca=ca, timeout=0.6)


async def test_plain_where_tls_was_asked_for_is_no_way_out(tmp_path: Path) -> None:
    async with gx() as (_, port):
        with pytest.raises(DeviceTimeout, match=r"cannot be reached|TLS"):
            await read(tmp_path, port, tls=True, timeout=0.6)
        with pytest.raises((DeviceRefused, DeviceTimeout)):
            await read(tmp_path, port, tls=True, fingerprint="ab" * 32, timeout=0.6)
