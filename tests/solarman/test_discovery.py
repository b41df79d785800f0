"""Finding sticks by a broadcast."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import DeviceTimeout
from bridge.modbus.solarman_discovery import Found, discover, understood
from bridge.simulators.solarman import SERIAL, TEXTS, SolarmanStick
from tests.solarman.words import Words


async def test_a_stick_is_found_once() -> None:
    async with SolarmanStick(Words(), discovery_port=0) as stick:
        assert stick.discovery_port
        found = await discover("127.0.0.1", stick.discovery_port, 0.1)
    assert found == [Found("127.0.0.1", "E8FDF8D42A01", str(SERIAL))]


async def test_a_broadcast_on_loopback() -> None:
    async with SolarmanStick(Words(), host="0.0.0.0", discovery_port=0) as stick:
        found = await discover("127.255.255.255", stick.discovery_port or 0, 0.1)
    assert [each.serial for each in found] == [str(SERIAL)]


@pytest.mark.parametrize("text", TEXTS)
async def test_the_stick_answers_either_text_and_nothing_else(text: bytes) -> None:
    heard: list[bytes] = []

    class Listener(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, address: object) -> None:
            heard.append(data)

    loop = asyncio.get_running_loop()
    async with SolarmanStick(Words(), discovery_port=0) as stick:
        transport, _ = await loop.create_datagram_endpoint(
            Listener, remote_addr=("127.0.0.1", stick.discovery_port or 0)
        )
        transport.sendto(b"WHO IS THERE")
        transport.sendto(text)
        await asyncio.sleep(0.05)
        transport.close()
    assert heard == [f"127.0.0.1,E8FDF8D42A01,{SERIAL}".encode()]


async def test_nobody_there() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert await discover("127.0.0.1", deaf.getsockname()[1], 0.05) == []


async def test_an_address_that_cannot_be_sent_to() -> None:
    with pytest.raises(DeviceTimeout, match="nothing can be sent to 255"):
        await discover("255.255.255.256", 48899, 0.05)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"192.168.1.5,e8fdf8d42a01,2712345678", ("192.168.1.5", "E8FDF8D42A01", "2712345678")),
        (b"192.168.1.5, E8FD ,GW5048D-ES\r\n", ("192.168.1.5", "E8FD", "GW5048D-ES")),
        (b"WIFIKIT-214028-READ", None),
        (b"192.168.1.5,E8FD", None),
        (b"192.168.1.5,,5", None),
        (b"home,E8FD,5", None),
        (b"192.168.1.5,E8\x07FD,5", None),
        (b"192.168.1.5,\xff,5", None),
        (b"", None),
    ],
)
def test_answers(data: bytes, wanted: tuple[str, str, str] | None) -> None:
    assert understood(data) == wanted


@given(st.binary(max_size=100))
def test_any_datagram_is_an_answer_or_nothing(data: bytes) -> None:
    assert understood(data) is None or data.count(b",") == 2
